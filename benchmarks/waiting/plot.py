"""The figures as a picture that is readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from waiting.figures import Figures, in_poll_intervals
from waiting.sides import DYNAMIC, LOOP, NAMES, PLUGIN, UP
from waiting.workload import LARGER_PAGE, PAGE

INK = "#7d8590"
"""The color of lines and words: a gray with enough contrast on white and on black."""
COLOURS = {UP: "#2f81f7", DYNAMIC: "#a371f7", LOOP: "#e5534b", PLUGIN: "#3fb950"}
MARKS = {UP: "o", DYNAMIC: "s", LOOP: "X", PLUGIN: "^"}


def _requests(run: Figures) -> float:
    return run.requests


_PANELS: tuple[tuple[str, Literal["log", "linear"], Callable[[Figures], float | None]], ...] = (
    ("API requests", "log", _requests),
    ("delay p99, poll intervals", "linear", lambda run: in_poll_intervals(run.delay_p99)),
    ("CPU seconds per 1000 simulated", "log", lambda run: 1000 * run.cpu_seconds / run.total if run.total else None),
    ("peak memory, MiB", "log", lambda run: run.peak_memory_mib),
)


def plot(runs: Sequence[Figures], picture: Path) -> None:
    """Draws the sides over the number of remediations, in one cluster or in one cluster for each process."""
    with mpl.rc_context(  # pyright: ignore[reportUnknownMemberType]
        {
            "font.size": 9,
            "text.color": INK,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    ):
        figure = Figure(figsize=(9, 6.8), layout="constrained")
        grid: Any = figure.subplots(2, 2)
        for axes, (title, scale, value) in zip(grid.flat, _PANELS, strict=True):
            for side, name in NAMES.items():
                own = [run for run in runs if run.side == side and run.clusters == run.processes]
                _draw(axes, [run for run in own if run.page == PAGE], value, COLOURS[side], MARKS[side], name)
                if value is _requests:
                    larger = {run.count: run for run in own if run.page in (PAGE, LARGER_PAGE)}
                    if any(run.page == LARGER_PAGE for run in larger.values()):
                        label = f"{name}, pages of {LARGER_PAGE}"
                        _draw(axes, list(larger.values()), value, COLOURS[side], MARKS[side], label, "--")
            if value is _requests:
                least = {run.count: run for run in runs if run.page == PAGE}
                _draw(axes, list(least.values()), lambda run: run.floor, INK, "", "floor: POSTs + changes / page", ":")
            axes.set(title=title, xscale="log", yscale=scale, xlabel="remediations at once (10,000: in ten processes)")
            if scale == "linear":
                axes.set_ylim(bottom=0)
            axes.grid(color=INK, alpha=0.25, linewidth=0.5)
            axes.patch.set_alpha(0)
            axes.spines[["top", "right"]].set_visible(False)
        lines, names = grid[0][0].get_legend_handles_labels()
        figure.legend(  # pyright: ignore[reportUnknownMemberType]
            lines, names, loc="outside lower center", ncols=3, frameon=False, labelcolor=INK
        )
        picture.parent.mkdir(parents=True, exist_ok=True)
        # With matplotlib's version in it, the picture would differ after each update.
        metadata = {"Software": None}
        figure.savefig(picture, dpi=130, transparent=True, metadata=metadata)  # pyright: ignore[reportUnknownMemberType]


def _draw(
    axes: Any,
    runs: Sequence[Figures],
    value: Callable[[Figures], float | None],
    colour: str,
    mark: str,
    label: str,
    line: str = "-",
) -> None:
    """A line through the runs, the smallest number first."""
    drawn = [(run.count, value(run)) for run in sorted(runs, key=lambda run: run.count) if value(run) is not None]
    if drawn:
        axes.plot(*zip(*drawn, strict=True), color=colour, marker=mark, linestyle=line, label=label)
