"""The report of a call: what became of each node, when, how long each state took, and why what failed failed.

As JSON for programs, and as one page for people: it holds all it needs, runs no script and asks for nothing.
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from progress import ClusterProgress, NodeProgress, Outcome, Progress
from pydantic import BaseModel

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.sanitize import sanitize

NEVER = datetime.max.replace(tzinfo=UTC)
PAUSE = timedelta(minutes=5)
"""A time in which nothing was under repair is shown on the page this long at the most: a night between two calls would
leave no room for anything else."""
ROOM = 40
"""How far apart times stand on the axis at least, in percent: they have room on a phone."""


class Phase(BaseModel):
    """A state that a remediation was in."""

    state: str
    start: datetime
    seconds: float

    @property
    def end(self) -> datetime:
        """When it was left."""
        return self.start + timedelta(seconds=self.seconds)


class NodeReport(BaseModel):
    """What became of a node."""

    node: str
    """The node, as the table names it."""
    outcome: str
    """repaired, failed, not started, under repair, or not begun."""
    mode: str
    incident: str
    remediation: str | None = None
    state: str | None = None
    """The remediation's state."""
    created: datetime | None = None
    ended: datetime | None = None
    phases: list[Phase] = []
    """The states that it was in, from its creation to its end."""
    why: str | None = None
    """Why it is not repaired."""

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """From its creation to its end, or to when it was last heard of."""
        if not self.phases:
            return None
        return self.phases[0].start, self.phases[-1].end


class ClusterReport(BaseModel):
    """What became of a cluster's nodes."""

    cluster: str
    problem: str | None
    """Why its run ended early."""
    counts: dict[str, int]
    nodes: list[NodeReport]


class Report(BaseModel):
    """What became of a call."""

    result: str
    """done, failed, halted or stopped."""
    said: str
    """The same in a sentence."""
    written: datetime
    """When, by this computer's clock. All other times are by the API's."""
    incidents: list[str]
    counts: dict[str, int]
    """How many nodes came to what."""
    clusters: list[ClusterReport]


def report(progress: Progress, *, result: str, said: str) -> Report:
    """The report of a call that has ended."""
    return Report(
        result=result,
        said=said,
        written=datetime.now(UTC),
        incidents=sorted({node.node.incident for node in progress.nodes}),
        counts=_counts(progress.counts()),
        clusters=[_cluster(cluster) for cluster in progress.clusters.values()],
    )


def write(report: Report, prefix: str) -> list[Path]:
    """Writes the report as JSON and as a page. Returns the files."""
    files = [Path(f"{prefix}.json"), Path(f"{prefix}.html")]
    files[0].parent.mkdir(parents=True, exist_ok=True)
    files[0].write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    files[1].write_text(page(report), encoding="utf-8")
    return files


def page(report: Report) -> str:
    """The report as an HTML page."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "duration": duration_text,
        "sanitize": sanitize,
        "time": lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
    }
    nodes = [(cluster.cluster, node) for cluster in report.clusters for node in cluster.nodes]
    spans = {cluster.cluster: [node.span for node in cluster.nodes if node.span] for cluster in report.clusters}
    return templates.get_template("report.html").render(
        report=report,
        problems=[cluster for cluster in report.clusters if cluster.problem],
        unrepaired=[(cluster, node) for cluster, node in nodes if node.why],
        whole=Axis(itertools.chain.from_iterable(spans.values())),
        axes={cluster: Axis(times) for cluster, times in spans.items()},
        modes=by_mode(node for _, node in nodes),
        states=sorted({phase.state for _, node in nodes for phase in node.phases}, key=_place),
    )


@dataclass(frozen=True)
class Took:
    """How long the repairs of one mode took that ended well, in seconds."""

    repaired: int
    states: dict[str, float]
    """The median of each state."""
    median: float
    most: float
    """Within this time 9 in 10 ended."""


def by_mode(nodes: Iterable[NodeReport]) -> dict[str, Took]:
    """How long the repairs took, by mode."""
    modes = defaultdict[str, list[NodeReport]](list)
    for node in nodes:
        if node.outcome == Outcome.REPAIRED.value and node.phases:
            modes[node.mode].append(node)
    return {mode: _took(modes[mode]) for mode in sorted(modes)}


def _took(nodes: Sequence[NodeReport]) -> Took:
    states = defaultdict[str, list[float]](list)
    for phase in itertools.chain.from_iterable(node.phases for node in nodes):
        states[phase.state].append(phase.seconds)
    whole = [sum(phase.seconds for phase in node.phases) for node in nodes]
    # Two at least, or there is nothing to divide.
    most = statistics.quantiles(whole * 2 if len(whole) == 1 else whole, n=10, method="inclusive")[-1]
    medians = {state: statistics.median(times) for state, times in states.items()}
    return Took(len(nodes), medians, statistics.median(whole), most)


def _place(state: str) -> int:
    """Where a state stands in a remediation's life."""
    known = list(RemediationState)
    return known.index(RemediationState(state)) if state in known else len(known)


class Axis:
    """Where moments stand on the page's time axis, in percent. Pauses are cut short."""

    def __init__(self, spans: Iterable[tuple[datetime, datetime]]) -> None:
        self.busy = list[tuple[datetime, datetime]]()
        """The times in which something was under repair."""
        for start, end in sorted(spans):
            if self.busy and start <= self.busy[-1][1] + PAUSE:
                self.busy[-1] = (self.busy[-1][0], max(end, self.busy[-1][1]))
            else:
                self.busy.append((start, end))
        worked = sum(((end - start) for start, end in self.busy), timedelta())
        self._length = (worked + PAUSE * (len(self.busy) - 1)) or timedelta(seconds=1)

    def at(self, moment: datetime) -> float:
        """Where a moment stands."""
        passed = timedelta()
        for start, end in self.busy:
            if moment <= end:
                passed += max(moment - start, timedelta())
                break
            passed += end - start + PAUSE
        return round(100 * passed / self._length, 3)

    @property
    def ends(self) -> list[datetime]:
        """The moments that the axis names: its both ends, and between them where work began again, as far as there is
        room for it."""
        if not self.busy:
            return []
        first, last = self.busy[0][0], self.busy[-1][1]
        named = [first]
        for start, _ in self.busy[1:]:
            if self.at(named[-1]) + ROOM <= self.at(start) <= 100 - ROOM:
                named.append(start)
        return [*named, last]

    def style(self, start: datetime, end: datetime) -> str:
        """The style of what stands there from a moment to another."""
        return f"left: {self.at(start)}%; width: {self.at(end) - self.at(start):.3f}%"


def phases(record: Remediation, seen: Sequence[tuple[str, float]]) -> list[Phase]:
    """The states of a remediation, each with how long it took. The API's record tells when it was created, began to run
    and ended; what lies between (QUARANTINING, QUARANTINED) it does not tell, so that is as it was `seen`."""
    if record.create_time is None:
        return []
    created = record.create_time
    end = (_ended(record) - created).total_seconds()
    begun = (record.start_time - created).total_seconds() if record.start_time else end
    told = (RemediationState.PENDING, RemediationState.RUNNING)
    moments: list[tuple[str, float]] = [(told[0], 0.0)]
    moments += [(state, min(after, begun)) for state, after in seen if state not in told and after < end]
    if record.start_time:
        moments.append((told[1], begun))
    moments.append(("", end))
    return [
        Phase(state=str(state), start=created + timedelta(seconds=after), seconds=round(until - after, 3))
        for (state, after), (_, until) in itertools.pairwise(moments)
        if until > after
    ]


def _ended(record: Remediation) -> datetime:
    """When it ended, or was last heard of."""
    times = (record.end_time, record.update_time, record.start_time, record.create_time)
    return next(time for time in times if time is not None)


def _cluster(cluster: ClusterProgress) -> ClusterReport:
    return ClusterReport(
        cluster=cluster.cluster,
        problem=cluster.problem,
        counts=_counts(cluster.counts()),
        nodes=sorted(map(_node, cluster.nodes.values()), key=lambda node: node.created or NEVER),
    )


def _node(progress: NodeProgress) -> NodeReport:
    node, record = progress.node, progress.record
    found = NodeReport(
        node=node.written,
        outcome=progress.outcome.value,
        mode=node.mode.short,
        incident=node.incident,
        why=progress.why,
    )
    if record is not None:
        found.remediation, found.state = record.id, str(record.state)
        found.created, found.ended = record.create_time, record.end_time
        found.phases = phases(record, progress.seen)
    return found


def _counts(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
