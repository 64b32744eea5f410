"""Ctrl-C, a killed engine, a killed plugin: nothing is lost, nothing runs twice, no process stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.engine.stack import Stack
from tests.simulated import Simulator

LEAVES_WITHIN = 5.0
"""Seconds after the engine's death by which the plugin must be gone."""


def processes_of(stack: Stack) -> list[int]:
    """The processes that a stack's commands started and that are still there, by the stack's own environment."""
    mark = f"PULUMI_HOME={stack.env['PULUMI_HOME']}".encode()
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() and (process / "stat").read_text().split()[2] != "Z":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def is_clear_within(stack: Stack, seconds: float) -> bool:
    gives_up = time.monotonic() + seconds
    while processes_of(stack):
        if time.monotonic() > gives_up:
            return False
        time.sleep(0.05)
    return True


def interrupt(process: subprocess.Popen[str]) -> str:
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    return output


def test_ctrl_c_keeps_the_resource_and_the_next_up_resumes(plugin_stack: Stack, api: Simulator):
    api.behave(outcome="never")
    plugin_stack.declare()
    with plugin_stack.running("up", "--yes", "--skip-preview") as up:
        remediation = api.until("RUNNING")
        output = interrupt(up)
    assert up.returncode != 0
    assert "stopped waiting for remediation" in output
    assert "it goes on without you" in output
    assert "Traceback" not in output
    assert plugin_stack.resources()["fix"]["outputs"]["remediationId"] == remediation["id"]
    assert is_clear_within(plugin_stack, LEAVES_WITHIN)

    assert "will wait for remediation" in plugin_stack.preview().output
    api.force(remediation["id"], "SUCCEEDED")
    plugin_stack.up(check=True)
    assert plugin_stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert plugin_stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


@pytest.mark.parametrize("moment", ["PENDING", "RUNNING"])
def test_a_killed_engine_leaves_no_process_and_the_next_up_finds_the_remediation(
    stack: Stack, api: Simulator, moment: str
):
    api.behave(outcome="hold" if moment == "PENDING" else "never")
    stack.declare()
    with stack.running("up", "--yes", "--skip-preview") as up:
        remediation = api.until(moment)
        os.kill(up.pid, signal.SIGKILL)
        up.wait()
        gives_up = time.monotonic() + LEAVES_WITHIN
        while any(is_the_provider(process) for process in processes_of(stack)):
            assert time.monotonic() < gives_up, "the provider outlived its engine"
            time.sleep(0.05)
    stack.run("cancel", "--yes")
    api.force(remediation["id"], "SUCCEEDED")
    stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["remediationId"] == remediation["id"]
    assert api.posts() == 1


def is_the_provider(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"pulumi-resource-togetherai" in command or b"pulumi.dynamic" in command


def test_a_finished_command_leaves_no_process(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    assert is_clear_within(stack, LEAVES_WITHIN)


def test_replacing_an_active_remediation_does_not_cancel_what_it_takes_over(plugin_stack: Stack, api: Simulator):
    """With --replace the engine creates before it deletes: create takes over the very remediation delete is given."""
    api.behave(outcome="hold")
    plugin_stack.declare(wait=False)
    plugin_stack.up(check=True)
    plugin_stack.up("--replace", plugin_stack.urn(), check=True)
    assert [item["state"] for item in api.remediations()] == ["PENDING"]
    assert api.requests("cancelled") == []
    assert api.posts() == 1


def test_custom_timeouts_come_before_the_timeout_input(plugin_stack: Stack, api: Simulator):
    api.behave(outcome="never")
    plugin_stack.declare(timeout="1h")
    plugin_stack.option("fix", customTimeouts={"create": "1s"})
    up = plugin_stack.up()
    assert up.code == 1
    assert "timed out waiting for remediation" in up.output
