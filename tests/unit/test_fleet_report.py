"""What the fleet example shows and reports of what happened."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fleet import DONE, FAILED, HALTED, STOPPED, verdict
from live import line, table
from plan import Held, Plan
from progress import NodeProgress, Outcome, Progress
from report import Axis, Report, by_mode, page, phases, report, write
from rich.console import Console
from table import Node

from pulumi_resource_togetherai.api.enums import TERMINAL_STATES, RemediationMode, RemediationTrigger
from pulumi_resource_togetherai.api.models import Remediation

START = datetime(2026, 11, 23, 3, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def remediation(number: int = 1, state: str = "SUCCEEDED", **more: Any) -> Remediation:
    """One that was created at the start, and ran from 10 s on for a minute."""
    told = {
        "id": f"id-{number}",
        "cluster_id": "cluster-1",
        "instance_id": f"cluster-1-node-{number}",
        "mode": RemediationMode.REBOOT_VM,
        "trigger": RemediationTrigger.MANUAL,
        "state": state,
        "create_time": at(0),
        "start_time": at(10),
        "end_time": at(70),
    }
    return Remediation.model_validate(told | more)


def node(number: int = 1) -> Node:
    return Node("cluster-1", f"cluster-1-node-{number}", RemediationMode.REBOOT_VM, "because", "INC-1")


def progress(*states: str | None) -> Progress:
    """The progress of nodes with a remediation in a state, or without one."""
    made = Progress([Plan("cluster-1", queue=tuple(node(number) for number in range(1, len(states) + 1)))])
    for number, (state, of) in enumerate(zip(states, made.nodes, strict=True), 1):
        if state is not None:
            terminal = state in TERMINAL_STATES
            of.begun, of.ended = True, terminal
            of.record = remediation(number, state, end_time=at(70) if terminal else None)
            of.state = state
    return made


@pytest.mark.parametrize(
    ("states", "halted", "stopped", "code"),
    [
        (("SUCCEEDED", "AUTO_RESOLVED"), False, False, DONE),
        (("SUCCEEDED", "SUCCEEDED"), True, True, DONE),
        (("SUCCEEDED", "FAILED"), False, False, FAILED),
        (("SUCCEEDED", "CANCELLED"), True, False, FAILED),
        (("FAILED", None), True, False, HALTED),
        (("FAILED", None), True, True, STOPPED),
        (("SUCCEEDED", "RUNNING"), False, True, STOPPED),
        (("SUCCEEDED", "RUNNING"), False, False, FAILED),
    ],
)
def test_the_exit_code_says_what_came_out(states: tuple[str | None, ...], halted: bool, stopped: bool, code: int):
    assert verdict(progress(*states), halted=halted, stopped=stopped)[0] == code


def test_a_node_is_known_by_its_record_and_before_that_by_what_happened():
    one = NodeProgress(node())
    assert one.outcome is Outcome.QUEUED
    one.begun = True
    assert one.outcome is Outcome.UNDER_WAY
    one.problem = "404"
    one.end(None)
    assert (one.outcome, one.why) == (Outcome.REFUSED, "404")
    one.record = remediation(state="RUNNING")
    assert one.outcome is Outcome.UNDER_WAY
    one.record = remediation(state="FAILED", error_message="no host")
    assert (one.outcome, one.why) == (Outcome.FAILED, "no host")
    one.record = remediation(state="CANCELLED", reviewed_by="kim")
    assert (one.outcome, one.why) == (Outcome.FAILED, "by kim")
    one.record = remediation()
    assert (one.outcome, one.why) == (Outcome.REPAIRED, None)


def test_what_was_declared_and_not_started_before_a_stop_has_not_begun():
    made = progress(None, None)
    (cluster,) = made.clusters.values()
    for one in made.nodes:
        one.begun, one.problem = True, "interrupted"
        one.end(None)
    cluster.recorded({node(2).name: Held(node(2), remediation(2, "RUNNING", end_time=None))}, stopped=True)
    assert [one.outcome for one in made.nodes] == [Outcome.QUEUED, Outcome.UNDER_WAY]
    assert [one.why for one in made.nodes] == [None, "interrupted"]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("PENDING 0s, REBOOT_VM node-3 (1a)", "PENDING"),
        ("QUARANTINED 1m5s, HOST_AWARE node-3 (1a)", "QUARANTINED"),
        ("PENDING_APPROVAL 3s, VM_ONLY node-3 (1a); approve it with `tg approve 1a`", "PENDING_APPROVAL"),
        ("SOMETHING_NEW 1h0m1s of about 2h, VM_ONLY node-3 (1a); 9 in 10 end within 2h", "SOMETHING_NEW"),
        ("SUCCEEDED after 1m10s, REBOOT_VM node-3 (1a)", None),
        ("the API does not answer; still waiting", None),
    ],
)
def test_states_are_read_from_the_providers_lines(told: str, state: str | None):
    one = NodeProgress(node())
    assert one.told(told) == (state is not None)
    assert one.state == state
    assert not one.told(told)


def test_what_is_under_way_from_an_earlier_call_is_told_of_once():
    (one,) = Progress([Plan("cluster-1", under_way=(Held(node(), remediation(state="RUNNING", end_time=None)),))]).nodes
    assert one.state == "RUNNING"
    told = [one.told(f"RUNNING {seconds}s, REBOOT_VM node-3 (1a)") for seconds in (30, 90)]
    assert told == [True, False]


def test_phases_go_by_the_record_or_else_by_what_was_seen():
    record = remediation(start_time=at(20))
    seen = [("PENDING", 0.0), ("QUARANTINING", 11.0), ("QUARANTINED", 16.0), ("RUNNING", 22.0)]
    assert [(phase.state, phase.start, phase.seconds) for phase in phases(record, seen)] == [
        ("PENDING", at(0), 11.0),
        ("QUARANTINING", at(11), 5.0),
        ("QUARANTINED", at(16), 4.0),
        ("RUNNING", at(20), 50.0),
    ]
    assert [(phase.state, phase.seconds) for phase in phases(record, [])] == [("PENDING", 20.0), ("RUNNING", 50.0)]


def test_phases_seen_late_do_not_reach_into_others():
    late = [("QUARANTINED", 30.0), ("RUNNING", 31.0)]
    assert [(phase.state, phase.seconds) for phase in phases(remediation(), late)] == [
        ("PENDING", 10.0),
        ("RUNNING", 60.0),
    ]


def test_unfinished_phases_end_where_it_was_last_heard_of():
    cancelled = remediation(state="CANCELLED", start_time=None, end_time=at(5))
    assert [(phase.state, phase.seconds) for phase in phases(cancelled, [])] == [("PENDING", 5.0)]
    running = remediation(state="RUNNING", end_time=None, update_time=at(15))
    assert [(phase.state, phase.seconds) for phase in phases(running, [])] == [("PENDING", 10.0), ("RUNNING", 5.0)]
    assert phases(remediation(create_time=None), []) == []


def test_the_axis_cuts_a_night_short():
    night = 8 * 3600
    axis = Axis([(at(0), at(600)), (at(300), at(900)), (at(night), at(night + 900))])
    assert axis.busy == [(at(0), at(900)), (at(night), at(night + 900))]
    # 900 s of work, 300 s for the night, 900 s of work
    assert [axis.at(at(second)) for second in (0, 450, 900, night, night + 900)] == [0, 21.429, 42.857, 57.143, 100]
    assert axis.style(at(0), at(450)) == "left: 0.0%; width: 21.429%"
    assert Axis([]).busy == []


def test_the_axis_names_its_both_ends_and_what_has_room_between():
    hour = 3600
    assert Axis([]).ends == []
    assert Axis([(at(0), at(600)), (at(60), at(900))]).ends == [at(0), at(900)]
    # Of four times of work with a night between each two, the third begins near the middle.
    work = [(at(8 * hour * n), at(8 * hour * n + 900)) for n in range(4)]
    assert Axis(work).ends == [at(0), at(16 * hour), at(24 * hour + 900)]


def test_the_page_goes_by_one_clock():
    made = report(progress("SUCCEEDED", "FAILED"), result="failed", said="1 failed")
    html = page(made)
    assert "Under repair from 2026-11-23 03:00:00 to 2026-11-23 03:01:10." in html
    assert "Written" not in html
    assert "Written" in page(report(progress(None), result="stopped", said="Stopped."))


def test_how_long_repairs_took_counts_those_that_ended_well():
    made = progress("SUCCEEDED", "SUCCEEDED", "FAILED", "RUNNING", None)
    made.nodes[1].record = remediation(2, end_time=at(110))
    made.nodes[2].record = remediation(3, "FAILED", end_time=at(9999))
    modes = by_mode(made_node for cluster in report(made, result="", said="").clusters for made_node in cluster.nodes)
    (took,) = modes.values()
    assert list(modes) == ["REBOOT_VM"]
    assert (took.repaired, took.median, took.most) == (2, 90.0, 106.0)
    assert took.states == {"PENDING": 10.0, "RUNNING": 80.0}


def test_json_and_page_are_written_and_json_can_be_read_back(tmp_path: Path):
    made = report(progress("SUCCEEDED", "FAILED", None), result="halted", said="Halted.")
    files = write(made, str(tmp_path / "new" / "tonight"))
    assert [file.name for file in files] == ["tonight.json", "tonight.html"]
    assert Report.model_validate_json(files[0].read_text()) == made
    said = json.loads(files[0].read_text())
    assert (said["result"], said["counts"]) == ("halted", {"repaired": 1, "failed": 1, "not begun": 1})
    assert [one["outcome"] for one in said["clusters"][0]["nodes"]] == ["repaired", "failed", "not begun"]


def test_what_others_wrote_is_no_markup_and_no_control_on_the_page():
    made = progress("FAILED")
    made.nodes[0].record = remediation(1, "FAILED", error_message="<script>alert(1)</script>\x1b[2J")
    (cluster,) = made.clusters.values()
    cluster.problem = "<b>locked</b>"
    html = page(report(made, result="failed", said="1 failed"))
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in html
    assert "&lt;b&gt;locked&lt;/b&gt;" in html


def shown(made: Progress, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(table(made, "Ctrl-C stops", 61))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_live_table_says_what_happens_in_each_cluster():
    text = shown(progress("SUCCEEDED", "FAILED", "RUNNING", None, None))
    assert "1 repaired  1 failed  1 under repair  2 not begun  1m01s" in text
    (row,) = [line for line in text.splitlines() if "cluster-1" in line]
    assert [cell.strip() for cell in row.split("│")][3:7] == ["1", "1", "2", "node-3 RUNNING"]
    assert "Ctrl-C stops" in text


def test_the_live_table_stays_small_and_shows_first_where_something_happens():
    plans = [Plan(f"cluster-{number}", queue=(node(number),)) for number in range(1, 31)]
    made = Progress(plans)
    made.clusters["cluster-30"].begins(node(30).name)
    made.clusters["cluster-29"].problem = "locked"
    rows = [line.split()[1] for line in shown(made).splitlines() if line.startswith("│")]
    assert rows[:2] == ["cluster-30", "cluster-29"]
    assert rows[-1] == "18"  # more
    assert len(rows) == 13


def test_a_line_for_each_change_counts_what_is_done():
    made = progress("SUCCEEDED", "FAILED", "RUNNING")
    made.nodes[1].record = remediation(2, "FAILED", error_message="no\x1bhost")
    assert line(made, made.nodes[1]) == r"[2/3] cluster-1 cluster-1-node-2: FAILED: no\x1bhost"
    assert line(made, made.nodes[2]) == "[2/3] cluster-1 cluster-1-node-3: RUNNING"
