"""Repairs the nodes of many clusters: plans a stack for each, asks, runs them side by side, reports.

    python fleet.py nodes.csv --incident INC-1050 --preview
    python fleet.py nodes.csv --incident INC-1050 --max-concurrent 20 --max-concurrent-per-cluster 2
    python unhealthy.py cluster-1 cluster-2 | python fleet.py - --incident INC-1051 --yes

Ctrl-C stops it; what was started goes on. Called again, it goes on where it was: for one incident a node is repaired
once, however often this is called.

It ends with 0 when every node is repaired; 1 when a repair failed or could not be made; 2 when it was not asked for
properly, or not agreed to; 3 when it halted because too many failed; 130 when it was stopped.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import report
from engines import Engines
from live import showing
from plan import Plan
from progress import Outcome, Progress
from pulumi import automation
from resolve import resolve
from rich.console import Console
from rich.table import Table
from run import Fleet, Preview, Stopped, reason
from slots import Limits, Slots, failures_allowed
from table import read

from pulumi_resource_togetherai.sanitize import sanitize

DONE, FAILED, NOT_ASKED, HALTED, STOPPED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False)
    if not (asked.yes or asked.preview or (sys.stdin.isatty() and asked.table != "-")):
        return _end("error: there is nobody to ask: agree with --yes", NOT_ASKED)
    try:
        data = sys.stdin.buffer.read() if asked.table == "-" else Path(asked.table).read_bytes()
        nodes = read(asked.table, data, mode=asked.mode, incident=asked.incident)
        if not nodes:
            return _end(f"nothing to repair: {asked.table} names no node", DONE)
        nodes = resolve(nodes, dict(asked.config))
        engines = Engines()
    except (ValueError, OSError) as error:
        return _end(f"error: {sanitize(str(error))}", NOT_ASKED)
    config = dict(asked.config) | {"togetherai:maxConcurrentPerCluster": str(asked.max_concurrent_per_cluster)}
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        fleet = Fleet(engines, Path(folder), at_once=asked.engines, config=config)
        _on_signals(engines.stop)
        try:
            if asked.unlock:
                fleet.unlock(dict.fromkeys(node.cluster for node in nodes))
            console.print(f"previewing {len(nodes)} nodes ...", style="dim")
            previews = fleet.preview(nodes, retry_failed=asked.retry_failed)
        except Stopped:
            return _end("stopped; nothing was started", STOPPED)
        except (automation.CommandError, OSError) as error:
            return _end(f"error: {reason(error)}", FAILED)
        _show(console, previews, nodes_too=asked.preview)
        if any(preview.errors for preview in previews):
            return _end("error: nothing was started, because of the errors above", FAILED)
        plans = [preview.plan for preview in previews]
        if asked.preview:
            return DONE
        try:
            if any(plan.queue for plan in plans) and not (asked.yes or _agreed("Repair these nodes? [y/N]")):
                return _end("nothing was started", NOT_ASKED)
        except KeyboardInterrupt:
            return _end("stopped; nothing was started", STOPPED)
        return _repair(asked, console, engines, fleet, plans)


def _repair(asked: argparse.Namespace, console: Console, engines: Engines, fleet: Fleet, plans: Sequence[Plan]) -> int:
    progress = Progress(plans)
    allowed = failures_allowed(asked.max_failed, len(progress.nodes))
    slots = Slots(
        Limits(asked.max_concurrent, asked.max_concurrent_per_cluster, allowed),
        failures=progress.counts()[Outcome.FAILED],
    )

    def stop() -> None:
        slots.stop()
        engines.stop()

    def note() -> str:
        if engines.stopped:
            return "stopping: what was started goes on; call this again to go on"
        if slots.halted:
            return f"halted, nothing more is started: {slots.failures} failed, and --max-failed allows {allowed}"
        return "Ctrl-C stops; nothing is lost"

    _on_signals(stop)
    with showing(console, progress, note):
        fleet.run(plans, progress, slots, parallel=asked.max_concurrent_per_cluster)
    code, result, said = verdict(progress, halted=slots.halted, stopped=engines.stopped)
    for node in progress.nodes:
        if node.outcome in (Outcome.FAILED, Outcome.REFUSED):
            came_to = node.state or node.outcome.value
            why = f": {sanitize(node.why)}" if node.why else ""
            console.print(
                f"{node.node.cluster} {node.node.written}: {came_to}{why}", style="red", markup=False, soft_wrap=True
            )
    for cluster in progress.clusters.values():
        if cluster.problem:
            console.print(f"{cluster.cluster}: {sanitize(cluster.problem)}", style="red", markup=False, soft_wrap=True)
    files = report.write(report.report(progress, result=result, said=said), asked.report)
    console.print(f"{said} The report is in {' and '.join(map(str, files))}.", soft_wrap=True)
    return code


def verdict(progress: Progress, *, halted: bool, stopped: bool) -> tuple[int, str, str]:
    """The exit code, a word and a sentence for what came out."""
    counts = progress.counts()
    if counts[Outcome.REPAIRED] == counts.total():
        return DONE, "done", f"All {counts.total()} nodes are repaired."
    said = f"of {counts.total()} nodes {', '.join(f'{counts[one]} {one.value}' for one in Outcome if counts[one])}."
    if stopped:
        return STOPPED, "stopped", f"Stopped: {said} What is under repair goes on; call this again to go on with it."
    if halted and counts[Outcome.QUEUED]:
        return HALTED, "halted", f"Halted, because more failed than may: {said} To go on, allow more: --max-failed."
    return FAILED, "failed", f"Not all went well: {said}"


def _show(console: Console, previews: Sequence[Preview], *, nodes_too: bool) -> None:
    """The plans, and what Pulumi says about them."""
    shown = Table("cluster", "to start", "to wait for", "repaired", "failed")
    for column in shown.columns[1:]:
        column.justify = "right"
    for preview in previews:
        counts = Progress([preview.plan]).counts()
        parts = (len(preview.plan.queue), len(preview.plan.under_way), counts[Outcome.REPAIRED], counts[Outcome.FAILED])
        to_start, *others = (str(part or "") for part in parts)
        shown.add_row(preview.plan.cluster, "refused" if preview.errors else to_start, *others)
    console.print(shown)
    for preview in previews:
        named = [*preview.plan.under_way, *preview.plan.queue] if nodes_too else []
        lines = [("", preview.lines[one.name]) for one in named if one.name in preview.lines]
        lines += [("yellow", f"warning: {line}") for line in (*preview.plan.notes, *preview.warnings)]
        lines += [("red", f"error: {line}") for line in preview.errors]
        for style, line in lines:
            console.print(f"{preview.plan.cluster}: {sanitize(line)}", style=style, markup=False, soft_wrap=True)


def _agreed(question: str) -> bool:
    """Asks whoever sits at the terminal. Raises KeyboardInterrupt when that is stopped."""
    _on_signals(_interrupt)
    print(question, end=" ", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop())


def _end(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("table", metavar="TABLE", help="a .csv or .yaml file, or - for CSV from stdin")
    add("--incident", metavar="NAME", help="for the nodes that name none: another incident repairs a node again")
    add("--mode", default="REBOOT_VM", help="for the nodes that name none (default: %(default)s)")
    add("--preview", action="store_true", help="only say what would happen")
    add("--yes", action="store_true", help="do not ask")
    add("--max-concurrent", type=_count, default=8, metavar="N", help="nodes at once in all (default: %(default)s)")
    add("--max-concurrent-per-cluster", type=_count, default=2, metavar="N", help="in a cluster (default: %(default)s)")
    add(
        "--max-failed",
        type=_share,
        default="10%",
        metavar="SHARE",
        help="start nothing more once more than this share of the nodes has failed (default: 10%%)",
    )
    add("--retry-failed", action="store_true", help="repair nodes again whose repair FAILED in an earlier call")
    add(
        "--engines",
        type=_count,
        default=4,
        metavar="N",
        help="clusters at once, each with a Pulumi engine and a plugin (default: %(default)s)",
    )
    add("--config", type=_setting, action="append", default=[], metavar="KEY=VALUE", help="Pulumi configuration")
    add("--unlock", action="store_true", help="take away the locks of a run that was killed; only when none runs")
    add("--report", default="fleet-report", metavar="NAME", help="write NAME.json and NAME.html (default: %(default)s)")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _share(text: str) -> float:
    number = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%", text)
    if number is None or float(number[1]) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; write a percentage, such as 5%")
    return float(number[1])


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (equals and ":" in key):
        raise argparse.ArgumentTypeError(f"{text!r} is not a setting; write one such as togetherai:pollInterval=10s")
    return key, value


if __name__ == "__main__":
    sys.exit(main())
