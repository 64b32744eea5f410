"""Runs the sides and workloads that the command line asks for, one after the other, and writes the figures."""

from __future__ import annotations

import argparse
import json
import platform as machine
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

import psutil

from waiting import core, engine, vendor
from waiting.figures import Figures, figures
from waiting.meter import Meter
from waiting.outcome import SIMULATOR, Outcome
from waiting.platform import BENCHMARKS, Platform, platform
from waiting.preview import PreviewFigures, preview_figures
from waiting.report import preview_line, table, target_table
from waiting.sides import DYNAMIC, LOOP, PLUGIN, UP
from waiting.targets import Target, targets
from waiting.workload import HALF, LARGER_PAGE, MANY, MEDIAN, PAGE, POLL_INTERVAL, SPREAD, Workload

OUT = BENCHMARKS / "out" / "many.json"
PICTURE = BENCHMARKS.parent / "docs" / "images" / "many-requests.png"
SPEEDS = {1: 20.0, 10: 20.0, 100: 10.0, HALF: 4.0, MANY: 2.0, 10 * MANY: 1.0}
"""The clock's speed for a number of remediations, the same for every side. It is chosen so that the loop over the
vendor's client needs no more than about half a core, and the simulator neither."""
SPEED_WITHOUT_LOOP = 4.0
"""The clock's speed for 1000 in several clusters, without that loop: more clusters make no difference to it."""
ALL_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Side:
    """A way of doing the work."""

    run: Callable[[Workload, Platform, Meter], Outcome]
    at_once: int = ALL_AT_ONCE
    """How many remediations the side can have under way at once."""
    most: int = ALL_AT_ONCE
    """The largest number of remediations that it is measured with."""


SIDES = {
    # The engine saves the stack with every resource: ten engines would take the cores and the disk for themselves.
    UP: Side(engine.run_plugin, most=MANY),
    # pulumi.dynamic does 4 things at once: 1000 remediations would take it a day of simulated time.
    DYNAMIC: Side(engine.run_dynamic, at_once=4, most=10),
    # Ten times this many requests are more than two cores can handle.
    LOOP: Side(vendor.run, most=MANY),
    PLUGIN: Side(core.run),
}


def measure(side: str, workload: Workload) -> Figures:
    """Measures one side with one workload, on a simulator of its own."""
    with platform(workload) as api, Meter() as meter:
        meter.watch(SIMULATOR, api.simulator.process)
        outcome = SIDES[side].run(workload, api, meter)
        return figures(side, workload, min(workload.count, SIDES[side].at_once), outcome, api, meter)


def planned(
    counts: Sequence[int],
    clusters: Sequence[int],
    pages: Sequence[int],
    sides: Sequence[str],
    speed: float | None,
) -> Iterator[tuple[str, Workload]]:
    """The runs, in order. `speed`, if given, applies to all."""
    for count in counts:
        processes = ceil(count / MANY)
        for number in clusters if processes == 1 else [processes]:
            spread_many = count == MANY and number > 1
            own_speed = SPEED_WITHOUT_LOOP if spread_many else SPEEDS[max(step for step in SPEEDS if step <= count)]
            for page in pages:
                work = Workload(count, number, speed or own_speed, processes, page)
                yield from ((side, work) for side in sides if _makes_sense(side, work))


def _makes_sense(side: str, work: Workload) -> bool:
    """Whether a side can do the work, and the run shows something that no other run shows."""
    # What larger pages and more clusters change, and how memory grows, is the plugin's own: the engine adds nothing.
    of_the_plugin_alone = work.page != PAGE or work.clusters != work.processes or work.count == HALF
    if of_the_plugin_alone and side != PLUGIN:
        return False
    if work.count == HALF and work.clusters > 1:
        return False
    if work.page != PAGE and (work.clusters > 1 or work.count != MANY):
        return False
    return work.clusters <= work.count <= SIDES[side].most


def _minutes(run: tuple[str, Workload]) -> float:
    """How long the remediations of a run take at least, in real minutes."""
    side, work = run
    return work.ideal(SIDES[side].at_once) / work.speed / 60


def main(parser: argparse.ArgumentParser) -> int:
    """The command: prints the tables, writes the JSON; 1 if a target is missed or a remediation did not return."""
    counts = [1, 10, 100, HALF, MANY, 10 * MANY]
    parser.add_argument("--n", type=_numbers, default=counts, metavar="N,N", help="numbers of remediations")
    parser.add_argument("--clusters", type=_numbers, default=[1, 10], metavar="N,N", help="numbers of clusters")
    pages = [PAGE, LARGER_PAGE]
    parser.add_argument("--pages", type=_numbers, default=pages, metavar="N,N", help="largest page sizes of the server")
    parser.add_argument("--sides", type=_sides, default=list(SIDES), metavar="S,S")
    parser.add_argument("--speed", type=float, help="simulated seconds per second (default: by the number)")
    parser.add_argument("--no-preview", action="store_true", help="leave out the time of pulumi preview")
    parser.add_argument("--out", type=Path, default=OUT, help="the JSON file (default: benchmarks/out/many.json)")
    parser.add_argument("--plot", action="store_true", help=f"also draw {PICTURE.relative_to(BENCHMARKS.parent)}")
    options = parser.parse_args()
    plan = list(planned(options.n, options.clusters, options.pages, options.sides, options.speed))
    print(f"the remediations take {sum(map(_minutes, plan)):.0f} minutes", file=sys.stderr)
    runs: list[Figures] = []
    for side, workload in plan:
        print(
            f"{side}: {workload.count} in {workload.clusters}, pages of {workload.page}, speed {workload.speed:g}: "
            f"{_minutes((side, workload)):.1f} minutes and the start",
            file=sys.stderr,
            flush=True,
        )
        runs.append(measure(side, workload))
        _write(options.out, runs)  # a failure later on does not lose an hour of measurements
    preview = None if options.no_preview else preview_figures(min(MANY, max(options.n)))
    found = targets(runs, preview)
    print(table(runs))
    if preview:
        print("\n" + preview_line(preview))
    if found:
        print("\n" + target_table(found))
    lost = [f"{run.side}, {run.count} in {run.clusters}: {run.failures}" for run in runs if run.returned < run.count]
    for line in lost:
        print(f"\nnot all returned: {line}")
    _write(options.out, runs, preview, found)
    if options.plot:
        from waiting.plot import plot  # the plotting library takes long to import

        plot(runs, PICTURE)
    return int(bool(lost) or not all(target.met for target in found))


def _write(
    out: Path, runs: Sequence[Figures], preview: PreviewFigures | None = None, targets: Sequence[Target] = ()
) -> None:
    written = {
        "python": machine.python_version(),
        "cores": psutil.cpu_count(),
        "seconds of a remediation": {"median": MEDIAN, "spread": SPREAD},
        "seconds between two looks": POLL_INTERVAL,
        "runs": [asdict(run) for run in runs],
        "preview": preview and asdict(preview),
        "targets": [asdict(target) | {"met": target.met} for target in targets],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(written, indent=1) + "\n")


def _sides(text: str) -> list[str]:
    sides = text.split(",")
    if unknown := set(sides) - set(SIDES):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: write some of {', '.join(SIDES)}")
    return sides


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]
