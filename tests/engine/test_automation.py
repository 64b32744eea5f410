"""examples/automation: what an on-call bot would call repairs what it is told, once, and says what came of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, VENV, Run, Stack
from tests.simulated import Simulator

PROGRAM = ROOT / "examples" / "automation" / "repair.py"
ALERT = json.dumps(
    {
        "alerts": [
            {
                "status": "firing",
                "fingerprint": "c0ffee",
                "startsAt": "2026-11-23T03:00:00Z",
                "labels": {"alertname": "DmesgXidError", "cluster_id": "cluster-1", "instance_id": "cluster-1-node-3"},
            },
            {"status": "resolved", "fingerprint": "f00", "startsAt": "2026-11-23T02:00:00Z", "labels": {}},
        ]
    }
)


@pytest.fixture
def stack(tmp_path: Path, api: Simulator) -> Stack:
    """The environment of a user who may repair."""
    return Stack(tmp_path / "stack", "plugin", api.address)


def call(stack: Stack, *arguments: str, given: str = "") -> Run:
    """Calls the program without a terminal."""
    done = subprocess.run(
        [str(VENV / "python"), str(PROGRAM), *arguments],
        cwd=stack.folder,
        env=stack.env,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def test_named_nodes_are_rehearsed_and_repaired_and_the_same_incident_repairs_nothing_again(
    stack: Stack, api: Simulator
):
    nodes = ("cluster-1-node-1", "cluster-1-node-2")
    command = ("--cluster", "cluster-1", *nodes, "--incident", "INC-7", "--yes")
    done = call(stack, *command)
    assert done.code == 0, done.output
    for node in nodes:
        assert f"`pulumi up` will start a REBOOT_VM remediation of instance {node}" in done.output
        (line,) = [line for line in done.output.splitlines() if line.startswith(node)]
        assert line.split()[2:4] == ["REBOOT_VM", "1"]
        assert line.split()[-1] == "SUCCEEDED"
    assert api.posts() == 2
    assert call(stack, *command).code == 0
    assert api.posts() == 2


def test_an_alert_is_repaired_once_however_often_it_is_posted(stack: Stack, api: Simulator):
    for _ in range(2):
        done = call(stack, "--alert", "--yes", given=ALERT)
        assert done.code == 0, done.output
    (created,) = api.requests("created")
    assert "cluster-1-node-3" in created["path"]


def test_a_repair_that_fails_is_in_the_report_and_in_the_exit_code(stack: Stack, api: Simulator):
    api.behave("cluster-1-node-1", outcome="fail")
    done = call(stack, "--cluster", "cluster-1", "cluster-1-node-1", "--yes")
    assert done.code == 1
    assert done.output.splitlines()[-2].split()[-1] == "FAILED"
    assert "it starts nothing twice" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("arguments", "given", "code", "says"),
    [
        (("--cluster", "cluster-1", "cluster-1-node-1"), "", 2, "agree with --yes"),
        (("--alert",), ALERT, 2, "agree with --yes"),
        (("--alert", "--yes"), "not json", 2, "error: this is no alert of Alertmanager's webhook: it: Invalid JSON"),
        (("--alert", "--yes"), '{"alerts": []}', 2, "error: no alert in it fires"),
        (("--yes",), "", 2, "name --cluster and instances, or --alert"),
        (("--cluster", "nothing", "x", "--yes"), "", 1, "cluster nothing is not known to the API"),
    ],
)
def test_what_is_not_asked_for_properly_starts_nothing(
    stack: Stack, api: Simulator, arguments: tuple[str, ...], given: str, code: int, says: str
):
    done = call(stack, *arguments, given=given)
    assert done.code == code
    assert says in done.output.splitlines()[-1]
    assert "Traceback" not in done.output
    assert api.posts() == 0
