"""Draws a simulated day: nodes over time, states as colours."""

# pyright: basic

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.patches import Patch

from tests.chaos.day import Day, Span

matplotlib.use("Agg")
COLOURS = {
    "works": "#e8efe8",
    "something is wrong": "#e0a100",
    "under repair by a program": "#2a6fbb",
    "under repair by a person": "#7b4fa3",
    "the repair failed": "#b5322b",
}


def draw(day: Day, path: Path) -> None:
    """The day as a picture: nodes over time, states as colours."""
    figure, axes = plt.subplots(figsize=(11, 5.2))

    def bar(span: Span, colour: str, height: float) -> None:
        begin = (span.begin - day.began).total_seconds() / 3600
        length = (span.end - span.begin).total_seconds() / 3600
        axes.barh(span.node, max(length, 0.04), left=begin, height=height, color=COLOURS[colour])

    for number in day.status:
        bar(Span(number, day.began, day.ended, ""), "works", 0.8)
    for fault in day.faults:
        bar(fault, "something is wrong", 0.8)
    for repair in day.repairs():
        failed = repair.remediation["state"] == "FAILED"
        bar(repair, "the repair failed" if failed else f"under repair by a {repair.what}", 0.8)
    axes.set_yticks(list(day.status), [f"node-{number}" for number in day.status], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, (day.ended - day.began).total_seconds() / 3600)
    axes.set_xlabel("hours")
    axes.set_title(
        f"A simulated day: {day.runs} runs of two pipelines, {day.killed} of them killed, {day.halted} halted by "
        "maxUnhealthy",
        fontsize=10,
    )
    axes.legend(
        handles=[Patch(color=colour, label=name) for name, colour in COLOURS.items()],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncol=5,
        fontsize=8,
        frameon=False,
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
