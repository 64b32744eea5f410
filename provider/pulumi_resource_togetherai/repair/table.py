"""The plan as a table, in plain text for terminals and logs, and as outputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from pulumi_resource_togetherai.columns import columns
from pulumi_resource_togetherai.repair.inputs import PlannedNode
from pulumi_resource_togetherai.repair.plan import BEGINS, Decision, Plan, Word
from pulumi_resource_togetherai.sanitize import quoted

_HEAD = ("node", "decision", "mode", "rule", "because")


def table(plan: Plan, cluster_id: str, *, paused: bool) -> str:
    """What is to be done about a cluster: a line of figures, and a line for each node that a rule fits."""
    lines = [f"cluster {cluster_id}: {_figures(plan)}"]
    if plan.halted:
        lines.append(f"halted: {plan.halted}")
    elif paused:
        lines.append("paused: nothing of this is begun; what is under way goes on")
    rows = [_row(decision) for decision in _worth_a_line(plan)]
    if rows:
        lines.append(columns([_HEAD, *rows]))
    if left := len(plan.decisions) - len(rows):
        lines.append(f"no rule fits {_nodes(left)}: LEAVE")
    return "\n".join(lines)


def planned_nodes(plan: Plan) -> list[PlannedNode]:
    """The plan as an output."""
    return [
        PlannedNode(
            node=decision.node,
            instance_id=decision.instance_id or None,
            decision=decision.word.value,
            because=decision.because,
            rule=decision.rule or None,
            mode=decision.mode.value if decision.mode else None,
            remediation_id=decision.record.id if decision.record else None,
            until=decision.until.astimezone(UTC).isoformat(timespec="seconds") if decision.until else None,
        )
        for decision in _worth_a_line(plan)
    ]


def left_to_people(plan: Plan) -> list[str]:
    """The names of the nodes at which a person has to look."""
    return [decision.node for decision in plan.decisions if decision.word is Word.PERSON]


def _worth_a_line(plan: Plan) -> Sequence[Decision]:
    """All but the nodes that no rule fits, of which a cluster has many."""
    return [decision for decision in plan.decisions if decision.word is not Word.LEAVE or decision.rule]


def _figures(plan: Plan) -> str:
    begun = sum(decision.word in BEGINS for decision in plan.decisions)
    return (
        f"{_nodes(plan.nodes)}, {plan.unhealthy} unhealthy, {plan.under_repair} under repair; {begun} to begin with, "
        f"{plan.counts.get(Word.PERSON, 0)} left to a person"
    )


def _nodes(number: int) -> str:
    return "1 node" if number == 1 else f"{number} nodes"


def _row(decision: Decision) -> tuple[str, ...]:
    until = f", until {decision.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if decision.until else ""
    return (
        quoted(decision.node or decision.instance_id),
        decision.word.value,
        quoted(decision.mode.short) if decision.mode else "",
        quoted(decision.rule),
        decision.because + until,
    )
