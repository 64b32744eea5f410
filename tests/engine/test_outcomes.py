"""Every way in which a remediation can end, on the real engine, by both adapters: up, up again, refresh, destroy."""

from __future__ import annotations

import re

import pytest

from tests.engine.processes import printed_until
from tests.engine.stack import Form, Stack
from tests.simulated import Simulator


def test_a_preview_says_what_up_will_do_and_posts_nothing(stack: Stack, api: Simulator):
    stack.declare(reason="GPU 3 fell off the bus")
    preview = stack.preview()
    assert preview.code == 0
    assert "`pulumi up` will start a REBOOT_VM remediation of instance cluster-1-node-1" in preview.output
    assert preview.diagnostics.count("will start a REBOOT_VM") == 1
    assert {entry["method"] for entry in api.requests()} == {"GET"}
    assert stack.resources() == {}


def test_a_remediation_that_succeeds_runs_once_is_recorded_and_stays(stack: Stack, api: Simulator):
    stack.declare(reason="GPU 3 fell off the bus", triggers={"incident": "INC-1"})
    up = stack.up(check=True)
    for state in ("PENDING", "RUNNING", "SUCCEEDED"):
        assert re.search(rf"\b{state} .*REBOOT_VM", up.output)
    (remediation,) = api.remediations()
    assert remediation["state"] == "SUCCEEDED"
    assert remediation["reason"].startswith("GPU 3 fell off the bus [pulumi training/prod ")
    held = stack.resources()["fix"]
    assert held["id"] == f"cluster-1/cluster-1-node-1/{remediation['id']}"
    outputs = held["outputs"]
    assert (outputs["state"], outputs["attempt"], outputs["adopted"]) == ("SUCCEEDED", 1, False)
    assert outputs["remediationId"] == remediation["id"]
    assert "test-key" not in str(stack.resources())

    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.preview().summary("unchanged") == 2
    assert stack.refresh().summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert stack.resources() == {}
    assert api.posts() == 1
    assert api.requests("cancelled") == []


def test_a_replaced_vm_is_no_drift(stack: Stack, api: Simulator):
    stack.declare(mode="VM_ONLY")
    stack.up(check=True)
    assert stack.refresh().summary("unchanged") == 2
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_a_remediation_that_fails_is_never_run_again_by_itself(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="fail", error_message="host did not come back")
    stack.declare()
    up = stack.up()
    assert up.code == 1
    (remediation,) = api.remediations()
    for part in (remediation["id"], "cluster-1-node-1", "cluster-1", "FAILED", "host did not come back", "`triggers`"):
        assert part in up.output
    assert "Traceback" not in up.output

    again = stack.up()
    assert again.code == 1
    assert "host did not come back" in again.output
    preview = stack.preview()
    assert "`pulumi up` will start nothing and fail" in preview.output
    assert stack.refresh().code == 0
    assert stack.up().code == 1
    assert api.posts() == 1
    assert ("fix" in stack.resources()) == (form == "plugin")

    assert stack.destroy().code == 0
    assert stack.resources() == {}
    assert api.requests("cancelled") == []


def test_a_fault_that_goes_away_by_itself_is_a_success_with_a_note(stack: Stack, api: Simulator):
    api.behave(outcome="auto_resolve")
    stack.declare()
    up = stack.up(check=True)
    assert "the fault went away by itself" in up.output
    assert stack.resources()["fix"]["outputs"]["state"] == "AUTO_RESOLVED"
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.refresh().summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert api.posts() == 1


def test_a_remediation_that_somebody_cancels_is_not_run_again(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="hold")
    stack.declare()
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.force(api.until("PENDING")["id"], "CANCELLED")
        output, _ = up.communicate(timeout=60)
    assert up.returncode == 1
    assert "was CANCELLED" in output
    assert "It does not run again by itself" in output
    assert stack.up().code == 1
    assert stack.refresh().code == 0
    assert api.posts() == 1
    assert ("fix" in stack.resources()) == (form == "plugin")
    assert stack.destroy().code == 0


def test_a_wait_that_times_out_is_resumed_by_the_next_up(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="never")
    stack.declare(timeout="1s")
    up = stack.up()
    assert up.code == 1
    assert "timed out waiting for REBOOT_VM of instance" in up.output
    assert "`pulumi up` waits for it again and posts nothing" in up.output
    assert stack.up().code == 1
    (remediation,) = api.remediations()
    api.force(remediation["id"], "SUCCEEDED")
    assert stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_without_waiting_a_remediation_counts_as_created_once_accepted(stack: Stack, api: Simulator):
    api.behave(outcome="never")
    stack.declare(wait=False)
    up = stack.up(check=True)
    assert "not waiting for remediation" in up.output
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.refresh().code == 0
    api.force(api.remediations()[0]["id"], "SUCCEEDED")
    assert stack.refresh().code == 0
    assert stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert stack.destroy().code == 0
    assert api.posts() == 1


def test_destroying_a_pending_remediation_cancels_it(stack: Stack, api: Simulator):
    api.behave(outcome="hold")
    stack.declare(wait=False)
    stack.up(check=True)
    destroy = stack.destroy()
    assert destroy.code == 0
    assert "cancelled remediation" in destroy.output
    assert [item["state"] for item in api.remediations()] == ["CANCELLED"]
    assert stack.resources() == {}


def test_destroying_a_running_remediation_waits_for_its_end(stack: Stack, api: Simulator):
    api.behave(outcome="never")
    stack.declare(wait=False)
    stack.up(check=True)
    remediation = api.until("RUNNING")
    with stack.running("destroy", "--yes", "--skip-preview") as destroy:
        printed_until(destroy, "waiting for it to end")
        api.force(remediation["id"], "SUCCEEDED")
        assert destroy.wait(timeout=60) == 0
    assert stack.resources() == {}
    assert api.requests("cancelled") == []


@pytest.mark.parametrize(("choice", "code", "kept"), [("ABANDON", 0, False), ("FAIL", 1, True)])
def test_a_program_may_choose_what_destroying_a_running_remediation_does(
    stack: Stack, api: Simulator, choice: str, code: int, kept: bool
):
    api.behave(outcome="never")
    stack.declare(wait=False)
    stack.up(check=True)
    api.until("RUNNING")
    # The choice counts as it stands in the program now, not as it stood when the remediation was started.
    stack.declare(wait=False, deleteWhileRunning=choice)
    stack.up(check=True)
    destroy = stack.destroy()
    assert destroy.code == code
    assert "cannot be cancelled any more" in destroy.output
    assert ("fix" in stack.resources()) == kept
    assert [item["state"] for item in api.remediations()] == ["RUNNING"]
    assert api.posts() == 1


def test_removing_a_remediation_from_the_program_cancels_it(stack: Stack, api: Simulator):
    api.behave(outcome="hold")
    stack.declare(wait=False)
    stack.up(check=True)
    stack.forget()
    assert stack.up(check=True)
    assert [item["state"] for item in api.remediations()] == ["CANCELLED"]


def test_a_change_of_triggers_runs_a_new_remediation_after_deleting_the_old_one(stack: Stack, api: Simulator):
    stack.declare(triggers={"run": "1"})
    stack.up(check=True)
    stack.declare(triggers={"run": "2"})
    preview = stack.preview()
    assert preview.summary("replace") == 1
    assert "will start a REBOOT_VM remediation" in preview.output
    assert stack.up(check=True).summary("replaced") == 1
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED", "SUCCEEDED"]


def test_other_changes_run_nothing(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    stack.declare(reason="another", timeout="5m", ifActive="ADOPT", retryFailed=True, deleteWhileRunning="FAIL")
    assert stack.up(check=True).summary("replaced") == 0
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_many_remediations_run_side_by_side(stack: Stack, api: Simulator):
    for number in (1, 2, 3, 4):
        stack.declare(f"fix-{number}", instanceId=f"cluster-1-node-{number}")
    assert stack.up(check=True).summary("created") == 5
    assert api.posts() == 4
