"""What a call has to do in a cluster: what its table asks for, against what the cluster's stack holds already.

The stack is the memory. What it holds stays declared as it was declared, or Pulumi would take it for removed; so a node
that is done is not repaired again, and one that a run left under repair is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from table import Node

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.models import Remediation

TYPE = "togetherai:index:Remediation"
AROUND = frozenset({"pulumi:pulumi:Stack", "pulumi:providers:togetherai"})
"""The types of what stands in every such stack."""
REPAIRED = frozenset({RemediationState.SUCCEEDED, RemediationState.AUTO_RESOLVED})
"""The ends after which a node counts as repaired."""


@dataclass(frozen=True)
class Held:
    """A node that the stack holds."""

    node: Node
    record: Remediation | None
    """Its remediation when the stack was last saved; None if the run was killed while it was being created or
    replaced."""
    withdrawn: bool = False
    """Whether it gave way to another remediation before it began: declaring it starts anew."""

    @property
    def name(self) -> str:
        """Its resource's name."""
        return self.node.name

    @property
    def failed(self) -> bool:
        """Whether it has ended without the node being repaired."""
        return self.record is not None and self.record.terminal and self.record.state not in REPAIRED


@dataclass(frozen=True)
class Plan:
    """What to do in one cluster."""

    cluster: str
    done: tuple[Held, ...] = ()
    """What has ended. It stays declared, and nothing runs."""
    under_way: tuple[Held, ...] = ()
    """What a run left under repair. It is waited for, so it takes a slot at once."""
    queue: tuple[Node, ...] = ()
    """What is to be started, in this order, each when it gets a slot."""
    failed: frozenset[str] = frozenset()
    """The names of those in the queue that the stack holds as FAILED."""
    incidents: frozenset[str] = frozenset()
    """The incidents of this call."""
    notes: tuple[str, ...] = ()
    """What the person who asked should know."""

    @property
    def reported(self) -> list[Node]:
        """The nodes that this call is about: other incidents that have ended are history."""
        held = [*self.done, *self.under_way]
        ours = [one.node for one in held if one.node.incident in self.incidents or one in self.under_way]
        return [*ours, *self.queue]


def plan(cluster: str, wanted: Iterable[Node], held: Mapping[str, Held], *, retry_failed: bool = False) -> Plan:
    """The plan for a cluster. `held` is what its stack holds, by name; `wanted` is its part of the table."""
    wanted = list(wanted)
    incidents = frozenset(node.incident for node in wanted)

    def runs_again(one: Held) -> bool:
        failed = one.failed and one.node.incident in incidents
        return one.withdrawn or (retry_failed and failed and _state(one) == RemediationState.FAILED)

    again = {name: one for name, one in held.items() if runs_again(one)}
    settled = [one for name, one in held.items() if name not in again]
    return Plan(
        cluster,
        done=tuple(one for one in settled if one.record is not None and one.record.terminal),
        under_way=tuple(one for one in settled if one.record is None or not one.record.terminal),
        queue=(*(one.node for one in again.values()), *(node for node in wanted if node.name not in held)),
        failed=frozenset(name for name, one in again.items() if not one.withdrawn),
        incidents=incidents,
        notes=tuple(
            f"{node.instance}: {node.incident} repairs it by {held[node.name].node.mode.short}, not by "
            f"{node.mode.short} as the table says now; another incident repairs it anew"
            for node in wanted
            if node.name in held and held[node.name].node.mode != node.mode
        ),
    )


def held(deployment: Mapping[str, Any] | None) -> dict[str, Held]:
    """The nodes in a stack's exported deployment, by the names of their resources. Raises ValueError if another program
    declared something in it, which this one would take away."""
    saved: list[dict[str, Any]] = (deployment or {}).get("resources") or []
    pending: list[dict[str, Any]] = (deployment or {}).get("pending_operations") or []
    found = dict[str, Held]()
    # What was being created when a run was killed comes first: the resource itself, if it is there, says more.
    for resource in [*(operation["resource"] for operation in pending), *saved]:
        if resource["type"] in AROUND or resource.get("delete"):
            continue
        name = str(resource["urn"]).split("::", 3)[3]
        inputs: dict[str, Any] = resource.get("inputs") or {}
        if resource["type"] != TYPE or "incident" not in (inputs.get("triggers") or {}):
            raise ValueError(f"its stack holds {resource['urn']}, which another program declared")
        # What awaits its replacement is deleted already; the replacement may be under way.
        found[name] = _held(inputs, {} if resource.get("pendingReplacement") else resource.get("outputs") or {})
    return found


def _held(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Held:
    node = Node(
        cluster=inputs["clusterId"],
        instance=inputs["instanceId"],
        mode=RemediationMode(inputs["mode"]),
        reason=inputs.get("reason", ""),
        incident=inputs["triggers"]["incident"],
    )
    if "remediationId" not in outputs:
        return Held(node, None)
    return Held(node, record(outputs), withdrawn=bool(outputs.get("withdrawn")))


def record(outputs: Mapping[str, Any]) -> Remediation:
    """The API's record in a resource's outputs."""
    return Remediation.model_validate({**outputs, "id": outputs["remediationId"]})


def _state(one: Held) -> RemediationState | None:
    return one.record.state if one.record else None
