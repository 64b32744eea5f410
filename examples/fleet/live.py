"""What a person sees while a call runs: one table that changes in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from progress import ClusterProgress, NodeProgress, Outcome, Progress
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pulumi_resource_togetherai.sanitize import quoted

ROWS = 12
"""How many clusters the table shows at the most; more would not fit a terminal, which shows no end of a table then."""
NODES = 4
"""How many nodes under repair a row names."""
COLOURS = {Outcome.REPAIRED: "green", Outcome.FAILED: "red", Outcome.REFUSED: "red", Outcome.UNDER_WAY: "yellow"}


@contextmanager
def showing(console: Console, progress: Progress, note: Callable[[], str]) -> Generator[None]:
    """Shows a call while it runs. `note` tells what the table's last line says."""
    if not console.is_terminal:
        progress.tell = lambda node: print(line(progress, node), flush=True)
        yield
        return
    started = time.monotonic()
    with Live(
        get_renderable=lambda: table(progress, note(), time.monotonic() - started),
        console=console,
        refresh_per_second=2,
    ):
        yield


def line(progress: Progress, node: NodeProgress) -> str:
    """What one change is, with how many nodes are done of how many."""
    counts = progress.counts()
    done = sum(counts[outcome] for outcome in (Outcome.REPAIRED, Outcome.FAILED, Outcome.REFUSED))
    why = f": {quoted(why)}" if (why := node.why) else ""
    return (
        f"[{done}/{counts.total()}] {node.node.cluster} {node.node.instance}: {node.state or node.outcome.value}{why}"
    )


def table(progress: Progress, note: str, seconds: float) -> RenderableType:
    """The clusters that are worked on, or had a failure, with what happens in each."""
    counts = progress.counts()
    shown = Table(
        title=_total(counts, seconds), caption=note, expand=True, title_justify="left", caption_justify="left"
    )
    shown.add_column("cluster", no_wrap=True)
    shown.add_column("", ratio=2, min_width=10)
    for heading in ("repaired", "failed", "left"):
        shown.add_column(heading, justify="right")
    shown.add_column("under repair", ratio=5, no_wrap=True)
    telling = sorted(progress.clusters.values(), key=_interest)
    for cluster in telling[:ROWS]:
        _row(shown, cluster)
    if more := telling[ROWS:]:
        shown.add_row(f"{len(more)} more", *[""] * 5, style="dim")
    return shown


def _interest(cluster: ClusterProgress) -> int:
    """Clusters with nodes under repair come first, then those that are not done, then those with failures."""
    counts = cluster.counts()
    if counts[Outcome.UNDER_WAY]:
        return 0
    if cluster.problem or counts[Outcome.FAILED] or counts[Outcome.REFUSED]:
        return 1
    return 2 if counts[Outcome.QUEUED] else 3


def _row(shown: Table, cluster: ClusterProgress) -> None:
    counts = cluster.counts()
    failed = counts[Outcome.FAILED] + counts[Outcome.REFUSED]
    active = [node for node in cluster.nodes.values() if node.outcome is Outcome.UNDER_WAY]
    names = ", ".join(f"{_short(node)} {node.state or 'starting'}" for node in active[:NODES])
    more = f" and {len(active) - NODES} more" if len(active) > NODES else ""
    shown.add_row(
        cluster.cluster,
        ProgressBar(counts.total(), counts[Outcome.REPAIRED] + failed),
        str(counts[Outcome.REPAIRED]),
        Text(str(failed), style="red" if failed else ""),
        str(counts[Outcome.QUEUED]),
        Text(quoted(cluster.problem), style="red") if cluster.problem else Text(names + more),
    )


def _short(node: NodeProgress) -> str:
    """An instance's id without its cluster's, which stands in the row already."""
    return node.node.instance.removeprefix(f"{node.node.cluster}-")


def _total(counts: dict[Outcome, int], seconds: float) -> Text:
    total = Text()
    for outcome in Outcome:
        if counts[outcome]:
            total.append(f"{counts[outcome]} {outcome.value}  ", style=COLOURS.get(outcome, "dim"))
    minutes, rest = divmod(int(seconds), 60)
    return total.append(f"{minutes}m{rest:02}s", style="dim")
