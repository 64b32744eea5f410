"""What is known of each node while a call runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from plan import REPAIRED, Held, Plan
from table import Node

from pulumi_resource_togetherai.api.enums import TERMINAL_STATES
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.fields import seconds

STATE = re.compile(r"\b(?P<state>[A-Z_]+) (?:after )?(?P<took>[0-9.hms]+)(?: of about \S+)?, ")
"""A resource's progress line: which state its remediation is in, and how long after its creation that was seen."""


class Outcome(Enum):
    """What became of a node."""

    REPAIRED = "repaired"
    FAILED = "failed"
    REFUSED = "not started"
    UNDER_WAY = "under repair"
    QUEUED = "not begun"


@dataclass
class NodeProgress:
    """A node, and what is known of its remediation."""

    node: Node
    record: Remediation | None = None
    """The remediation as the stack holds it."""
    state: str | None = None
    """The state that was last seen; None before there is a remediation."""
    seen: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """The states that this call saw, each with the seconds since the remediation's creation."""
    begun: bool = False
    """Whether this call has declared it."""
    ended: bool = False
    """Whether nothing more happens to it in this call."""
    problem: str | None = None
    """The error that Pulumi told."""

    @property
    def outcome(self) -> Outcome:
        """What became of it so far."""
        if self.record is not None:
            if not self.record.terminal:
                return Outcome.UNDER_WAY
            return Outcome.REPAIRED if self.record.state in REPAIRED else Outcome.FAILED
        if self.ended and self.problem is not None:
            return Outcome.REFUSED
        return Outcome.UNDER_WAY if self.begun else Outcome.QUEUED

    @property
    def why(self) -> str | None:
        """Why it is not repaired, as the API or Pulumi told it."""
        if self.record is not None and self.record.terminal:
            if self.outcome is Outcome.REPAIRED:
                return None
            by = f"by {self.record.reviewed_by}" if self.record.reviewed_by else None
            return self.record.error_message or self.record.review_comment or by or self.problem
        return self.problem

    def end(self, record: Remediation | None) -> None:
        """Takes note that the engine is done with it, and of what came out."""
        self.ended = True
        if record is not None:
            self.record, self.state = record, str(record.state)

    def told(self, line: str) -> bool:
        """Takes note of a progress line. Returns whether it told a state that this call has not told yet. An end is not
        taken from it: the record follows."""
        match = STATE.search(line)
        if match is None or match["state"] in TERMINAL_STATES or (self.seen and match["state"] == self.state):
            return False
        self.state = state = match["state"]
        self.seen.append((state, 0.0 if match["took"] == "0s" else seconds(match["took"])))
        return True


class ClusterProgress:
    """The nodes of a cluster that the call is about, by name."""

    def __init__(self, plan: Plan) -> None:
        self.cluster = plan.cluster
        held = {one.node.name: one for one in (*plan.done, *plan.under_way)}
        self.nodes = {node.name: _as_held(node, held.get(node.name)) for node in plan.reported}
        self.problem: str | None = None
        """Why the cluster's run ended early."""

    def begins(self, name: str) -> None:
        """Takes note that a node is declared."""
        self.nodes[name].begun = True

    def recorded(self, held: Mapping[str, Held], *, stopped: bool) -> None:
        """Takes note of what the stack holds at the end. What was declared, and not started before the engines were
        `stopped`, is as if it had not begun."""
        for name, node in self.nodes.items():
            if name not in held:
                node.begun, node.problem = (False, None) if stopped else (node.begun, node.problem)
            elif (found := held[name].record) is not None:
                node.record, node.state = found, str(found.state)

    def counts(self) -> Counter[Outcome]:
        """How many nodes came to what."""
        return Counter(node.outcome for node in self.nodes.values())


class Progress:
    """All clusters of a call. Each is written by the threads of its own run, and read by whoever shows it."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self.clusters = {plan.cluster: ClusterProgress(plan) for plan in plans}
        self.tell: Callable[[NodeProgress], None] | None = None
        """Is told of each change as it comes."""

    @property
    def nodes(self) -> list[NodeProgress]:
        """Every node."""
        return [node for cluster in self.clusters.values() for node in cluster.nodes.values()]

    def counts(self) -> Counter[Outcome]:
        """How many nodes came to what."""
        return sum((cluster.counts() for cluster in self.clusters.values()), Counter[Outcome]())

    def changed(self, node: NodeProgress) -> None:
        """Tells of a change."""
        if self.tell is not None:
            self.tell(node)


def _as_held(node: Node, held: Held | None) -> NodeProgress:
    record = held.record if held else None
    ended = record is not None and record.terminal
    return NodeProgress(node, record, str(record.state) if record else None, begun=held is not None, ended=ended)
