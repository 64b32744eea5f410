"""Giving way, story by story: what becomes of a remediation when another one of its node came first."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

import pytest

from tests.model.asking import in_whole_seconds
from tests.model.test_preview import PLAIN, behave
from tests.model.world import NODE, Killed, World


def killed_after_its_post(world: World, **declared: Any) -> dict[str, Any]:
    """Ours is PENDING, nobody waits for it, and the stack does not know it."""
    behave(world, "hold")
    world.network.kill_at = (3, True)  # the LIST, the cluster, then the POST
    with pytest.raises(Killed):
        world.up({"fix": PLAIN | declared})
    return PLAIN | declared


def timed_out(world: World) -> dict[str, Any]:
    """Ours is PENDING, and the stack keeps it as unfinished."""
    behave(world, "hold")
    (error,) = world.up({"fix": PLAIN})
    assert "timed out" in error
    return PLAIN


def another_begins(world: World) -> str:
    """Somebody else's remediation of the node, which has begun and so comes first. Returns its id."""
    world.somebody_else_starts_one()
    other = world.records()[0]
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": "hold", "running": 1e6})
    world.control("POST", f"/remediations/{other.id}/state", {"state": "RUNNING"})
    return other.id


def finish(world: World, remediation: str, state: str = "SUCCEEDED") -> None:
    world.control("POST", f"/remediations/{remediation}/state", {"state": state})
    behave(world, "succeed")


def cancels(world: World) -> int:
    return [entry["effect"] for entry in world.control("GET", "/requests")].count("cancelled")


def states(world: World) -> list[str]:
    return sorted(record.state for record in world.records())


def test_killed_before_its_look_the_next_up_withdraws_and_names_the_winner(world: World):
    declared = killed_after_its_post(world)
    other = another_begins(world)
    (error,) = world.up({"fix": declared})
    assert other in error
    assert "was cancelled before it began" in error
    assert "somebody" in error or "started by" in error
    assert states(world) == ["CANCELLED", "RUNNING"]
    assert world.stack == {}


def test_what_was_withdrawn_is_no_bad_end_and_starts_anew_without_triggers(world: World):
    declared = killed_after_its_post(world)
    other = another_begins(world)
    world.up({"fix": declared})
    (refused,) = world.up({"fix": declared})
    assert "is being repaired already" in refused
    assert "Nothing was posted" in refused
    finish(world, other)
    said, failing = world.preview("fix", declared)
    assert failing == []
    assert any("was repaired 0s ago at 20" in line and other in line for line in said), said
    assert "attempt 2: attempt 1" in said[1]
    assert "was withdrawn before it began" in said[1]
    assert world.up({"fix": declared}) == []
    assert world.stack["fix"].resource.outputs["attempt"] == 2


@pytest.mark.parametrize("takes_effect", [False, True])
def test_a_run_killed_at_its_cancel_is_finished_by_the_next(world: World, takes_effect: bool):
    declared = killed_after_its_post(world)
    other = another_begins(world)
    world.network.kill_at = (4, takes_effect)  # the LIST, the cluster, the look, then the cancel
    with pytest.raises(Killed):
        world.up({"fix": declared})
    assert cancels(world) == takes_effect
    (error,) = world.up({"fix": declared})
    assert "is being repaired already" in error
    assert cancels(world) == 1
    finish(world, other)
    assert world.up({"fix": declared}) == []
    assert sorted(world.effective_posts().values()) == [1, 1]


@pytest.mark.parametrize(
    "lost", [{"kind": "drop_before"}, {"kind": "drop_after"}, {"kind": "error", "status": 503, "after": True}], ids=str
)
def test_a_lost_answer_to_the_withdrawal_changes_nothing(world: World, lost: dict[str, Any]):
    declared = killed_after_its_post(world)
    another_begins(world)
    world.control("POST", "/faults", {"operation": "cancel", "count": 1} | lost)
    (error,) = world.up({"fix": declared})
    assert "was cancelled before it began" in error
    assert cancels(world) == 1


def test_a_withdrawal_the_api_does_not_answer_is_repeated_until_it_does(world: World):
    declared = killed_after_its_post(world, timeout="1h")
    another_begins(world)
    world.control("POST", "/faults", {"operation": "cancel", "kind": "error", "status": 503, "count": 30})
    (error,) = world.up({"fix": declared})
    assert "was cancelled before it began" in error


def test_where_the_api_refuses_the_cancel_both_go_on_and_that_is_said(world: World):
    declared = killed_after_its_post(world)
    other = another_begins(world)
    world.control("POST", "/faults", {"operation": "cancel", "kind": "error", "status": 400})
    (error,) = world.up({"fix": declared | {"timeout": "2m"}})
    assert "timed out" in error
    told = [line for line in world.told.lines if line.startswith("warning: ")]
    assert any("could not be withdrawn" in line and other in line for line in told), told
    assert any("the node is being repaired twice" in line and other in line for line in told), told


def test_one_that_begins_before_it_is_withdrawn_is_kept_and_both_are_named(world: World):
    declared = killed_after_its_post(world)
    ours = world.records()[0].id
    other = another_begins(world)
    world.control("POST", "/faults", {"operation": "cancel", "kind": "latency", "seconds": 10, "count": 1})
    begins = {"outcome": "succeed", "pending": 8, "running": 100}
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", begins)
    assert world.up({"fix": declared}) == []
    assert world.stack["fix"].resource.outputs["remediationId"] == ours
    twice = [line for line in world.told.lines if "the node is being repaired twice" in line]
    assert len(twice) == 1
    assert ours in twice[0]
    assert other in twice[0]


def test_adopt_takes_the_winner_over_and_never_cancels_it(world: World):
    declared = killed_after_its_post(world, ifActive="ADOPT")
    other = another_begins(world)
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": "succeed"})
    assert world.up({"fix": declared}) == []
    outputs = world.stack["fix"].resource.outputs
    assert (outputs["remediationId"], outputs["adopted"], outputs["state"]) == (other, True, "SUCCEEDED")
    assert cancels(world) == 1
    assert world.up({"fix": declared}) == []
    assert world.up({}) == []
    assert len(world.effective_posts()) == 1


def test_one_that_begins_while_ours_is_still_pending_is_seen_by_a_later_look(world: World):
    declared = killed_after_its_post(world, timeout="1h")
    world.somebody_else_starts_one()
    other = world.records()[0].id

    async def begins_later() -> None:
        await asyncio.sleep(600)
        world.control("POST", f"/remediations/{other}/state", {"state": "RUNNING"})

    async def both() -> list[str]:
        errors, _ = await asyncio.gather(world.up_meanwhile({"fix": declared}), begins_later())
        return errors

    (error,) = world.run(both())
    assert other in error
    assert "was cancelled before it began" in error


def test_create_leaves_both(world: World):
    declared = killed_after_its_post(world, ifActive="CREATE")
    another_begins(world)
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": "succeed"})
    assert world.up({"fix": declared}) == []
    assert cancels(world) == 0
    assert world.stack["fix"].resource.outputs["adopted"] is False


def test_one_that_nobody_waits_for_is_withdrawn_too(world: World):
    declared = killed_after_its_post(world, wait=False)
    other = another_begins(world)
    (error,) = world.up({"fix": declared})
    assert other in error
    assert states(world) == ["CANCELLED", "RUNNING"]


@pytest.mark.parametrize("keeps", [True, False], ids=["plugin", "dynamic"])
def test_where_lists_lag_one_that_nobody_waits_for_looks_until_a_list_shows_it(keeps: bool):
    world = World(keeps_unfinished=keeps, settings={"pending": 300, "dialect": {"list_lag": 35}})
    try:
        world.somebody_else_starts_one()
        world.wait(5)
        (error,) = world.up({"fix": PLAIN | {"wait": False}})
        ours, other = world.records()
        assert other.id in error
        assert (ours.state, other.state) == ("CANCELLED", "PENDING")
    finally:
        world.close()


def test_where_no_list_ever_shows_it_the_run_ends_and_says_so():
    world = World(settings={"pending": 3000, "dialect": {"list_lag": 80_000}})
    try:
        assert world.up({"fix": PLAIN | {"wait": False}}) == []
        assert any("no list shows" in line for line in world.told.lines)
        assert world.loop.time() < 7 * 20
    finally:
        world.close()


def test_one_that_came_first_goes_on_and_the_other_is_named(world: World):
    declared = killed_after_its_post(world, wait=False)
    world.somebody_else_starts_one()
    other = world.records()[0].id
    assert world.up({"fix": declared}) == []
    assert any("came first, but the same node also has" in line and other in line for line in world.told.lines)
    assert states(world) == ["PENDING", "PENDING"]


def test_refresh_withdraws_nothing(plugin_world: World):
    timed_out(plugin_world)
    another_begins(plugin_world)
    plugin_world.refresh()
    assert cancels(plugin_world) == 0


def test_a_change_of_settings_withdraws_nothing(world: World):
    """What a complete resource has started without waiting stays, whatever else has begun since."""
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": "hold"})
    declared = PLAIN | {"wait": False}
    assert world.up({"fix": declared}) == []
    another_begins(world)
    assert world.up({"fix": declared | {"reason": "said better"}}) == []
    assert cancels(world) == 0
    assert world.stack["fix"].resource.inputs["reason"] == "said better"


def test_what_the_stack_keeps_as_unfinished_is_withdrawn_and_then_replaced(plugin_world: World):
    declared = timed_out(plugin_world)
    other = another_begins(plugin_world)
    (error,) = plugin_world.up({"fix": declared})
    assert re.search(
        f"was cancelled before it began, because another .*came first: .*{other}(?s:.*)starts a new remediation", error
    )
    for _ in range(2):
        assert plugin_world.stack["fix"].resource.outputs["withdrawn"] is True
        assert "starts a new remediation" in str(plugin_world.stack["fix"].resource.problem)
        plugin_world.refresh()
    _, failing = plugin_world.preview("fix", declared)
    assert "is being repaired already" in failing[0]
    finish(plugin_world, other)
    assert plugin_world.up({"fix": declared}) == []
    outputs = plugin_world.stack["fix"].resource.outputs
    assert (outputs["attempt"], outputs["withdrawn"], outputs["state"]) == (2, False, "SUCCEEDED")


def test_what_the_stack_keeps_and_a_killed_run_withdrew_is_known_for_that(plugin_world: World):
    declared = timed_out(plugin_world)
    other = another_begins(plugin_world)
    plugin_world.network.kill_at = (4, True)  # the GET, the cluster, the look, then the cancel
    with pytest.raises(Killed):
        plugin_world.up({"fix": declared})
    (error,) = plugin_world.up({"fix": declared})
    assert "was cancelled before it began, because others came first" in error
    finish(plugin_world, other)
    assert plugin_world.up({"fix": declared}) == []
    assert plugin_world.stack["fix"].resource.outputs["attempt"] == 2


def test_one_that_a_person_cancelled_is_still_a_bad_end(world: World):
    declared = killed_after_its_post(world)
    world.control("POST", f"/remediations/{world.records()[0].id}/state", {"state": "CANCELLED"})
    (error,) = world.up({"fix": declared})
    assert "does not run again by itself" in error
    assert len(world.effective_posts()) == 1


# --- what happened lately ---


def test_a_resource_renamed_without_an_alias_learns_of_the_recent_repair(world: World):
    assert world.up({"old": PLAIN}) == []
    said, failing = world.preview("new", PLAIN)
    assert failing == []
    warning = next(line for line in said if line.startswith("warning: "))
    for part in (world.records()[0].id, "Pulumi program training/prod", "set `ifRecent` to IGNORE"):
        assert part in warning
    assert world.preview("new", PLAIN | {"ifRecent": "IGNORE"})[0] == [said[1]]
    _, refused = world.preview("new", PLAIN | {"ifRecent": "FAIL"})
    assert "`pulumi up` will refuse" in refused[0]
    (error,) = world.up({"old": PLAIN, "new": PLAIN | {"ifRecent": "FAIL"}})
    assert "`ifRecent` is FAIL. Nothing was posted" in error
    assert len(world.records()) == 1
    world.told.lines.clear()
    assert world.up({"new": PLAIN}) == []
    assert any("was repaired" in line and line.startswith("warning: ") for line in world.told.lines)
    assert len(world.records()) == 2


def test_a_change_of_triggers_is_the_users_word_and_needs_no_warning(world: World):
    assert world.up({"fix": PLAIN}) == []
    again = PLAIN | {"triggers": {"run": "2"}}
    said, _ = world.preview("fix", again)
    assert not [line for line in said if "was repaired" in line]
    assert world.up({"fix": again}) == []
    assert not [line for line in world.told.lines if "was repaired" in line]


@pytest.mark.parametrize("coarse", [False, True])
def test_with_times_in_whole_seconds_the_look_waits_out_the_second(world: World, coarse: bool):
    behave(world, "hold")
    world.wait(0.3)
    world.network.pace = lambda: 0.01
    world.network.bend = in_whole_seconds if coarse else None
    assert world.up({"fix": PLAIN | {"wait": False}}) == []
    asked = [entry for entry in world.control("GET", "/requests") if entry["path"].startswith("/v1")]
    (post,) = [number for number, entry in enumerate(asked) if entry["method"] == "POST"]
    posted, looked = (datetime.fromisoformat(asked[number]["time"]) for number in (post, post + 1))
    assert ((looked - posted).total_seconds() >= 1) is coarse
