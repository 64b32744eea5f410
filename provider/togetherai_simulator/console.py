"""What the console page shows of the platform, as HTML. The page fetches it again whenever something has changed."""

from __future__ import annotations

from itertools import islice

from pulumi_resource_togetherai.api.enums import CANCELLABLE_STATES, RemediationState
from togetherai_simulator.faults import Faults
from togetherai_simulator.fleet import NODE_STATUS, Cluster, Node
from togetherai_simulator.html import render
from togetherai_simulator.job import Job
from togetherai_simulator.platform import Platform

SHOWN = 100
"""How many remediations the page shows: first those that have not ended, then the newest of the others."""


def render_cluster(platform: Platform, faults: Faults, cluster: Cluster) -> str:
    """The changing part of the page, for one cluster."""
    active = platform.active_jobs(cluster.cluster_id)[::-1]
    # Remediations that wait for approval come first.
    active.sort(key=lambda job: not _waits(job))
    all_ended = (job for job in reversed(platform.jobs(cluster.cluster_id)) if job.remediation.terminal)
    ended = islice(all_ended, max(0, SHOWN - len(active)))
    by_instance = {job.remediation.instance_id: job for job in reversed(active)}
    return render(
        "cluster.html",
        shown=cluster.cluster_id,
        clusters={name: sum(map(_waits, platform.active_jobs(name))) for name in platform.clusters},
        faults=faults.rules,
        settings=platform.settings,
        nodes=[(node, _status(node, by_instance)) for node in cluster.nodes],
        jobs=[(job, _actions(job)) for job in (*active[:SHOWN], *ended)],
    )


def _waits(job: Job) -> bool:
    """Whether it waits for approval."""
    return job.remediation.state == RemediationState.PENDING_APPROVAL


def _status(node: Node, active: dict[str, Job]) -> str:
    job = active.get(node.instance_id or "")
    return NODE_STATUS.get(job.remediation.state, "Ready") if job else "Ready"


def _actions(job: Job) -> list[str]:
    """What a person can do with it."""
    review = ["approve", "reject"] if _waits(job) else []
    return [*review, "cancel"] if job.remediation.state in CANCELLABLE_STATES else review
