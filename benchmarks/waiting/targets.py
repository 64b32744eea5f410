"""What the provider has to keep to, as ratios and figures of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from waiting.figures import Figures, in_poll_intervals
from waiting.preview import PreviewFigures
from waiting.workload import LENGTH, POLL_INTERVAL

MANY = 1000
FEWER = 100
PAGE = 100
"""Remediations per page of a list."""
PAGES = (ceil(MANY / PAGE) - ceil(FEWER / PAGE)) * LENGTH / POLL_INTERVAL
"""How many more pages the shared polls of MANY have than those of FEWER."""


@dataclass(frozen=True)
class Target:
    """A figure and the most that it may be."""

    what: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether it is kept to."""
        return self.figure <= self.limit


def targets(runs: Sequence[Figures], preview: PreviewFigures | None) -> list[Target]:
    """Those of the targets that the run has the figures for."""
    by_key = {(run.side, run.count): run for run in runs if run.clusters == 1}
    found: list[Target] = []
    for side in "ad":
        if run := by_key.get((side, MANY)):
            found += _of_side(run, by_key.get((side, FEWER)), by_key.get(("c", MANY)))
    if preview is not None:
        what = f"pulumi preview of {preview.count} unchanged, as a multiple of a plugin that does nothing"
        found.append(Target(what, preview.ratio, 1.3))
    return found


def _of_side(run: Figures, fewer: Figures | None, loop: Figures | None) -> Iterator[Target]:
    side = run.side
    yield Target(f"{side}: remediations that never returned", run.count - run.returned, 0)
    if loop is not None:
        yield Target(f"{side}: requests, as a part of c's", run.requests / loop.requests, 1 / 20)
    unshared = run.requests - run.requests_by_kind.get("LIST of a cluster", 0)
    yield Target(f"{side}: requests per remediation, without the shared polls", unshared / run.count, 2.3)
    if fewer is not None:
        multiple = (run.polling_requests - PAGES) / fewer.polling_requests
        yield Target(f"{side}: polling requests, as a multiple of those at {FEWER}, pages apart", multiple, 1.5)
    yield Target(f"{side}: delay p99, in poll intervals", in_poll_intervals(run.delay_p99), 1.5)
    if side == "d":  # on the engine, most of it is the engine's own
        yield Target(f"{side}: time beyond the ideal, as a part of it", run.beyond_ideal / run.ideal, 0.1)
    if run.memory_per_waiting_kib is not None:
        yield Target(f"{side}: KiB of memory per waiting remediation", run.memory_per_waiting_kib, 60)
    if run.waiting_cpu_share is not None:
        yield Target(f"{side}: share of one core while all wait", run.waiting_cpu_share, 0.05)
