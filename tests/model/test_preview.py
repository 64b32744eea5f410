"""Preview tells the truth: what it says `up` will do is what `up` does when nothing changes in between.

Each row arranges a world; preview's words are then held against the journal of the `up` that follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.model.world import NODE, World

PLAIN = {"clusterId": "cluster-1", "instanceId": NODE, "mode": "REBOOT_VM", "timeout": "5m"}
Row = Callable[[World], dict[str, Any]]
"""Arranges a world, and returns what the program declares in it."""

ROWS: dict[str, tuple[Row, str]] = {}
"""The rows by name, each with what preview has to say."""


def row(words: str) -> Callable[[Row], Row]:
    def add(arrange: Row) -> Row:
        ROWS[arrange.__name__] = (arrange, words)
        return arrange

    return add


def behave(world: World, outcome: str) -> None:
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": outcome})


def force(world: World, state: str) -> None:
    world.control("POST", f"/remediations/{world.records()[0].id}/state", {"state": state})


def ran(world: World, outcome: str, **declared: Any) -> dict[str, Any]:
    """A remediation that the stack holds, if it keeps such a one."""
    behave(world, outcome)
    world.up({"fix": PLAIN | declared})
    return PLAIN | declared


def ran_and_lost(world: World, outcome: str, **declared: Any) -> dict[str, Any]:
    """A remediation whose run was killed before the stack was saved."""
    program = ran(world, outcome, **declared)
    world.stack.clear()
    return program


@row("will start a REBOOT_VM remediation(?!.*attempt)")
def nothing_is_there(world: World) -> dict[str, Any]:
    return PLAIN


@row("will start nothing and take over.*it belongs to this resource and is RUNNING")
def ours_is_running_and_the_stack_was_not_saved(world: World) -> dict[str, Any]:
    program = ran_and_lost(world, "never", wait=False)
    world.wait(15)
    return program


@row("warning: .*will start nothing and take over.*SUCCEEDED .* ago, so nothing runs; to run another one, change")
def ours_succeeded_and_the_stack_was_not_saved(world: World) -> dict[str, Any]:
    return ran_and_lost(world, "succeed")


@row("warning: .*will start nothing and take over.*SUCCEEDED .* ago, so nothing runs")
def ours_succeeded_long_ago(world: World) -> dict[str, Any]:
    program = ran_and_lost(world, "succeed")
    world.wait(4000)
    return program


@row("will start nothing and fail with.*it FAILED and does not run again by itself")
def ours_failed_and_the_stack_was_not_saved(world: World) -> dict[str, Any]:
    return ran_and_lost(world, "fail")


@row("will start nothing and fail with.*it was CANCELLED and does not run again by itself")
def ours_was_cancelled_and_the_stack_was_not_saved(world: World) -> dict[str, Any]:
    program = ran_and_lost(world, "hold", wait=False)
    force(world, "CANCELLED")
    return program


@row("will start a REBOOT_VM remediation.*attempt 2: attempt 1 .* FAILED")
def ours_failed_and_the_program_says_to_try_again(world: World) -> dict[str, Any]:
    return ran(world, "fail") | {"retryFailed": True}


@row("will start a REBOOT_VM remediation.*attempt 2: attempt 1 .* FAILED")
def ours_failed_and_the_triggers_change(world: World) -> dict[str, Any]:
    return ran(world, "fail") | {"triggers": {"run": "2"}}


@row("will start nothing and fail")
def ours_failed_and_nothing_changes(world: World) -> dict[str, Any]:
    return ran(world, "fail")


@row("will refuse: .*is being repaired already")
def somebody_else_repairs_the_node(world: World) -> dict[str, Any]:
    behave(world, "never")
    world.somebody_else_starts_one()
    return PLAIN


@row("will start nothing and take over.*`ifActive` is ADOPT")
def somebody_else_repairs_the_node_and_the_program_says_adopt(world: World) -> dict[str, Any]:
    world.somebody_else_starts_one()
    return PLAIN | {"ifActive": "ADOPT"}


@row("will start a REBOOT_VM remediation")
def somebody_else_repairs_the_node_and_the_program_says_create(world: World) -> dict[str, Any]:
    world.somebody_else_starts_one()
    return PLAIN | {"ifActive": "CREATE"}


@row("will first cancel.*PENDING\n.*will start a REBOOT_VM remediation.*attempt 2: attempt 1 .* ends first")
def the_triggers_change_while_it_is_pending(world: World) -> dict[str, Any]:
    return ran(world, "hold", wait=False) | {"triggers": {"run": "2"}}


@row("will first wait for the end of.*RUNNING\n.*will start a REBOOT_VM.*attempt 2: attempt 1 .* ends first")
def the_triggers_change_while_it_is_running(world: World) -> dict[str, Any]:
    program = ran(world, "succeed", wait=False) | {"triggers": {"run": "2"}}
    world.wait(15)
    return program


@row("will first cancel.*PENDING\n.*will start a REBOOT_VM remediation.*attempt 2: attempt 1 .* ends first")
def the_triggers_change_while_it_is_pending_and_the_program_abandons_what_runs(world: World) -> dict[str, Any]:
    return ran(world, "hold", wait=False, deleteWhileRunning="ABANDON") | {"triggers": {"run": "2"}}


@row("will first abandon.*\n?.*will refuse: .*is being repaired already")
def the_triggers_change_and_the_program_abandons_the_running_one(world: World) -> dict[str, Any]:
    program = ran(world, "never", wait=False, deleteWhileRunning="ABANDON") | {"triggers": {"run": "2"}}
    world.wait(15)
    return program


@row("will refuse: .*`deleteWhileRunning` is FAIL")
def the_triggers_change_and_the_program_forbids_it_while_running(world: World) -> dict[str, Any]:
    program = ran(world, "never", wait=False, deleteWhileRunning="FAIL") | {"triggers": {"run": "2"}}
    world.wait(15)
    return program


@row("will refuse: .*has no instance|cluster cluster-1 has no instance")
def the_instance_is_unknown(world: World) -> dict[str, Any]:
    return PLAIN | {"instanceId": "cluster-1-node-99"}


@row("^$")
def it_succeeded_and_nothing_changes(world: World) -> dict[str, Any]:
    return ran(world, "succeed")


@row("^$")
def it_succeeded_and_only_settings_change(world: World) -> dict[str, Any]:
    return ran(world, "succeed") | {"reason": "another", "retryFailed": True}


@pytest.mark.parametrize("name", ROWS)
def test_up_does_what_preview_said(world: World, name: str):
    arrange, words = ROWS[name]
    declared = arrange(world)
    holds_to_its_word(world, declared, words)


@pytest.mark.parametrize("outcome", ["hold", "never", "succeed"])
def test_a_timed_out_wait_is_resumed_as_preview_said(plugin_world: World, outcome: str):
    declared = ran(plugin_world, "hold")
    if outcome == "succeed":
        force(plugin_world, "SUCCEEDED")
    words = "will record that .* SUCCEEDED, and start nothing" if outcome == "succeed" else "will wait for .*PENDING"
    holds_to_its_word(plugin_world, declared, words)


def test_a_replaced_failure_runs_again_as_preview_said(plugin_world: World):
    declared = ran(plugin_world, "fail")
    holds_to_its_word(plugin_world, declared, "will start .*attempt 2: attempt 1 .*FAILED", replace=True)


def test_a_preview_asks_and_never_acts(world: World):
    for arrange, _ in ROWS.values():
        declared = arrange(world)
        world.control("DELETE", "/requests")
        world.preview("fix", declared)
        assert {entry["method"] for entry in world.control("GET", "/requests")} <= {"GET"}


def holds_to_its_word(world: World, declared: dict[str, Any], words: str, *, replace: bool = False) -> None:
    """The words are the expected ones, and `up` then does no more and no less than they say."""
    said, failing = world.preview("fix", declared, replace=replace)
    text = "\n".join([*said, *failing])
    assert re.search(words, text), text
    world.control("DELETE", "/requests")
    before = {record.id for record in world.records()}
    errors = world.up({"fix": declared}, replace=replace)
    effects = [entry["effect"] for entry in world.control("GET", "/requests")]
    assert effects.count("created") == ("will start a" in text)
    assert effects.count("cancelled") == ("will first cancel" in text)
    assert not (failing and not errors), "preview failed, up did not"
    assert bool(errors) == (bool(failing) or "and fail" in text or stays_unfinished(world, declared, text)), errors
    if announced := re.search(r"will start a .*\(attempt (\d+): ", text):
        assert f" #{announced[1]} " in (world.records()[0].reason or "")
    if "take over" in text:
        assert world.stack["fix"].resource.outputs["remediationId"] in before
        assert world.stack["fix"].resource.outputs["remediationId"] in text


def stays_unfinished(world: World, declared: dict[str, Any], text: str) -> bool:
    """Whether what `up` waits for does not end well in time: that the future brings, not preview."""
    waits = "will wait for" in text or "will start a" in text
    states = {record.state.value for record in world.records()}
    return waits and declared.get("wait", True) and bool(states & {"PENDING", "RUNNING", "FAILED"})


def test_a_failure_that_is_accepted_completes_the_resource_and_does_not_run_again(world: World):
    behave(world, "fail")
    accepting = PLAIN | {"acceptFailure": True}
    assert world.up({"fix": accepting}) == []
    assert world.stack["fix"].resource.outputs["state"] == "FAILED"
    assert any("FAILED, which `acceptFailure` accepts" in line for line in world.told.lines)
    assert world.up({"fix": accepting}) == []
    assert world.refresh() == []
    assert world.preview("fix", accepting) == ([], [])
    assert list(world.effective_posts().values()) == [1]


def test_a_failure_can_be_accepted_afterwards(world: World):
    behave(world, "fail")
    assert world.up({"fix": PLAIN}) != []
    said, _ = world.preview("fix", PLAIN | {"acceptFailure": True})
    assert len(said) == 1
    assert "start nothing" in said[0]
    assert "and fail" not in said[0]
    assert world.up({"fix": PLAIN | {"acceptFailure": True}}) == []
    assert world.stack["fix"].resource.outputs["state"] == "FAILED"
    assert list(world.effective_posts().values()) == [1]


def refuse(world: World, status: int, operation: str = "*") -> None:
    world.control("POST", "/faults", {"kind": "error", "status": status, "operation": operation})


def test_a_key_that_the_api_refuses_fails_the_preview_as_it_fails_up(world: World):
    refuse(world, 401)
    said, failing = world.preview("fix", PLAIN)
    assert said == []
    assert re.search("`pulumi up` will fail, because the API refuses the key: .*401", failing[0])
    assert "401" in world.up({"fix": PLAIN})[0]


def test_it_fails_the_preview_of_an_unfinished_one_too(plugin_world: World):
    declared = ran(plugin_world, "hold")
    refuse(plugin_world, 401)
    said, failing = plugin_world.preview("fix", declared)
    assert said == []
    assert "`pulumi up` will fail, because the API refuses the key" in failing[0]
    assert "401" in plugin_world.up({"fix": declared})[0]


def test_a_key_that_may_only_not_read_this_is_a_warning(world: World):
    refuse(world, 403)
    said, failing = world.preview("fix", PLAIN)
    assert failing == []
    assert "warning: cannot check what `pulumi up` will do" in said[0]
    assert "403" in said[0]


def test_where_the_nodes_alone_are_refused_up_works_and_the_preview_passes(world: World):
    refuse(world, 401, "get_cluster")
    said, failing = world.preview("fix", PLAIN)
    assert failing == []
    assert "warning: cannot check what `pulumi up` will do" in said[0]
    assert world.up({"fix": PLAIN}) == []


def test_of_one_that_vanished_it_says_when_up_will_fail(plugin_world: World):
    declared = ran(plugin_world, "hold")
    force(plugin_world, "SUCCEEDED")
    plugin_world.control("POST", f"/remediations/{plugin_world.records()[0].id}/expire")
    said, failing = plugin_world.preview("fix", declared)
    assert failing == []
    assert re.search("^warning: the API does not show .*last seen PENDING. `pulumi up` will start nothing; if", said[0])
    assert "for 4m, `pulumi up` will fail" in said[0]
    assert "the API no longer knows" in plugin_world.up({"fix": declared})[0]
    assert list(plugin_world.effective_posts().values()) == [1]


@pytest.mark.parametrize("name", ["cluster-1-worker-3", "cluster-1-host-3", "cluster-1-slurm-3"])
def test_an_instance_id_that_names_a_node_is_answered_with_the_instance_in_it(world: World, name: str):
    _, (error,) = world.preview("fix", PLAIN | {"instanceId": name})
    assert f"has no instance {name}: that names a node, whose instance is cluster-1-node-3 now" in error
