"""What a person sees while a call runs: one table that changes in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from progress import ClusterProgress, NodeProgress, Outcome, Progress
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pulumi_resource_togetherai.sanitize import quoted

ROWS = 12
"""How many clusters the table shows at the most; more would not fit a terminal, which shows no end of a table then."""
NODES = 4
"""How many nodes under repair a row names."""
EVERY = 60.0
"""How often, in seconds, something is printed where there is no terminal, though nothing changed."""
BAR = 24
"""How wide a cluster's bar is at the most."""
COLOURS = {Outcome.REPAIRED: "green", Outcome.FAILED: "red", Outcome.REFUSED: "red", Outcome.UNDER_WAY: "yellow"}


@contextmanager
def showing(console: Console, progress: Progress, note: Callable[[], str]) -> Generator[None]:
    """Shows a call while it runs. `note` tells what the table's last line says."""
    started = time.monotonic()
    if not console.is_terminal:
        with _lines(progress, started):
            yield
        return
    over = False
    with Live(
        get_renderable=lambda: table(progress, "" if over else note(), time.monotonic() - started),
        console=console,
        refresh_per_second=2,
    ):
        yield
        over = True  # the last frame stays: it tells of nothing that can still be done


@contextmanager
def _lines(progress: Progress, started: float) -> Generator[None]:
    """Prints each change, and after a while without one that it goes on: a log without a word looks like a fault."""
    over, told = Event(), [started]

    def tell(text: str) -> None:
        print(text, flush=True)
        told[0] = time.monotonic()

    def remind() -> None:
        while not over.wait(max(0.01, told[0] + EVERY - time.monotonic())):
            if time.monotonic() - told[0] >= EVERY:
                tell(still(progress, time.monotonic() - started))

    progress.tell = lambda node: tell(line(progress, node))
    reminder = Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
    finally:
        over.set()
        reminder.join()


def still(progress: Progress, seconds: float) -> str:
    """That it goes on, with what is under repair."""
    counts = progress.counts()
    active = [node for node in progress.nodes if node.outcome is Outcome.UNDER_WAY]
    names = ", ".join(f"{node.node.cluster} {_short(node)} {node.state or 'starting'}" for node in active[:NODES])
    more = f" and {len(active) - NODES} more" if len(active) > NODES else ""
    return f"[{_done(counts)}/{counts.total()}] {_clock(seconds)}: {names or 'waiting for a slot'}{more}"


def line(progress: Progress, node: NodeProgress) -> str:
    """What one change is, with how many nodes are done of how many."""
    counts, where = progress.counts(), f"{node.node.cluster} {node.node.written}"
    why = f": {quoted(why)}" if (why := node.why) else ""
    return f"[{_done(counts)}/{counts.total()}] {where}: {node.state or node.outcome.value}{why}"


def table(progress: Progress, note: str, seconds: float) -> RenderableType:
    """The clusters that are worked on, or had a failure, with what happens in each."""
    counts = progress.counts()
    shown = Table(
        title=_total(counts, seconds), caption=note, expand=True, title_justify="left", caption_justify="left"
    )
    shown.add_column("cluster", overflow="fold")
    shown.add_column("", ratio=2, min_width=6)
    for heading in ("repaired", "failed", "left"):
        shown.add_column(heading, justify="right")
    shown.add_column("under repair", ratio=5, overflow="fold", min_width=24)
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
        Bar(counts),
        str(counts[Outcome.REPAIRED]),
        Text(str(failed), style="red" if failed else ""),
        str(counts[Outcome.QUEUED]),
        Text(quoted(cluster.problem), style="red") if cluster.problem else Text(names + more),
    )


def _short(node: NodeProgress) -> str:
    """A node without its cluster's, which stands in the row already."""
    return node.node.written.removeprefix(f"{node.node.cluster}-")


def _total(counts: dict[Outcome, int], seconds: float) -> Text:
    total = Text()
    for outcome in Outcome:
        if counts[outcome]:
            total.append(f"{counts[outcome]} {outcome.value}  ", style=COLOURS.get(outcome, "dim"))
    return total.append(_clock(seconds), style="dim")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02}s"


def _done(counts: Mapping[Outcome, int]) -> int:
    return sum(counts[outcome] for outcome in (Outcome.REPAIRED, Outcome.FAILED, Outcome.REFUSED))


class Bar:
    """A cluster's nodes side by side, each outcome in its own colour. Whatever there is has a cell at the least."""

    def __init__(self, counts: Mapping[Outcome, int]) -> None:
        self._counts = {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Fills the column."""
        width, total = min(options.max_width, BAR), sum(self._counts.values())
        cells = {outcome: max(1, width * count // total) for outcome, count in self._counts.items()}
        if cells:
            most = max(cells, key=lambda outcome: cells[outcome])
            cells[most] = max(1, cells[most] + width - sum(cells.values()))
        yield Text.assemble(*(("━" * count, COLOURS.get(outcome, "dim")) for outcome, count in cells.items()))
