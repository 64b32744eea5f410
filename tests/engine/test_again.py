"""The ways on after a remediation that ended badly, on the real engine: each runs again on the user's word alone, and
preview says so before."""

from __future__ import annotations

import pytest

from tests.engine.stack import Stack
from tests.simulated import Simulator


def ends_badly(stack: Stack, api: Simulator, state: str) -> None:
    """A remediation that the platform failed, or that somebody cancelled; the stack's program stays as it was."""
    if state == "FAILED":
        api.behave(outcome="fail")
        stack.declare()
        assert stack.up().code == 1
    else:
        api.behave(outcome="hold")
        stack.declare(wait=False)
        stack.up(check=True)
        api.force(api.until("PENDING")["id"], "CANCELLED")
        stack.declare()
        assert stack.refresh().code == 0
        assert stack.up().code == 1
    api.behave(outcome="succeed")
    assert api.posts() == 1


def runs_again(stack: Stack, api: Simulator, *flags: str, attempt: int) -> None:
    preview = stack.preview(*flags)
    assert "`pulumi up` will start a REBOOT_VM remediation of instance cluster-1-node-1" in preview.diagnostics
    assert f"(attempt {attempt}: " in preview.diagnostics
    assert api.posts() == 1
    stack.up(*flags, check=True)
    assert api.posts() == 2
    outputs = stack.resources()["fix"]["outputs"]
    assert (outputs["state"], outputs["attempt"]) == ("SUCCEEDED", attempt)
    assert stack.up(check=True).summary("unchanged") == 2


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_change_of_triggers_runs_it_again(stack: Stack, api: Simulator, state: str):
    ends_badly(stack, api, state)
    stack.declare(triggers={"again": "1"})
    runs_again(stack, api, attempt=1)


def test_retry_failed_runs_a_failed_one_again(stack: Stack, api: Simulator):
    ends_badly(stack, api, "FAILED")
    stack.declare(retryFailed=True)
    runs_again(stack, api, attempt=2)


def test_retry_failed_does_not_run_a_cancelled_one_again(stack: Stack, api: Simulator):
    ends_badly(stack, api, "CANCELLED")
    stack.declare(retryFailed=True)
    assert stack.up().code == 1
    assert api.posts() == 1


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_replace_runs_it_again(plugin_stack: Stack, api: Simulator, state: str):
    ends_badly(plugin_stack, api, state)
    runs_again(plugin_stack, api, "--replace", plugin_stack.urn(), attempt=2)


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_removing_it_is_the_end_of_it(stack: Stack, api: Simulator, state: str):
    ends_badly(stack, api, state)
    stack.forget()
    stack.up(check=True)
    assert stack.resources() == {}
    stack.declare()
    assert stack.up().code == 1, "declared again as it was, it is reported again"
    assert api.posts() == 1


def test_somebody_elses_remediation_is_refused_adopted_or_joined_as_the_program_says(stack: Stack, api: Simulator):
    api.behave(outcome="hold")
    other = api.create()
    stack.declare()
    refused = stack.up()
    assert refused.code == 1
    assert other["id"] in refused.output
    assert f"cluster-1/cluster-1-node-1/{other['id']}" in refused.output
    stack.declare(ifActive="ADOPT", wait=False)
    assert "take over remediation" in stack.preview().output
    stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["adopted"] is True
    assert stack.destroy().code == 0
    assert [item["state"] for item in api.remediations()] == ["PENDING"]
    stack.declare(ifActive="CREATE", wait=False)
    stack.up(check=True)
    assert api.posts() == 2


def test_history_that_expired_takes_no_record_away(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    api.forget(api.remediations()[0]["id"])
    refresh = stack.refresh()
    assert "its record is kept" in refresh.output
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1
