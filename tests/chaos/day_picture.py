"""Draws a simulated day: nodes over time, states as colours, and beside each fault what was done about it."""

# pyright: basic

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.patches import Patch

from tests.chaos.day import MOST, UNHEALTHY, Day, Span

matplotlib.use("Agg")
COLOURS = {
    "works": "#e8efe8",
    "something is wrong": "#e0a100",
    "under repair by a program": "#2a6fbb",
    "under repair by a person": "#7b4fa3",
    "a repair that failed": "#b5322b",
}
FAULTS = {"broken": "down", "xid": "Xid", "gpu_lost": "lost GPU"}
LATE = 0.5
"""The share of the day after which what is said of a fault stands to its left."""


def draw(day: Day, path: Path) -> None:
    """The day as a picture."""
    figure, axes = plt.subplots(figsize=(12, 6.2))

    def hours(span: Span) -> tuple[float, float]:
        begin, end = ((time - day.began).total_seconds() / 3600 for time in (span.begin, span.end))
        return begin, end

    def bar(span: Span, colour: str) -> None:
        begin, end = hours(span)
        axes.barh(span.node, max(end - begin, 0.04), left=begin, height=0.8, color=COLOURS[colour])

    length, _ = hours(Span(0, day.ended, day.ended, ""))
    for number in day.status:
        bar(Span(number, day.began, day.ended, ""), "works")
    for fault in day.faults:
        bar(fault, "something is wrong")
    for repair in day.repairs():
        failed = repair.remediation["state"] == "FAILED"
        bar(repair, "a repair that failed" if failed else f"under repair by a {repair.what}")
    for fault in day.faults:
        begin, end = hours(fault)
        after = [hours(one)[1] for one in day.repairs() if one.node == fault.node and 0 <= hours(one)[0] - begin <= 3]
        late = begin > LATE * length
        where = begin - 0.15 if late else max(end, *after, 0) + 0.15
        axes.text(where, fault.node, told(day, fault), fontsize=8, va="center", ha="right" if late else "left")
    axes.set_yticks(list(day.status), [f"node {number}" for number in day.status], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, length)
    axes.set_xticks(range(0, int(length) + 1, 2), [f"{hour:02}:00" for hour in range(0, int(length) + 1, 2)])
    axes.set_xlabel("time of the simulated day")
    axes.set_title(
        f"What a policy did in a day: {day.runs} runs of two pipelines, {day.killed} of them killed. "
        f"At most {MOST} nodes are repaired at once;\nmore than {UNHEALTHY} unhealthy ones halt it, as they did in "
        f"{day.halted} runs. After three repairs a node is a person's",
        fontsize=11,
        loc="left",
    )
    axes.legend(
        handles=[Patch(color=colour, label=name) for name, colour in COLOURS.items()],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncol=5,
        fontsize=9,
        frameon=False,
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def told(day: Day, fault: Span) -> str:
    """What was wrong, and what was done about it."""
    repairs = [one for one in day.repairs() if one.node == fault.node and fault.begin <= one.begin <= fault.end]
    if not repairs:
        beside = sum(other.begin < fault.end and fault.begin < other.end for other in day.faults)
        nothing = f"nothing begun, as {beside} are unhealthy" if beside > UNHEALTHY else "gone by itself"
        return f"{FAULTS[fault.what]}: {nothing}"
    steps = ", ".join(
        f"{number} × {what}" if (number := len(list(alike))) > 1 else what
        for what, alike in groupby(map(step, repairs))
    )
    failed = all(one.remediation["state"] == "FAILED" for one in repairs)
    return f"{FAULTS[fault.what]}: {steps}{': all failed' if failed else ''}"


def step(repair: Span) -> str:
    """A repair in short."""
    mode = repair.remediation["mode"].removeprefix("REMEDIATION_MODE_")
    return f"{mode} (a person)" if repair.what == "person" else mode
