"""What the console page shows of the platform, as HTML. The page fetches it again whenever something has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from pulumi_resource_togetherai.api.enums import CANCELLABLE_STATES, RemediationState
from togetherai_simulator.conditions import SORTS, Condition, condition, in_short, repairs
from togetherai_simulator.faults import Faults
from togetherai_simulator.fleet import Cluster
from togetherai_simulator.html import render
from togetherai_simulator.job import Job
from togetherai_simulator.journal import Entry, Journal
from togetherai_simulator.platform import Platform

SHOWN = 100
"""How many remediations the page shows: first those that have not ended, then the newest of the others."""
NEWEST = 5
"""How many of those that have ended it shows unfolded."""
PAST = 10
"""How many of a node's remediations it shows, of the newest."""
REQUESTS = 100
"""How many of the latest requests it looks at. Those in a row that differ only in their time are one line."""
LINES = 20
"""How many lines of requests it shows."""


@dataclass(frozen=True)
class Look:
    """What a person wants to see of a cluster."""

    find: str = ""
    """Only what has this text in it, in upper or lower case."""
    sort: str = next(iter(SORTS))
    """The order of the nodes: one of `SORTS`; the default in place of what is none."""


@dataclass(frozen=True)
class Shown:
    """A remediation on the page."""

    job: Job
    actions: list[str]
    """What a person can do with it."""
    reviewed: str
    """Who said what to its proposal; empty if nobody did."""
    beside: str
    """The node's other remediations that are under way, in short."""


def render_cluster(platform: Platform, faults: Faults, journal: Journal, cluster: Cluster, look: Look) -> str:
    """The changing part of the page, for one cluster."""
    conditions = [condition(platform, cluster, node) for node in cluster.nodes]
    conditions.sort(key=SORTS.get(look.sort, SORTS[Look.sort]))
    active = platform.active_jobs(cluster.cluster_id)[::-1]
    waiting = [job for job in active if _waits(job) and _has(look, _words_of(job))]
    under_way = [job for job in active if not _waits(job) and _has(look, _words_of(job))]
    ended = (
        job
        for job in reversed(platform.jobs(cluster.cluster_id))
        if job.remediation.terminal and _has(look, _words_of(job))
    )

    def show(job: Job) -> Shown:
        of_its_node = repairs(platform.active_jobs(cluster.cluster_id, job.remediation.instance_id))
        return Shown(job, _actions(job), _reviewed(job), in_short([one for one in of_its_node if one is not job]))

    shown = [show(job) for job in islice(ended, max(0, SHOWN - len(active)))]
    return render(
        "cluster.html",
        shown=cluster.cluster_id,
        clusters={name: sum(map(_waits, platform.active_jobs(name))) for name in platform.clusters},
        faults=faults.rules,
        settings=platform.settings,
        look=look,
        past=PAST,
        nodes=[one for one in conditions if _has(look, _words_of_node(one))],
        all_nodes=len(conditions),
        waiting=list(map(show, waiting[:SHOWN])),
        under_way=list(map(show, under_way[:SHOWN])),
        ended=shown[:NEWEST],
        earlier=shown[NEWEST:],
        requests=_in_lines(journal.latest(REQUESTS))[:LINES],
    )


def _waits(job: Job) -> bool:
    """Whether it waits for approval."""
    return job.remediation.state == RemediationState.PENDING_APPROVAL


def _actions(job: Job) -> list[str]:
    review = ["approve", "reject"] if _waits(job) else []
    return [*review, "cancel"] if job.remediation.state in CANCELLABLE_STATES else review


def _reviewed(job: Job) -> str:
    """Who approved or rejected the proposal, and with which comment. The API's record says only who reviewed it."""
    record = job.remediation
    if not record.reviewed_by:
        return ""
    before = [moment.state for moment in job.timeline][-2:-1]
    rejected = record.state == RemediationState.CANCELLED and before == [RemediationState.PENDING_APPROVAL]
    verdict = f"{'Rejected' if rejected else 'Approved'} by {record.reviewed_by}"
    return f"{verdict}: {record.review_comment}" if record.review_comment else verdict


def _has(look: Look, words: Sequence[str | None]) -> bool:
    return not look.find or any(look.find.casefold() in word.casefold() for word in words if word)


def _words_of(job: Job) -> list[str | None]:
    record = job.remediation
    alerts = [alert.alert_name for alert in record.linked_alerts or ()]
    return [record.instance_id, record.mode, record.state, record.reason, record.error_message, record.id, *alerts]


def _words_of_node(one: Condition) -> list[str | None]:
    return [one.node.instance_id, one.node.name, one.node.host_name, one.status, one.repairs, one.told, *one.wrong]


def _in_lines(entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
    """Requests, newest first, each with how many like it came in a row: whoever waits asks the same again and again."""
    rows = [list(alike) for _, alike in groupby(reversed(entries), key=Entry.same)]
    return [(row[0], len(row)) for row in rows]
