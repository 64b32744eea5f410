"""Ctrl-C, a killed engine, a killed plugin: nothing is lost, nothing runs twice, no process stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.engine.processes import is_clear_within, is_the_provider, kill_what_is_left, printed_until, processes_of
from tests.engine.stack import Stack
from tests.simulated import Simulator

LEAVES_WITHIN = 5.0
"""Seconds after the engine's death by which the plugin must be gone."""


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
    assert "stopped waiting for REBOOT_VM of instance" in output
    assert "it continues on the platform" in output
    assert "Traceback" not in output
    assert plugin_stack.resources()["fix"]["outputs"]["remediationId"] == remediation["id"]
    assert is_clear_within(plugin_stack, LEAVES_WITHIN)

    assert "will wait for remediation" in plugin_stack.preview().output
    api.force(remediation["id"], "SUCCEEDED")
    plugin_stack.up(check=True)
    assert plugin_stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert plugin_stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_ctrl_c_of_the_dynamic_form_says_what_goes_on_however_many_it_waits_for(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    for node in (1, 2, 3, 4):
        api.behave(f"cluster-1-node-{node}", outcome="never")
        stack.declare(f"fix-{node}", instanceId=f"cluster-1-node-{node}")
    stack.declare("fix-5", instanceId="cluster-1-node-4", ifActive="CREATE")
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.until("RUNNING", 4)
        output = printed_until(up, "waiting for its turn: the dynamic form works on 4 at a time")
        output += interrupt(up)
    assert up.returncode != 0
    assert output.partition("\nDiagnostics:\n")[2].count("stopped waiting for REBOOT_VM of instance") == 4
    assert output.count("next: `pulumi up` waits for it again and posts nothing") == 4
    assert "locked" not in stack.preview().output
    assert is_clear_within(stack, LEAVES_WITHIN)


def test_a_preview_that_refreshes_does_not_wait_for_what_was_interrupted(plugin_stack: Stack, api: Simulator):
    api.behave(outcome="never")
    plugin_stack.declare(timeout="1s")
    assert plugin_stack.up().code == 1
    (remediation,) = api.remediations()
    preview = plugin_stack.preview("--refresh")
    assert preview.code == 0, preview.output
    assert "A preview does not wait for its end" in preview.output
    assert f"`pulumi up` will wait for remediation {remediation['id']}" in preview.output
    api.force(remediation["id"], "SUCCEEDED")
    preview = plugin_stack.preview("--refresh")
    assert '+ fix: "SUCCEEDED"' in preview.output
    assert preview.summary("unchanged") == 2
    plugin_stack.up(check=True)
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
        kill_what_is_left(stack)  # Pulumi's own language host stays for some minutes
    stack.run("cancel", "--yes")
    api.force(remediation["id"], "SUCCEEDED")
    stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["remediationId"] == remediation["id"]
    assert api.posts() == 1


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
    assert "timed out waiting for REBOOT_VM of instance" in up.output
