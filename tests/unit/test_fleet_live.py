"""What a person sees while examples/fleet runs, in a terminal of 80 columns and in a log."""

from __future__ import annotations

import io
import time

import live
import pytest
from live import Bar, line, showing, still, table
from plan import Plan
from progress import NodeProgress, Outcome, Progress
from rich.console import Console
from table import Node

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.models import Remediation


def fleet(*states: str | None) -> Progress:
    """A cluster whose nodes are in these states."""
    nodes = [
        Node("cluster-1", f"cluster-1-node-{n}", RemediationMode.REBOOT_VM, "", "INC-1")
        for n in range(1, len(states) + 1)
    ]
    made = Progress([Plan("cluster-1", queue=tuple(nodes))])
    for one, state in zip(made.nodes, states, strict=True):
        if state is not None:
            one.begun, one.state = True, state
            one.record = Remediation.model_validate(
                {
                    "id": "r",
                    "cluster_id": "cluster-1",
                    "instance_id": one.node.written,
                    "mode": "REMEDIATION_MODE_REBOOT_VM",
                    "trigger": "REMEDIATION_TRIGGER_MANUAL",
                    "state": state,
                    "error_message": "no healthy host" if state == "FAILED" else None,
                }
            )
    return made


def drawn(progress: Progress, note: str = "", columns: int = 80) -> str:
    """The table as plain text."""
    console = Console(file=io.StringIO(), width=columns, force_terminal=True, color_system=None)
    console.print(table(progress, note, 65.0))
    return text_of(console)


def text_of(console: Console) -> str:
    """What has been written to a console."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def colours(*outcomes: tuple[Outcome, int]) -> list[tuple[str, int]]:
    """The parts of a bar: the colour of each and how wide it is."""
    console = Console(width=24, color_system="standard", force_terminal=True)
    counts = dict.fromkeys(Outcome, 0) | dict(outcomes)
    segments = [one for one in console.render(Bar(counts)) if "━" in one.text]
    return [(str(one.style), len(one.text)) for one in segments]


def test_each_part_of_a_bar_has_the_colour_of_what_it_means():
    assert colours((Outcome.REPAIRED, 8)) == [("green", 24)]
    assert colours((Outcome.REPAIRED, 2), (Outcome.FAILED, 1), (Outcome.UNDER_WAY, 1)) == [
        ("green", 12),
        ("red", 6),
        ("yellow", 6),
    ]
    (repaired, most), (failed, least) = colours((Outcome.REPAIRED, 99), (Outcome.FAILED, 1))
    assert (repaired, failed, most + least) == ("green", "red", 24)
    assert least == 1  # one of a hundred is seen


@pytest.mark.parametrize("columns", [80, 100, 120, 160])
def test_no_name_is_cut(columns: int):
    shown = drawn(fleet("RUNNING", "PENDING", "QUARANTINING", "SUCCEEDED", "FAILED"), columns=columns)
    assert "…" not in shown
    for name in ("cluster-1", "node-1", "node-2", "node-3", "RUNNING", "PENDING", "QUARANTINING"):
        assert name in shown


def test_repaired_and_failed_are_counted_apart():
    shown = drawn(fleet("SUCCEEDED", "SUCCEEDED", "FAILED", None))
    row = next(text for text in shown.splitlines() if "━━━" in text and "cluster-1" in text)
    assert [cell for cell in row.split() if cell.isdecimal()] == ["2", "1", "1"]


def test_the_last_frame_tells_of_nothing_that_can_still_be_done():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with showing(console, fleet("SUCCEEDED"), lambda: "Ctrl-C stops"):
        pass
    assert "1 repaired" in text_of(console)
    assert "Ctrl-C stops" not in text_of(console)


def test_a_log_hears_of_it_though_nothing_changes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(live, "EVERY", 0.02)
    with showing(Console(file=io.StringIO()), fleet("RUNNING", None), lambda: ""):
        time.sleep(0.2)
    told = capsys.readouterr().out.splitlines()
    assert len(told) >= 2
    assert set(told) == {"[0/2] 0m00s: cluster-1 node-1 RUNNING"}
    assert still(fleet(None), 65.0) == "[0/1] 1m05s: waiting for a slot"


def test_a_change_says_which_node_and_why():
    progress = fleet("FAILED")
    (one,) = progress.nodes
    assert isinstance(one, NodeProgress)
    assert line(progress, one) == "[1/1] cluster-1 cluster-1-node-1: FAILED: no healthy host"
