"""examples/fleet on the real engine: clusters side by side, each node once, and it goes on where it was."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.processes import is_clear_within, printed_until
from tests.engine.stack import ROOT, VENV, Run, Stack
from tests.simulated import Simulator, course_of, simulator

EXAMPLE = ROOT / "examples" / "fleet"
NODES = [f"cluster-{cluster}-node-{number}" for cluster in (1, 2) for number in (1, 2, 3)]


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API with two clusters of three nodes."""
    with simulator(clusters=2, instances=3) as running:
        yield running


@pytest.fixture
def user(tmp_path: Path, api: Simulator) -> Stack:
    """The environment of somebody who may repair, with a table of all nodes."""
    user = Stack(tmp_path / "stack", "plugin", api.address)
    tabulate(user, *NODES)
    return user


def tabulate(user: Stack, *nodes: str) -> None:
    """Makes the table."""
    rows = [f"{node.partition('-node')[0]},{node}" for node in nodes]
    (user.folder / "nodes.csv").write_text("\n".join(["cluster,instance", *rows]))


@contextmanager
def calling(user: Stack, *arguments: str, program: str = "fleet.py", terminal: int | None = None) -> Generator[Any]:
    """The program while it runs: without a terminal, or with this one, from which it hears of Ctrl-C."""
    at_terminal = [] if terminal is None else ["setsid", "--ctty", "--wait"]
    process = subprocess.Popen(
        [*at_terminal, str(VENV / "python"), str(EXAMPLE / program), *arguments],
        cwd=user.folder,
        env=user.env | {"TMPDIR": str(user.folder), "TERM": "xterm", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.PIPE if terminal is None else terminal,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def call(user: Stack, *arguments: str, program: str = "fleet.py") -> Run:
    """Calls the program to its end."""
    with calling(user, *arguments, program=program) as process:
        output, _ = process.communicate(timeout=180)
        return Run(process.returncode, output)


def fleet(*more: str) -> tuple[str, ...]:
    """The arguments that repair the table."""
    return ("nodes.csv", "--incident=INC-7", "--yes", "--config=togetherai:pollInterval=50ms", *more)


def remediations(api: Simulator) -> list[dict[str, Any]]:
    """Those of both clusters."""
    return [*api.remediations("cluster-1"), *api.remediations("cluster-2")]


def reported(user: Stack) -> dict[str, dict[str, Any]]:
    """What the report says of each node."""
    said: dict[str, Any] = json.loads((user.folder / "fleet-report.json").read_text())
    return {node["node"]: node for cluster in said["clusters"] for node in cluster["nodes"]}


def test_a_table_is_planned_repaired_within_the_limits_and_reported_once(user: Stack, api: Simulator):
    api.behave(NODES[5], outcome="fail", error_message="no <healthy> host")
    planned = call(user, *fleet("--preview"))
    assert planned.code == 0, planned.output
    for node in NODES:
        assert f"`pulumi up` will start a REBOOT_VM remediation of instance {node} of cluster" in planned.output
    assert api.posts() == 0

    # It strikes the first POST, and so not the last node of its cluster.
    api.add_fault({"kind": "error", "operation": "create", "status": 403, "count": 1})
    ran = call(user, *fleet("--max-concurrent=3", "--max-concurrent-per-cluster=2", "--max-failed=50%"))
    assert ran.code == 1, ran.output
    assert "[6/6] " in ran.output
    assert f"cluster-2 {NODES[5]}: FAILED: no <healthy> host\n" in ran.output
    assert "of 6 nodes 4 repaired, 1 failed, 1 not started." in ran.output
    nodes = reported(user)
    (refused,) = [node for node in NODES if nodes[node]["outcome"] == "not started"]
    assert "403" in nodes[refused]["why"]
    assert nodes[NODES[5]]["why"] == "no <healthy> host"
    made = {one["instance_id"]: one["state"] for one in remediations(api)}
    assert made == {node: nodes[node]["state"] for node in NODES if node != refused}
    assert len(remediations(api)) == 5
    assert max(active for _, active in course_of(remediations(api), "create_time")) <= 3
    for cluster in ("cluster-1", "cluster-2"):
        assert max(active for _, active in course_of(api.remediations(cluster), "create_time")) <= 2
    assert [phase["state"] for phase in nodes[NODES[5]]["phases"]] == ["PENDING", "RUNNING"]
    page = (user.folder / "fleet-report.html").read_text()
    assert "no &lt;healthy&gt; host" in page
    assert all(f'<th scope="row">{node}</th>' in page for node in NODES)

    api.behave(NODES[5], outcome="succeed")
    tabulate(user, refused, NODES[5])
    again = call(user, *fleet("--retry-failed"))
    assert again.code == 0, again.output
    assert {entry["path"].split("/")[6] for entry in api.requests("created")[5:]} == {refused, NODES[5]}
    assert len(remediations(api)) == 7
    assert is_clear_within(user, 5)


def test_stopped_at_a_terminal_it_goes_on_where_it_was(user: Stack, api: Simulator):
    for node in NODES:
        api.behave(node, outcome="never")
    ours, its = pty.openpty()
    asks = ("nodes.csv", "--incident=INC-7", "--max-concurrent-per-cluster=1", "--config=togetherai:pollInterval=50ms")
    with calling(user, *asks, terminal=its) as process:
        os.close(its)
        seen = shown(ours, "Repair these nodes? [y/N]")
        os.write(ours, b"yes\n")
        for cluster in ("cluster-1", "cluster-2"):
            api.until("RUNNING", cluster=cluster)
        seen += shown(ours, "node-1 RUNNING")
        os.write(ours, b"\x03")
        seen += shown(ours, "The report is in")
        assert process.wait(60) == 130, seen
    os.close(ours)
    assert "Ctrl-C stops" in seen
    assert "Stopped: of 6 nodes 2 under repair, 4 not begun" in seen
    assert "Traceback" not in seen
    assert [one["state"] for one in remediations(api)] == ["RUNNING", "RUNNING"]
    assert is_clear_within(user, 5)

    tabulate(user, NODES[1])  # the other one is under repair, and may have left the table
    api.behave(NODES[1], outcome="succeed")
    with calling(user, *fleet("--max-concurrent=1")) as process:
        told = printed_until(process, f"{NODES[0]}: RUNNING")
        (waited_for,) = api.remediations("cluster-1")
        api.force(waited_for["id"], "SUCCEEDED")
        told += process.communicate(timeout=180)[0]
    assert process.returncode == 0, told
    assert sorted(reported(user)) == NODES[:2]
    assert Counter(one["instance_id"] for one in remediations(api)) == Counter([*NODES[:2], NODES[3]])
    # What was under repair had the one slot.
    assert max(active for _, active in course_of(api.remediations("cluster-1"), "create_time")) == 1
    assert api.requests("cancelled") == []


def test_it_halts_after_too_many_failures_waits_and_continues_when_more_may(user: Stack, api: Simulator):
    api.behave(NODES[0], outcome="fail")
    api.behave(NODES[3], pending=100)  # is still under repair when the other one fails
    halted = call(user, *fleet("--max-failed=10%", "--max-concurrent-per-cluster=1"))
    assert halted.code == 3, halted.output
    assert "Halted, because more failed than may: of 6 nodes 1 repaired, 1 failed, 4 not begun." in halted.output
    assert {one["instance_id"]: one["state"] for one in remediations(api)} == {
        NODES[0]: "FAILED",
        NODES[3]: "SUCCEEDED",
    }
    on = call(user, *fleet("--max-failed=20%"))
    assert on.code == 1, on.output
    assert "of 6 nodes 5 repaired, 1 failed." in on.output
    assert api.posts() == 6


def test_after_kill_9_it_says_what_to_do_and_goes_on(user: Stack, api: Simulator):
    tabulate(user, *NODES[:2])
    for node in NODES[:2]:
        api.behave(node, outcome="never")
    with calling(user, *fleet("--max-concurrent-per-cluster=1")) as process:
        api.until("RUNNING")
        process.kill()
    assert is_clear_within(user, 30)
    refused = call(user, *fleet())
    assert refused.code == 1
    assert "cluster-1: another run works on its stack, or one was killed; when none runs: --unlock" in refused.output
    for one in remediations(api):
        api.force(one["id"], "SUCCEEDED")
    for node in NODES[:2]:
        api.behave(node, outcome="succeed")
    on = call(user, *fleet("--unlock"))
    assert on.code == 0, on.output
    assert Counter(one["instance_id"] for one in remediations(api)) == Counter(NODES[:2])


def test_unhealthy_nodes_make_a_table(user: Stack, api: Simulator):
    api.behave(NODES[1], outcome="fail")
    api.create(NODES[1])
    api.until("FAILED")
    made = call(user, "cluster-1", "cluster-2", program="unhealthy.py")
    assert (made.code, made.output) == (0, "cluster,node\ncluster-1,cluster-1-host-2\n")
    unknown = call(user, "cluster-9", program="unhealthy.py")
    assert unknown.code == 1
    assert "error: cluster-9: getCluster failed: " in unknown.output.splitlines()[-1]
    assert "Traceback" not in unknown.output


def test_a_node_that_does_not_exist_is_found_before_anything_starts(user: Stack, api: Simulator):
    (user.folder / "nodes.csv").write_text(f"cluster,instance\ncluster-1,{NODES[0]}\ncluster-1,no-such-node\n")
    ran = call(user, *fleet())
    assert ran.code == 1
    assert "cluster-1: error: cluster cluster-1 has no instance no-such-node" in ran.output, ran.output
    assert ran.output.splitlines()[-1] == "error: nothing was started, because of the errors above"
    assert "Traceback" not in ran.output
    assert api.posts() == 0


def shown(terminal: int, text: str) -> str:
    """What a terminal shows until it has shown a text."""
    seen = ""
    while text not in seen:
        try:
            seen += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            raise AssertionError(f"{text!r} was never shown: {seen[-3000:]}") from None
    return seen
