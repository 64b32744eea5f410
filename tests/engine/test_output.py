"""What a log holds: plain lines, one for each change of state, and JSON where that is asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.engine.stack import Stack
from tests.simulated import Simulator

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def test_without_a_terminal_each_change_of_state_is_one_plain_line(stack: Stack, api: Simulator):
    api.behave(pending=100, running=400)  # some 50 polls
    stack.declare()
    output = stack.up(check=True).output
    assert not CONTROL.search(output)
    lines = [line for line in output.splitlines() if ", REBOOT_VM " in line and "created (" not in line]
    told = [match[1] for line in lines if (match := re.search(r"\b(PENDING|RUNNING|SUCCEEDED) (?:after )?\d", line))]
    assert told == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert len([entry for entry in api.requests() if entry["method"] == "GET"]) > 10


def test_the_waiting_line_says_how_long_it_takes_where_the_node_has_the_history(stack: Stack, api: Simulator):
    api.behave(pending=5, running=85)
    for _ in range(10):
        api.create()
        api.advance(100)
    stack.declare()
    output = stack.up(check=True).output
    row = (
        r"\bRUNNING \S+ of about 1m30s, REBOOT_VM .*; 9 in 10 of this cluster's REBOOT_VM end within 1m30s \(10 seen\)"
    )
    assert re.search(row, output)
    assert not re.search(r"SUCCEEDED after \S+;", output)


def test_json_output_is_json_and_holds_the_errors(stack: Stack, api: Simulator):
    api.behave(outcome="fail", error_message="no healthy host")
    stack.declare()
    done = stack.run("up", "--yes", "--skip-preview", "--json")
    assert done.code != 0
    assert not CONTROL.search(done.output)
    events: list[dict[str, Any]] = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    errors = [
        event["diagnosticEvent"]["message"]
        for event in events
        if event.get("diagnosticEvent", {}).get("severity") == "error"
    ]
    assert any("FAILED after" in error and "no healthy host" in error for error in errors)


def test_a_preview_as_json_holds_what_up_will_do(stack: Stack, api: Simulator):
    stack.declare()
    preview = stack.preview("--json")
    assert preview.code == 0
    told = json.loads(preview.output)
    assert any("`pulumi up` will start a REBOOT_VM" in item["message"] for item in told["diagnostics"])
    assert api.posts() == 0
