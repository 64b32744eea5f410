"""The targets that the provider must meet, as ratios and figures of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from waiting.figures import Figures, in_poll_intervals
from waiting.preview import PreviewFigures
from waiting.sides import LOOP, PLUGIN, UP
from waiting.workload import HALF, LARGER_PAGE, MANY, PAGE

FEWER = 100
KIB = 1 / 1024
"""In MiB."""


@dataclass(frozen=True)
class Target:
    """A figure and the most that it may be."""

    what: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the figure meets the target."""
        return self.figure <= self.limit


ByKey = Mapping[tuple[str, int, int], Figures]
"""The runs in one cluster for each process, by side, number of remediations and page."""


def targets(runs: Sequence[Figures], preview: PreviewFigures | None) -> list[Target]:
    """The targets for which the runs have figures."""
    by_key = {(run.side, run.count, run.page): run for run in runs if run.clusters == run.processes}
    found: list[Target] = []
    for count, page in ((FEWER, PAGE), (MANY, PAGE), (MANY, LARGER_PAGE)):
        for side in (UP, PLUGIN):
            if run := by_key.get((side, count, page)):
                found += _of_side(run, by_key.get((LOOP, count, PAGE)))
    found += _slope(by_key)
    found += [target for run in runs if run.count > MANY for target in _of_fleet(run, by_key)]
    if preview is not None:
        what = f"pulumi preview of {preview.count} unchanged, as a multiple of a plugin that does nothing"
        found.append(Target(what, preview.ratio, 1.3))
    return found


def _of_side(run: Figures, loop: Figures | None) -> Iterator[Target]:
    name = _name(run)
    yield Target(f"{name}: remediations that never returned", run.count - run.returned, 0)
    if loop is not None:
        yield Target(f"{name}: requests, as a part of the loop's", run.requests / loop.requests, 1 / 10)
        yield Target(f"{name}: delay p99, as a part of the loop's", run.delay_p99 / loop.delay_p99, 1)
    yield Target(f"{name}: delay p99, in poll intervals", in_poll_intervals(run.delay_p99), 1)
    if run.count < MANY:
        return
    unshared = run.requests - run.requests_by_kind.get("poll of a cluster", 0)
    yield Target(f"{name}: requests per remediation, without the shared polls", unshared / run.count, 2.3)
    multiple = run.polling_requests / run.pages
    yield Target(f"{name}: polling requests, as a multiple of the pages of what is active", multiple, _ENDED[run.page])
    if run.side == PLUGIN:  # on the engine, most of it is the engine's own
        yield Target(f"{name}: time beyond the ideal, as a part of it", run.beyond_ideal / run.ideal, 0.1)
    yield from _cpu(run, loop)


_ENDED = {PAGE: 1.5, LARGER_PAGE: 2.5}
"""What has just ended is one more list. Where what is active is one page, it is as long."""


def _slope(by_key: ByKey) -> Iterator[Target]:
    """What one more wait takes. What does not grow with their number, such as the HTTP client, is not in it."""
    half, many = by_key.get((PLUGIN, HALF, PAGE)), by_key.get((PLUGIN, MANY, PAGE))
    if half is None or many is None or half.waiting_memory_mib is None or many.waiting_memory_mib is None:
        return
    each = (many.waiting_memory_mib - half.waiting_memory_mib) / (MANY - HALF) / KIB
    yield Target(f"{PLUGIN}: KiB of memory for each wait more, from {HALF} to {MANY}", each, 36)


def _of_fleet(run: Figures, by_key: ByKey) -> Iterator[Target]:
    """The targets of several processes, each with as many remediations as a single process is measured with."""
    name = _name(run)
    yield Target(f"{name}: remediations that never returned", run.count - run.returned, 0)
    if one := by_key.get((run.side, MANY, run.page)):
        multiple = run.requests_per_remediation / one.requests_per_remediation
        yield Target(f"{name}: requests per remediation, as a multiple of those at {MANY}", multiple, 1.1)
    yield Target(f"{name}: delay p99, in poll intervals", in_poll_intervals(run.delay_p99), 1)
    if run.memory_per_waiting_kib is not None:
        yield Target(f"{name}: KiB of memory per waiting remediation", run.memory_per_waiting_kib, 60)
    yield from _cpu(run, by_key.get((LOOP, MANY, PAGE)))


def _cpu(run: Figures, loop: Figures | None) -> Iterator[Target]:
    if run.waiting_cpu_share is not None and loop is not None and loop.waiting_cpu_share is not None:
        what = f"{_name(run)}: CPU time while all wait, per process, as a part of the loop's"
        yield Target(what, run.waiting_cpu_share / run.processes / loop.waiting_cpu_share, 1 / 4)


def _name(run: Figures) -> str:
    """The side and the number, with the number of processes and the page size if they are not the usual ones."""
    processes = f" in {run.processes} processes" if run.processes > 1 else ""
    return f"{run.side}, {run.count}{processes}" + (f", pages of {run.page}" if run.page != PAGE else "")
