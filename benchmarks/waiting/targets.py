"""The targets that the provider must meet, as ratios and figures of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from waiting.figures import Figures, in_poll_intervals
from waiting.preview import PreviewFigures
from waiting.workload import LARGER_PAGE, LENGTH, MANY, PAGE, POLL_INTERVAL

FEWER = 100


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


def targets(runs: Sequence[Figures], preview: PreviewFigures | None) -> list[Target]:
    """The targets for which the runs have figures."""
    by_key = {(run.side, run.count, run.page): run for run in runs if run.clusters == run.processes}
    found: list[Target] = []
    for page in (PAGE, LARGER_PAGE):
        for side in "ad":
            if run := by_key.get((side, MANY, page)):
                found += _of_side(run, by_key.get((side, FEWER, PAGE)), by_key.get(("c", MANY, PAGE)))
    found += [target for run in runs if run.count > MANY for target in _of_fleet(run, by_key)]
    if preview is not None:
        what = f"pulumi preview of {preview.count} unchanged, as a multiple of a plugin that does nothing"
        found.append(Target(what, preview.ratio, 1.3))
    return found


def _of_side(run: Figures, fewer: Figures | None, loop: Figures | None) -> Iterator[Target]:
    side = _name(run)
    yield Target(f"{side}: remediations that never returned", run.count - run.returned, 0)
    if loop is not None:
        yield Target(f"{side}: requests, as a part of c's", run.requests / loop.requests, 1 / 20)
    unshared = run.requests - run.requests_by_kind.get("poll of a cluster", 0)
    yield Target(f"{side}: requests per remediation, without the shared polls", unshared / run.count, 2.3)
    if fewer is not None:
        more_pages = (ceil(MANY / run.page) - ceil(FEWER / run.page)) * LENGTH / POLL_INTERVAL
        multiple = (run.polling_requests - more_pages) / fewer.polling_requests
        yield Target(f"{side}: polling requests, as a multiple of those at {FEWER}, pages apart", multiple, 1.5)
    yield Target(f"{side}: delay p99, in poll intervals", in_poll_intervals(run.delay_p99), 1.5)
    if run.side == "d":  # on the engine, most of it is the engine's own
        yield Target(f"{side}: time beyond the ideal, as a part of it", run.beyond_ideal / run.ideal, 0.1)
    yield from _while_waiting(run)


def _of_fleet(run: Figures, by_key: Mapping[tuple[str, int, int], Figures]) -> Iterator[Target]:
    """The targets of several processes, each with as many remediations as a single process is measured with."""
    side = _name(run)
    yield Target(f"{side}: remediations that never returned", run.count - run.returned, 0)
    if one := by_key.get((run.side, MANY, run.page)):
        multiple = run.requests_per_remediation / one.requests_per_remediation
        yield Target(f"{side}: requests per remediation, as a multiple of those at {MANY}", multiple, 1.1)
    yield Target(f"{side}: delay p99, in poll intervals", in_poll_intervals(run.delay_p99), 1.5)
    yield from _while_waiting(run)


def _while_waiting(run: Figures) -> Iterator[Target]:
    side = _name(run)
    if run.memory_per_waiting_kib is not None:
        yield Target(f"{side}: KiB of memory per waiting remediation", run.memory_per_waiting_kib, 60)
    if run.waiting_cpu_share is not None:
        yield Target(
            f"{side}: share of one core while all wait, per process", run.waiting_cpu_share / run.processes, 0.05
        )


def _name(run: Figures) -> str:
    """The side, with the number of processes and the page size if they are not the usual ones."""
    processes = f", {run.count} in {run.processes} processes" if run.processes > 1 else ""
    return f"{run.side}{processes}" + (f", pages of {run.page}" if run.page != PAGE else "")
