"""What a call has to do in a cluster: what its table asks for, against what the cluster's stack holds already.

The stack is the memory. What it holds stays declared as it was declared, or Pulumi would take it for removed; so a node
that is done is not repaired again, and one that a run left under repair is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from table import Node

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.models import Remediation

TYPE = "togetherai:index:Remediation"
AROUND = frozenset({"pulumi:pulumi:Stack", "pulumi:providers:togetherai"})
"""The types of what stands in every such stack."""
INPUTS = {"instance": "instanceId", "node": "node"}
"""The input of a remediation that a column of the table is for."""
NAMES = ("instanceId", "instanceName", "currentInstanceId", "currentHost")
"""The outputs that name the node."""
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
    names: frozenset[str] = frozenset()
    """What is known of the node's names, as they are compared, before its repair and after it."""

    @property
    def name(self) -> str:
        """Its resource's name."""
        return self.node.name

    @property
    def failed(self) -> bool:
        """Whether it has ended without the node being repaired."""
        return self.record is not None and self.record.terminal and self.record.state not in REPAIRED

    def is_for(self, node: Node) -> bool:
        """Whether it is the repair of a node that the table asks for: of the same node, and for the same incident, or
        for a fault that had begun before it ended."""
        if not self.names & (node.names | {node.written.casefold()}):
            return False
        return self.node.incident == node.incident or (node.since is not None and self._reaches(node.since))

    def _reaches(self, time: datetime) -> bool:
        if self.record is None or not self.record.terminal:
            return True
        ended = self.record.end_time or self.record.update_time
        return ended is None or ended >= time


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
    asked: frozenset[str] = frozenset()
    """The names of those that the stack holds and this call asks for."""
    notes: tuple[str, ...] = ()
    """What the person who asked should know."""

    @property
    def reported(self) -> list[Node]:
        """The nodes that this call is about: other incidents that have ended are history."""
        held = [*self.done, *self.under_way]
        ours = [one.node for one in held if one.name in self.asked or one in self.under_way]
        return [*ours, *self.queue]


def plan(cluster: str, wanted: Iterable[Node], held: Mapping[str, Held], *, retry_failed: bool = False) -> Plan:
    """The plan for a cluster. `held` is what its stack holds, by name; `wanted` is its part of the table."""
    wanted = list(wanted)
    repairs = [(node, _repair_of(node, held)) for node in wanted]
    incidents = frozenset(node.incident for node in wanted)
    asked = {one.name for _, one in repairs if one} | {
        name for name, one in held.items() if one.node.incident in incidents
    }

    def runs_again(one: Held) -> bool:
        failed = one.failed and one.name in asked
        return one.withdrawn or (retry_failed and failed and _state(one) == RemediationState.FAILED)

    again = {name: one for name, one in held.items() if runs_again(one)}
    settled = [one for name, one in held.items() if name not in again]
    return Plan(
        cluster,
        done=tuple(one for one in settled if one.record is not None and one.record.terminal),
        under_way=tuple(one for one in settled if one.record is None or not one.record.terminal),
        queue=(*(one.node for one in again.values()), *(node for node, one in repairs if one is None)),
        failed=frozenset(name for name, one in again.items() if not one.withdrawn),
        asked=frozenset(asked),
        notes=tuple(note for node, one in repairs if one and (note := _note(node, one))),
    )


def _repair_of(node: Node, held: Mapping[str, Held]) -> Held | None:
    """The repair of a node that the stack holds: the one for the same incident, or else the last one."""
    if node.name in held:
        return held[node.name]
    found = [one for one in held.values() if one.is_for(node)]
    return next((one for one in found if one.node.incident == node.incident), found[-1] if found else None)


def _note(node: Node, one: Held) -> str:
    if one.node.incident != node.incident:
        return f"{node.written}: nothing is started, because it began before its repair for {one.node.incident} ended"
    if one.node.mode != node.mode:
        return (
            f"{node.written}: {node.incident} repairs it by {one.node.mode.short}, not by {node.mode.short} as the "
            "table says now; another incident repairs it anew"
        )
    return ""


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
    column = next(column for column, name in INPUTS.items() if name in inputs)
    node = Node(
        cluster=inputs["clusterId"],
        written=inputs[INPUTS[column]],
        mode=RemediationMode(inputs["mode"]),
        reason=inputs.get("reason", ""),
        incident=inputs["triggers"]["incident"],
        column=column,
    )
    told = (outputs.get(name) for name in NAMES)
    names = frozenset(name.casefold() for name in (node.written, *told) if name)
    if "remediationId" not in outputs:
        return Held(node, None, names=names)
    return Held(node, record(outputs), withdrawn=bool(outputs.get("withdrawn")), names=names)


def record(outputs: Mapping[str, Any]) -> Remediation:
    """The API's record in a resource's outputs."""
    return Remediation.model_validate({**outputs, "id": outputs["remediationId"]})


def _state(one: Held) -> RemediationState | None:
    return one.record.state if one.record else None
