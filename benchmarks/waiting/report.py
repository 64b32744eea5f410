"""The figures for people: Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from waiting.figures import Figures, in_poll_intervals
from waiting.preview import PreviewFigures
from waiting.sides import NAMES
from waiting.targets import Target

_HEAD = (
    "N",
    "clusters",
    "processes",
    "page",
    "side",
    "speed",
    "requests",
    "floor",
    "each",
    "highest /s",
    "returned",
    "last POST s",
    "beyond ideal s",
    "delay p50 s",
    "p99 s",
    "p99 polls",
    "CPU s",
    "of a core, waiting",
    "peak MiB",
    "KiB each, waiting",
    "engine CPU s",
    "simulator's core",
)


def table(runs: Iterable[Figures]) -> str:
    """A row for each side and workload."""
    return _markdown(_HEAD, [_row(run) for run in runs])


def target_table(targets: Iterable[Target]) -> str:
    """A row for each target."""
    rows = [
        (target.what, f"{target.figure:.3g}", f"{target.limit:.3g}", "yes" if target.met else "NO")
        for target in targets
    ]
    return _markdown(("target", "figure", "at most", "met"), rows)


def preview_line(preview: PreviewFigures) -> str:
    """How long the previews take."""
    return (
        f"pulumi preview of {preview.count} unchanged remediations: {preview.preview:.1f} s; "
        f"of {preview.count} resources of a plugin that does nothing, with records as large: "
        f"{preview.do_nothing:.1f} s (medians of {preview.runs}, ratio {preview.ratio:.2f})"
    )


def _row(run: Figures) -> Sequence[str]:
    return (
        str(run.count),
        str(run.clusters),
        str(run.processes),
        str(run.page),
        f"{run.side}: {NAMES[run.side]}",
        f"{run.speed:g}",
        str(run.requests),
        f"{run.floor:.0f}",
        f"{run.requests_per_remediation:.1f}",
        str(run.highest_requests_per_second),
        str(run.returned),
        f"{run.until_last_post:.1f}",
        f"{run.beyond_ideal:.1f}",
        f"{run.delay_p50:.1f}",
        f"{run.delay_p99:.1f}",
        f"{in_poll_intervals(run.delay_p99):.2f}",
        f"{run.cpu_seconds:.1f}",
        _optional(run.waiting_cpu_share, "{:.1%}"),
        f"{run.peak_memory_mib:.0f}",
        _optional(run.memory_per_waiting_kib, "{:.0f}") if run.count >= 100 else "",
        f"{run.engine_cpu_seconds:.1f}" if run.engine_cpu_seconds else "",
        f"{run.simulator_share:.0%}",
    )


def _optional(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])
