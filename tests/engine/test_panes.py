"""What a person sees while `pulumi up` runs in a terminal of 80 to 160 columns. Pulumi cuts each row off at the right
edge, behind columns of its own."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.engine.pane import Pane
from tests.engine.programs import NODE
from tests.engine.stack import Form, Stack
from tests.engine.test_rolling import declare, rack
from tests.simulated import Simulator, simulator

UP = ("up", "--yes", "--skip-preview")
SEEN: dict[Form, dict[int, str]] = {
    "plugin": {
        80: r"RUNNING",
        100: r"RUNNING \d+s, REBOOT_VM",
        120: r"RUNNING \d+s, REBOOT_VM node-1 \(",
        160: r"RUNNING \d+s, REBOOT_VM node-1 \([0-9a-f]{8}\)$",
    },
    "dynamic": {
        100: r"RUNNING \d+s",
        120: r"RUNNING \d+s, REBOOT_VM node-1",
        160: r"RUNNING \d+s, REBOOT_VM node-1 \([0-9a-f]{8}\)$",
    },
}
"""What the row of a repair begins with, by the terminal's width. Pulumi's own columns take 89 with the dynamic form."""


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API whose time is that of the terminal."""
    with simulator(speed=1, instances=12) as running:
        yield running


def info(terminal: Pane, name: str) -> str:
    """What the row of a resource says after Pulumi's own columns."""
    status = re.search(r"(?:creating|created) \([^)]+\)[. ]*(.*)", terminal.row(name))
    return status[1] if status else ""


def time_in(text: str) -> int:
    """The seconds that a row tells."""
    told = re.search(r"\b(\d+)s\b", text)
    return int(told[1]) if told else -1


def never(api: Simulator, *nodes: int) -> None:
    """Has the repairs of these nodes begin soon and never end."""
    for node in nodes:
        api.behave(NODE(node), pending=0.1, outcome="never")


def test_a_row_begins_with_state_and_time_then_mode_and_node_and_its_time_moves(
    stack: Stack, api: Simulator, form: Form
):
    never(api, 1)
    stack.declare("fix-1")
    with stack.shown(*UP, columns=160) as terminal:
        for columns, seen in sorted(SEEN[form].items(), reverse=True):
            terminal.resize(columns)
            terminal.until(lambda seen=seen: re.match(seen, info(terminal, "fix-1")))
        terminal.resize(160)
        terminal.until(lambda: info(terminal, "fix-1"))
        before = time_in(info(terminal, "fix-1"))
        terminal.until(lambda: before < time_in(info(terminal, "fix-1")) < 30)  # a log hears of it once a minute


def test_a_finished_row_keeps_its_outcome_and_time_while_others_run(stack: Stack, api: Simulator):
    never(api, 1)
    api.behave(NODE(2), pending=0.1, running=1)
    stack.declare("fix-1")
    stack.declare("fix-2", instanceId=NODE(2))
    with stack.shown(*UP, columns=120) as terminal:
        terminal.until(lambda: "created" in terminal.row("fix-2") and "RUNNING" in terminal.row("fix-1"))
        assert re.match(r"SUCCEEDED after \d+s, REBOOT_VM", info(terminal, "fix-2"))


def test_a_row_that_waits_for_a_slot_says_what_holds_it_and_for_how_long(stack: Stack, api: Simulator):
    never(api, 1, 2)
    stack.configure("togetherai:maxConcurrentPerCluster", "1")
    stack.declare("fix-1")
    stack.declare("fix-2", instanceId=NODE(2))

    def waiting(terminal: Pane) -> str:
        return next((row for name in ("fix-1", "fix-2") if (row := info(terminal, name)).startswith("waiting")), "")

    with stack.shown(*UP, columns=160) as terminal:
        terminal.until(
            lambda: re.match(r"waiting \ds for a slot: node-\d \(RUNNING \d+s, fix-\d of", waiting(terminal))
        )
        before = time_in(waiting(terminal))
        terminal.until(lambda: before < time_in(waiting(terminal)) < 30)


def test_a_rolling_repair_says_how_far_it_has_come(stack: Stack, api: Simulator, form: Form):
    for node in (1, 2):
        api.behave(NODE(node), pending=0.1, running=1)
    never(api, 3, 4)
    declare(stack, rack=rack(form, instances=[NODE(node) for node in range(1, 7)], maxConcurrent=2))
    with stack.shown(*UP, columns=160) as terminal:
        terminal.until(lambda: info(terminal, "rack") == "2 of 6 repaired, 2 under way, 2 not begun")


def test_with_diff_the_lines_name_state_and_node_at_80_columns_too(stack: Stack, api: Simulator):
    api.behave(pending=0.1, running=1)
    stack.declare()
    with stack.shown(*UP, "--diff", columns=80) as terminal:
        assert terminal.end() == 0
    for told in (r"RUNNING \d+s", r"SUCCEEDED after \d+s"):
        assert any(re.fullmatch(rf"{told}, REBOOT_VM node-1 \([0-9a-f]{{8}}\)", line) for line in terminal.lines)


def test_in_the_dynamic_form_no_row_is_blank_and_ctrl_c_says_what_goes_on(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    nodes = range(1, 13)
    never(api, *nodes)
    for node in nodes:
        stack.declare(f"fix-{node}", instanceId=NODE(node))
    with stack.shown(*UP, columns=160) as terminal:
        begun = [f"fix-{node}" for node in nodes]

        def rows() -> list[str]:
            return [info(terminal, name) for name in begun if terminal.row(name)]

        terminal.until(
            lambda: sum(row.startswith("RUNNING") for row in rows()) == 4 and len(rows()) > 4 and all(rows())
        )
        assert {row.partition(":")[0] for row in rows() if "RUNNING" not in row} == {"waiting for its turn"}
        terminal.type("\x03")
        assert terminal.end() != 0
    said = terminal.text.partition("\nDiagnostics:\n")[2]
    assert said.count("stopped waiting for REBOOT_VM of instance") == 4
    assert said.count("it continues on the platform") == 4
    assert said.count("next: `pulumi up` waits for it again and posts nothing") == 4
    assert "was started: interrupted" in said
    assert "another resource of this program" not in said
