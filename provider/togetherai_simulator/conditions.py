"""What a person should know of a node besides its status: what is wrong with it, and what it has been told to do.

The API calls a node Ready as soon as Kubernetes does: with a firing alert, after a failed repair, and while a proposal
waits. A person who looks at the page wants to see that at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_resource_togetherai.api.enums import RemediationState
from togetherai_simulator.fleet import NODE_STATUS, Cluster, Node
from togetherai_simulator.job import Job
from togetherai_simulator.platform import Platform
from togetherai_simulator.settings import Behaviour, Outcome

CURES = (RemediationState.SUCCEEDED, RemediationState.AUTO_RESOLVED)
"""The ends of a remediation after which what was wrong before no longer is."""

OUTCOMES: dict[Outcome, str] = {
    "succeed": "succeed",
    "fail": "fail",
    "auto_resolve": "resolve by themselves",
    "never": "stay RUNNING",
    "hold": "stay PENDING",
}
"""How an instance's remediations can be told to go, in words."""


@dataclass(frozen=True)
class Condition:
    """A node as the page shows it."""

    node: Node
    status: str
    """As the API shows it; `evicted` if it holds no instance any more."""
    wrong: list[str]
    """What is wrong with it, a sentence each."""
    repairs: str
    """Its remediations under way, such as `REBOOT_VM RUNNING`; empty if there is none."""
    told: str
    """How its remediations were told to go; empty if that is left to the platform's settings."""
    history: list[Job]
    """The remediations of every instance that it ever held, newest first."""


def condition(platform: Platform, cluster: Cluster, node: Node) -> Condition:
    """The condition of a node."""
    ever = [job for instance in node.instance_ids for job in platform.jobs(cluster.cluster_id, instance)]
    history = sorted(ever, key=lambda job: job.number, reverse=True)
    if node.instance_id is None:
        return Condition(node, "evicted", [], "", "", history)
    jobs = platform.jobs(cluster.cluster_id, node.instance_id)
    under_way = repairs(jobs)
    statuses = [NODE_STATUS[job.remediation.state] for job in under_way if job.remediation.state in NODE_STATUS]
    by_itself = "Ready" if node.broken is None else "NotReady"
    wrong = [*_broken(node), *_wrong(jobs)]
    return Condition(
        node, statuses[-1] if statuses else by_itself, wrong, in_short(under_way), _told(node.behaviour), history
    )


def repairs(jobs: Sequence[Job]) -> list[Job]:
    """Those of the remediations that are under way. A proposal is not: nobody has said yes to it."""
    return [
        job
        for job in jobs
        if not job.remediation.terminal and job.remediation.state != RemediationState.PENDING_APPROVAL
    ]


def in_short(jobs: Sequence[Job]) -> str:
    """Remediations by mode and state."""
    return ", ".join(f"{job.remediation.mode.short} {job.remediation.state}" for job in jobs)


def _broken(node: Node) -> list[str]:
    if node.broken is None:
        return []
    return [f"broken since {node.broken.since:%H:%M:%S}; {node.broken.cured_by.short} or a stronger mode helps"]


def _wrong(jobs: Sequence[Job]) -> list[str]:
    """What is wrong with an instance, by its remediations since the last one that cured it."""
    records = [job.remediation for job in jobs]
    cured = max((record.end_time for record in records if record.end_time and record.state in CURES), default=None)
    since = [record for record in records if not (cured and record.end_time and record.end_time <= cured)]
    alerts = {
        f"{alert.alert_name}: {alert.annotation.summary_line if alert.annotation else 'firing'}": None
        for record in since
        for alert in record.linked_alerts or ()
        if alert.resolved_at is None
    }
    failed = [record for record in since if record.state == RemediationState.FAILED]
    waiting = [record for record in since if record.state == RemediationState.PENDING_APPROVAL]
    return [
        *alerts,
        *(f"{record.mode.short} failed: {record.error_message or 'no reason given'}" for record in failed[-1:]),
        *(f"{record.mode.short} waits for approval" for record in waiting),
    ]


def _told(behaviour: Behaviour) -> str:
    told = behaviour.model_dump(exclude_none=True)
    outcome: Outcome | None = told.pop("outcome", None)
    words = [OUTCOMES[outcome]] if outcome else []
    words += [f"{name} {value} s" for name, value in told.items() if name != "error_message"]
    return ", ".join(words)


def _natural(text: str | None) -> list[Any]:
    """Sorts `node-10` after `node-9`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", text or "")]


def _urgency(one: Condition) -> int:
    """What is wrong comes first, then what is under repair, and last what is gone."""
    if one.node.instance_id is None:
        return 3
    return 0 if one.wrong else 1 if one.repairs else 2


SORTS: dict[str, Callable[[Condition], Any]] = {
    "what is wrong": lambda one: (_urgency(one), one.node.number),
    "instance": lambda one: (one.node.instance_id is None, _natural(one.node.instance_id)),
    "host": lambda one: _natural(one.node.host_name),
    "status": lambda one: (one.status, one.node.number),
}
"""The orders in which the page can show nodes; the first is the default."""
