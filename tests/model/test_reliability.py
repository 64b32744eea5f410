"""The promise, story by story: never twice, never lost, under every reading of the API."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.model.test_preview import PLAIN, behave, force, ran, ran_and_lost
from tests.model.world import Killed, World

READINGS = ["id", "existing", "conflict", "ignore", "refuse"]
LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "cut off before it took effect": {"kind": "drop_before"},
    "cut off after it took effect": {"kind": "drop_after"},
    "500 after it took effect": {"kind": "error", "status": 500, "after": True},
    "503 before it took effect": {"kind": "error", "status": 503},
    "408 after it took effect": {"kind": "error", "status": 408, "after": True},
    "too late": {"kind": "latency", "seconds": 300, "after": True},
    "body cut off": {"kind": "truncated"},
    "no JSON": {"kind": "malformed"},
    "HTML": {"kind": "html"},
    "429": {"kind": "rate_limit", "seconds": 7},
}


@pytest.fixture(params=[None, *range(5)], ids="dialect {}".format)
def dialect(request: pytest.FixtureRequest) -> int | None:
    """The seed of the dialect that the API speaks; None for the contract's."""
    return request.param


@pytest.fixture(params=READINGS)
def reading(request: pytest.FixtureRequest, dialect: int | None) -> Generator[World]:
    """A world under each reading of `remediation_id`, in some dialects."""
    made = World(reading=request.param, dialect=dialect)
    yield made
    made.close()


@pytest.mark.parametrize("lost", LOST_ANSWERS)
def test_a_lost_answer_to_the_post_starts_nothing_twice(reading: World, lost: str):
    reading.control("POST", "/faults", {"operation": "create", "count": 1} | LOST_ANSWERS[lost])
    assert reading.up({"fix": PLAIN}) == []
    assert list(reading.effective_posts().values()) == [1]
    assert reading.stack["fix"].resource.outputs["state"] == "SUCCEEDED"


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("request_number", [1, 2, 3, 4, 5])
def test_a_killed_run_is_found_again(reading: World, request_number: int, takes_effect: bool):
    reading.network.kill_at = (request_number, takes_effect)
    with pytest.raises(Killed):
        reading.up({"fix": PLAIN})
    reading.wait(reading.lag)
    assert reading.up({"fix": PLAIN}) == []
    assert list(reading.effective_posts().values()) == [1]
    (record,) = reading.records()
    assert reading.stack["fix"].remediation == record.id


def test_a_key_that_the_server_remembers_longer_than_its_history_is_no_dead_end(reading: World):
    ran_and_lost(reading, "succeed")
    reading.wait(4000)
    reading.control("POST", f"/remediations/{reading.records()[0].id}/expire")
    errors = reading.up({"fix": PLAIN})
    assert errors == [] or "idempotency key" in errors[0]
    assert all(count <= 2 for count in reading.effective_posts().values())


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_bad_end_is_not_run_again_by_any_number_of_runs(world: World, state: str):
    behave(world, "hold")
    world.up({"fix": PLAIN | {"wait": False}})
    force(world, state)
    if not world.keeps_unfinished:
        world.stack.clear()
    for _ in range(3):
        world.refresh()
        assert world.up({"fix": PLAIN})
    assert list(world.effective_posts().values()) == [1]


def test_a_replacement_killed_after_its_post_is_named_and_taken_over(plugin_world: World):
    declared = ran(plugin_world, "fail")
    behave(plugin_world, "never")
    plugin_world.network.kill_at = (3, True)  # LIST, the cluster, then the POST
    with pytest.raises(Killed):
        plugin_world.up({"fix": declared}, replace=True)
    (error,) = plugin_world.up({"fix": declared})
    running = plugin_world.records()[0]
    assert "attempt 2 exists already" in error
    assert "`pulumi up --replace` takes it over" in error
    plugin_world.told.lines.clear()
    plugin_world.refresh()
    assert any("attempt 2 exists already" in line for line in plugin_world.told.lines)
    assert running.id in error
    (error,) = plugin_world.up({"fix": declared}, replace=True)
    assert "timed out waiting" in error
    force(plugin_world, "SUCCEEDED")
    assert plugin_world.up({"fix": declared}) == []
    assert plugin_world.stack["fix"].resource.outputs["remediationId"] == running.id
    assert sorted(plugin_world.effective_posts().values()) == [1, 1]


def test_a_killed_replacements_success_is_named_with_how_to_take_it_over(
    plugin_world: World,
):
    declared = ran(plugin_world, "fail")
    behave(plugin_world, "succeed")
    plugin_world.network.kill_at = (3, True)  # LIST, the cluster, then the POST
    with pytest.raises(Killed):
        plugin_world.up({"fix": declared}, replace=True)
    plugin_world.wait(300)
    (error,) = plugin_world.up({"fix": declared})
    assert "attempt 2 exists already" in error
    assert "pulumi state delete" in error
    del plugin_world.stack["fix"]
    assert plugin_world.up({"fix": declared}) == []
    assert sorted(plugin_world.effective_posts().values()) == [1, 1]


def test_what_was_adopted_from_somebody_else_is_never_cancelled(world: World):
    behave(world, "hold")
    world.somebody_else_starts_one()
    world.up({"fix": PLAIN | {"ifActive": "ADOPT", "wait": False}})
    assert world.up({}) == []
    assert [record.state for record in world.records()] == ["PENDING"]
    assert any("alone" in line for line in world.told.lines)


@pytest.mark.parametrize(("choice", "told"), [("WAIT", "waiting for it to end"), ("ABANDON", "It continues")])
def test_a_cancel_that_comes_too_late_falls_through_to_the_rule_for_running_ones(world: World, choice: str, told: str):
    ran(world, "succeed", wait=False, deleteWhileRunning=choice)
    world.wait(9)  # it starts at ten
    world.control("POST", "/faults", {"operation": "cancel", "kind": "latency", "seconds": 3, "count": 1})
    assert world.up({}) == []
    assert any(told in line and "RUNNING" in line for line in world.told.lines)
    assert world.records()[0].state == ("SUCCEEDED" if choice == "WAIT" else "RUNNING")
    assert world.stack == {}


@pytest.mark.parametrize("lost", LOST_ANSWERS)
def test_a_cancel_is_asked_for_until_it_is_answered(world: World, lost: str):
    ran(world, "hold", wait=False)
    world.control("POST", "/faults", {"operation": "cancel", "count": 2} | LOST_ANSWERS[lost])
    assert world.up({}) == []
    assert [record.state for record in world.records()] == ["CANCELLED"]
    assert world.stack == {}


def test_a_cancel_that_is_never_answered_keeps_the_resource(world: World):
    ran(world, "hold", wait=False)
    world.control("POST", "/faults", {"operation": "cancel", "kind": "error", "status": 503})
    (error,) = world.up({})
    assert "It stays in the stack; run the same command again" in error
    assert "fix" in world.stack
    world.control("DELETE", "/faults")
    assert world.up({}) == []
    assert [record.state for record in world.records()] == ["CANCELLED"]


@pytest.mark.parametrize("gone", ["expire", "SUCCEEDED"])
def test_deleting_what_is_gone_or_has_ended_does_nothing(world: World, gone: str):
    ran(world, "hold", wait=False)
    force(world, "SUCCEEDED")
    if gone == "expire":
        world.control("POST", f"/remediations/{world.records()[0].id}/expire")
    assert world.up({}) == []
    assert world.stack == {}


@pytest.mark.parametrize("outcome", ["succeed", "auto_resolve"])
def test_an_ended_record_outlives_the_apis_history(world: World, outcome: str):
    declared = ran(world, outcome)
    world.control("POST", f"/remediations/{world.records()[0].id}/expire")
    assert world.refresh() == []
    assert "fix" in world.stack
    assert world.up({"fix": declared}) == []
    assert list(world.effective_posts().values()) == [1]


def test_an_active_one_that_the_api_no_longer_knows_is_gone(world: World):
    ran(world, "hold", wait=False)
    force(world, "SUCCEEDED")
    world.control("POST", f"/remediations/{world.records()[0].id}/expire")
    assert world.refresh() == []
    assert world.stack == {}


def test_retry_failed_runs_a_failed_one_once_more_with_each_up(world: World):
    declared = PLAIN | {"retryFailed": True}
    behave(world, "fail")
    for attempt in (1, 2, 3):
        assert world.up({"fix": declared})
        assert len(world.effective_posts()) == attempt
    behave(world, "succeed")
    assert world.up({"fix": declared}) == []
    assert world.stack["fix"].resource.outputs["attempt"] == 4
    assert world.up({"fix": declared}) == []
    assert len(world.effective_posts()) == 4


def test_an_explicit_key_is_what_the_server_is_given(world: World):
    world.up({"fix": PLAIN | {"idempotencyKey": "incident-42"}})
    assert list(world.effective_posts().values()) == [1]
    assert [record.id for record in world.records()] == ["incident-42"]


def test_an_explicit_key_of_another_nodes_remediation_is_not_taken_for_ours(world: World):
    behave(world, "never")
    world.up({"fix": PLAIN | {"idempotencyKey": "incident-42", "wait": False}})
    first = PLAIN | {"idempotencyKey": "incident-42", "wait": False}
    (error,) = world.up({"fix": first, "other": first | {"instanceId": "cluster-1-node-2"}})
    assert "belongs to another remediation" in error or "idempotency key" in error
    assert len(world.records()) == 1


def test_a_persons_cancel_in_a_cluster_full_with_ours_is_only_reported(world: World):
    world.config = world.config.model_copy(update={"max_concurrent_per_cluster": 2})
    beside = PLAIN | {"instanceId": "cluster-1-node-2", "wait": False}
    behave(world, "hold")
    world.control("PUT", "/instances/cluster-1/cluster-1-node-2/behaviour", {"outcome": "never"})
    assert world.up({"beside": beside, "fix": PLAIN | {"wait": False}}) == []
    force(world, "CANCELLED")
    world.stack.pop("fix")  # the run was killed before the stack was saved
    for _ in range(2):
        (error,) = world.up({"beside": beside, "fix": PLAIN | {"wait": False}})
        assert "was CANCELLED" in error
        assert "change `triggers`" in error
    assert list(world.effective_posts().values()) == [1, 1]
