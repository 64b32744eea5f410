"""What a scenario file may hold: the models that validate it, and from which the reference page is made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pulumi_resource_togetherai.api.enums import RemediationState
from togetherai_simulator.access import DEFAULT_API_KEY, AccessKey
from togetherai_simulator.alerts import FaultKind
from togetherai_simulator.bodies import KnownMode
from togetherai_simulator.faults import FaultRule
from togetherai_simulator.options import Options, Seconds
from togetherai_simulator.settings import Behaviour, Settings


class Event(Options):
    """Something that happens at a time."""

    at: Seconds
    """When, from the first start of the simulator."""


class InstanceEvent(Event):
    """Something that happens to an instance: unless noted otherwise, to its newest remediation that has not ended."""

    instance: str
    """The instance's id, such as `cluster-1-node-1`."""


class Propose(InstanceEvent):
    """The platform proposes a remediation. If a proposal waits already, the alert is added to it and may raise its
    mode."""

    do: Literal["propose"]
    fault: FaultKind | None = None
    """What is wrong with the node. Default: a fault that fits `mode`."""
    mode: KnownMode | None = None
    """The proposed mode. Default: the one that fits `fault`."""
    reason: str | None = None
    clears_after: Seconds | None = None
    """After how long the fault goes away by itself. Default: never."""
    force: bool = False
    """Whether to propose even though a remediation of the node ended a moment ago."""


class ClearAlerts(InstanceEvent):
    """The instance's faults go away; a proposal that still waits becomes AUTO_RESOLVED."""

    do: Literal["clear_alerts"]


class BreakNode(InstanceEvent):
    """The node that holds the instance, or held it, does not work any more. The platform proposes nothing: nobody has
    told it why."""

    do: Literal["break_node"]
    cured_by: KnownMode | None = None
    """The gentlest mode that helps; after a gentler one the node comes back broken. Default: REBOOT_VM."""


class MendNode(InstanceEvent):
    """The node that holds the instance, or held it, works again by itself."""

    do: Literal["mend_node"]


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
    """The remediation changes its state, for an unknown reason."""

    do: Literal["set_state"]
    state: RemediationState
    """The new state; unknown states are allowed too."""
    error_message: str | None = None


class Expire(InstanceEvent):
    """The platform forgets the newest remediation, ended or not."""

    do: Literal["expire"]


class Behave(InstanceEvent):
    """From now on the instance's remediations go as `behaviour` sets."""

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
    Propose
    | ClearAlerts
    | BreakNode
    | MendNode
    | Approve
    | Reject
    | Cancel
    | SetState
    | Expire
    | Behave
    | AddFault
    | ClearFaults,
    Field(discriminator="do"),
]


class Scenario(Options):
    """All fields of a scenario file."""

    clusters: Annotated[int, Field(ge=1, le=200)] = 1
    """Number of clusters, `cluster-1` and so on."""
    instances: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Instances per cluster, `cluster-1-node-1` and so on."""
    seed: int | None = None
    """With the same seed the same things happen. Default: another seed each time."""
    began_ago: Seconds = 0
    """How long before the real time the simulated time begins. A client takes the earlier of the API's clock and its
    own for an age: at a high speed it sees no age grow, unless the simulated time begins long enough ago."""
    api_keys: list[AccessKey] = Field(default_factory=lambda: [AccessKey(key=DEFAULT_API_KEY)], min_length=1)
    """The API keys that the simulator accepts."""
    settings: Settings = Field(default_factory=Settings)
    """How the platform behaves."""
    behaviours: dict[str, Behaviour] = Field(default_factory=dict[str, Behaviour])
    """How the remediations of an instance go, by the instance's id."""
    faults: list[FaultRule] = Field(default_factory=list[FaultRule])
    """Faults that are on from the start."""
    events: list[AnyEvent] = Field(default_factory=list[AnyEvent])
    """What happens, in any order."""
    journal: Annotated[int, Field(ge=1)] = 10_000
    """How many requests the journal keeps, the newest ones."""
