"""What a scenario file may say: the models that it is validated with, and that the reference page is made from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.simulator.access import DEFAULT_API_KEY, AccessKey
from pulumi_resource_togetherai.simulator.alerts import FaultKind
from pulumi_resource_togetherai.simulator.bodies import KnownMode
from pulumi_resource_togetherai.simulator.faults import FaultRule
from pulumi_resource_togetherai.simulator.settings import Behaviour, Options, Seconds, Settings


class Event(Options):
    """Something that happens at a time."""

    at: Seconds
    """When, from the first start of the simulator."""


class InstanceEvent(Event):
    """Something that happens to an instance; unless said otherwise, to its newest remediation that has not ended."""

    instance: str
    """The instance's id, such as `cluster-1-node-1`."""


class Propose(InstanceEvent):
    """The platform proposes a remediation. If one is proposed already, the alert joins it and may raise its mode."""

    do: Literal["propose"]
    fault: FaultKind | None = None
    """What is wrong with the node; left out, something that fits `mode`."""
    mode: KnownMode | None = None
    """What is proposed; left out, what fits `fault`."""
    reason: str | None = None
    clears_after: Seconds | None = None
    """After how long the fault goes away by itself; left out, never."""
    force: bool = False
    """Whether to propose even though a remediation of the node ended a moment ago."""


class ClearAlerts(InstanceEvent):
    """The instance's faults go away; a proposal that still waits is AUTO_RESOLVED."""

    do: Literal["clear_alerts"]


class Approve(InstanceEvent):
    """Somebody approves the proposal."""

    do: Literal["approve"]
    mode: KnownMode | None = None
    comment: str | None = None


class Reject(InstanceEvent):
    """Somebody rejects the proposal."""

    do: Literal["reject"]
    comment: str | None = None


class Cancel(InstanceEvent):
    """Somebody cancels the remediation."""

    do: Literal["cancel"]


class SetState(InstanceEvent):
    """The remediation changes its state, for a reason that nobody knows."""

    do: Literal["set_state"]
    state: RemediationState
    """The state; one that does not exist is taken too."""
    error_message: str | None = None


class Expire(InstanceEvent):
    """The newest remediation, ended or not, is forgotten."""

    do: Literal["expire"]


class Behave(InstanceEvent):
    """The instance's remediations go another way from now on."""

    do: Literal["behave"]
    behaviour: Behaviour


class AddFault(Event):
    """A fault is switched on."""

    do: Literal["add_fault"]
    fault: FaultRule


class ClearFaults(Event):
    """Every fault is switched off."""

    do: Literal["clear_faults"]


AnyEvent = Annotated[
    Propose | ClearAlerts | Approve | Reject | Cancel | SetState | Expire | Behave | AddFault | ClearFaults,
    Field(discriminator="do"),
]


class Scenario(Options):
    """All that a scenario file may say."""

    clusters: Annotated[int, Field(ge=1, le=200)] = 1
    """Number of clusters, `cluster-1` and so on."""
    instances: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Instances per cluster, `cluster-1-node-1` and so on."""
    seed: int | None = None
    """With the same seed the same things happen; left out, others each time."""
    api_keys: list[AccessKey] = Field(default_factory=lambda: [AccessKey(key=DEFAULT_API_KEY)], min_length=1)
    """The API keys that are let in."""
    settings: Settings = Field(default_factory=Settings)
    """How the platform behaves."""
    behaviours: dict[str, Behaviour] = Field(default_factory=dict[str, Behaviour])
    """What becomes of the remediations of an instance, by its id."""
    faults: list[FaultRule] = Field(default_factory=list[FaultRule])
    """Faults that are on from the start."""
    events: list[AnyEvent] = Field(default_factory=list[AnyEvent])
    """What happens, in any order."""
