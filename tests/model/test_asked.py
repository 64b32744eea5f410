"""Nothing runs that nobody asked for: what a killed replacement started counts as the answer to the change."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.client import Accepted, Client
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from pulumi_resource_togetherai.unknown import UNKNOWN
from tests.model.test_preview import PLAIN, behave, force, ran
from tests.model.world import NODE, Held, Killed, Telling, World

CHANGED = {"triggers": {"run": "2"}}


def killed_replacement(world: World, outcome: str) -> dict[str, Any]:
    """A program whose change of triggers was carried out by a run that was killed after its POST."""
    declared = ran(world, "succeed") | CHANGED
    behave(world, outcome)
    world.network.kill_at = (4, True)
    with pytest.raises(Killed):
        world.up({"fix": declared})
    assert [record.terminal for record in world.records()] == [False, True]
    return declared


@pytest.mark.parametrize("state", ["SUCCEEDED", "AUTO_RESOLVED", "FAILED", "CANCELLED"])
def test_what_a_killed_replacement_started_is_the_answer_to_the_change(world: World, state: str):
    declared = killed_replacement(world, "never")
    force(world, state)
    for _ in range(2):
        errors = world.up({"fix": declared})
        assert bool(errors) is (state in ("FAILED", "CANCELLED"))
        assert len(world.records()) == 2


@pytest.mark.parametrize("state", ["SUCCEEDED", "CANCELLED"])
def test_the_same_holds_for_a_retry_and_preview_says_so(plugin_world: World, state: str):
    """With `retryFailed` Diff says in every run that the failed record is to be replaced."""
    declared = ran(plugin_world, "fail") | {"retryFailed": True}
    behave(plugin_world, "never")
    plugin_world.network.kill_at = (4, True)
    with pytest.raises(Killed):
        plugin_world.up({"fix": declared})
    force(plugin_world, state)
    said, _ = plugin_world.preview("fix", declared)
    assert "will start nothing" in said[-1]
    plugin_world.up({"fix": declared})
    assert len(plugin_world.records()) == 2


def abandoned_while_it_runs(world: World) -> dict[str, Any]:
    behave(world, "never")
    declared = ran(world, "never", wait=False, deleteWhileRunning="ABANDON")
    world.wait(15)  # it has begun, and the stack holds it as PENDING
    return declared


def adopted_while_it_runs(world: World) -> dict[str, Any]:
    behave(world, "never")
    world.somebody_else_starts_one()
    assert world.up({"fix": PLAIN | {"ifActive": "ADOPT", "wait": False}}) == []
    return PLAIN | {"wait": False}


def found_by_its_marker_before_it_begins(world: World) -> dict[str, Any]:
    declared = ran(world, "hold", wait=False)
    world.stack.clear()
    assert world.up({"fix": declared}) == []
    return declared


@pytest.mark.parametrize(
    "continues", [abandoned_while_it_runs, adopted_while_it_runs, found_by_its_marker_before_it_begins]
)
def test_a_replacement_of_what_goes_on_is_refused_before_anything_is_deleted(
    world: World, continues: Callable[[World], dict[str, Any]]
):
    declared = continues(world) | CHANGED
    (error,) = world.up({"fix": declared})
    assert "is being repaired already" in error
    assert "Nothing was deleted" in error
    assert not world.stack["fix"].deleted
    assert len(world.records()) == 1


def test_another_change_runs_another_one(world: World):
    declared = killed_replacement(world, "never")
    force(world, "CANCELLED")
    assert world.up({"fix": declared})
    behave(world, "succeed")
    assert world.up({"fix": declared | {"triggers": {"run": "3"}}}) == []
    assert world.stack["fix"].resource.outputs["attempt"] == 3


@pytest.mark.parametrize(("age", "retry", "most"), [(86400, False, 1), (86400, True, 4), (2, True, 1)])
def test_old_answers_to_posts_end_after_as_many_as_there_may_be(
    monkeypatch: pytest.MonkeyPatch, age: int, retry: bool, most: int
):
    """A server that remembers keys longer than it lists remediations answers with one that had ended long ago."""
    monkeypatch.setattr(Client, "earliest_now", Client.now)
    world = World()
    behave(world, "fail")
    posts = list[str]()
    create = Client.create_remediation

    async def answered_with_an_old_one(client: Client, *where: str, reason: str, **more: Any) -> Accepted:
        posts.append(reason)
        accepted = await create(client, *where, reason=reason, **more)
        job = world.app.platform.registry.by_id[str(accepted.remediation_id)]
        world.app.platform.force(job, RemediationState.FAILED)
        job.remediation.create_time = job.remediation.end_time = world.app.platform.now - timedelta(seconds=age)
        return replace(accepted, record=job.remediation.model_copy())

    monkeypatch.setattr(Client, "create_remediation", answered_with_an_old_one)
    (error,) = world.up({"fix": PLAIN | {"retryFailed": retry}})
    assert len(posts) == most
    assert len(set(posts)) == len(posts)
    assert ("with an old one" in error) is (most > 1)
    world.close()


def test_a_mode_and_its_declaration_there_and_back_again_are_attempts_of_one_resource(world: World):
    for attempt, mode in enumerate(["REBOOT_VM", "HOST_POWER_CYCLE", "REBOOT_VM"], start=1):
        assert world.up({"fix": PLAIN | {"mode": mode}}) == []
        assert world.stack["fix"].resource.outputs["attempt"] == attempt
        assert len(world.records()) == attempt
        world.wait(4000)


@pytest.mark.parametrize(("first", "second"), [({}, None), (None, {})])
def test_triggers_without_entries_are_no_triggers(world: World, first: Any, second: Any):
    for triggers in (first, second):
        assert world.up({"fix": PLAIN | ({"triggers": triggers} if triggers is not None else {})}) == []
    assert len(world.records()) == 1


@pytest.mark.parametrize("later", [7200, 30 * 86400])
def test_a_refused_replacement_deletes_nothing_and_reverting_it_runs_nothing(world: World, later: int):
    declared = ran(world, "succeed")
    held = world.stack["fix"].resource.outputs["remediationId"]
    behave(world, "never")
    world.somebody_else_starts_one()
    (error,) = world.up({"fix": declared | CHANGED})
    assert "is being repaired already" in error
    assert "Nothing was deleted" in error
    force(world, "SUCCEEDED")
    world.wait(later)
    assert world.up({"fix": declared}) == []
    assert world.stack["fix"].resource.outputs["remediationId"] == held
    assert len(world.records()) == 2


@pytest.mark.parametrize("later", [3700, 30 * 86400])
def test_what_is_removed_and_comes_back_with_a_reverted_commit_runs_nothing(world: World, later: int):
    declared = ran(world, "succeed")
    assert world.up({}) == []
    world.wait(later)
    said, _ = world.preview("fix", declared)
    assert "warning: `pulumi up` will start nothing" in said[-1]
    assert world.up({"fix": declared}) == []
    assert any("so nothing runs; to run another one" in line for line in world.told.lines)
    assert len(world.records()) == 1


def test_what_adopt_was_promised_and_ended_before_up_is_still_taken_over(world: World):
    declared = PLAIN | {"ifActive": "ADOPT"}
    behave(world, "never")
    world.somebody_else_starts_one()
    said, _ = world.preview("fix", declared)
    assert "will start nothing and take over" in said[-1]
    force(world, "SUCCEEDED")
    assert world.up({"fix": declared}) == []
    assert (len(world.records()), world.stack["fix"].resource.outputs["adopted"]) == (1, True)


def test_a_change_replaces_what_was_adopted_and_has_just_succeeded(world: World):
    declared = PLAIN | {"ifActive": "ADOPT"}
    behave(world, "succeed")
    world.somebody_else_starts_one()
    assert world.up({"fix": declared}) == []
    assert world.stack["fix"].resource.outputs["adopted"]
    for attempt in (1, 2):
        said, _ = world.preview("fix", declared | CHANGED, replace=attempt == 2)
        assert ("(attempt 2: " in said[-1]) == (attempt == 2)
        assert world.up({"fix": declared | CHANGED}, replace=attempt == 2) == []
        assert world.stack["fix"].resource.outputs["attempt"] == attempt
    assert world.up({"fix": declared | CHANGED}) == []
    assert len(world.records()) == 3


def replaced_with_what_it_depends_on(world: World, declared: dict[str, Any]) -> list[str]:
    """What the engine does: it asks Diff before it knows an input, and deletes. Preview comes first, with all inputs
    known: the other resource may tell them without running. Returns what preview said and what went wrong."""

    async def asked() -> list[str]:
        held = world.stack["fix"]
        unknown = {**held.resource.inputs, "triggers": UNKNOWN}
        urn, said, wrong = world.urn("fix"), Telling(), list[str]()
        for preview in (True, False):
            async with world.session() as session:
                process = RemediationResource(session, keeps_unfinished=world.keeps_unfinished)
                assert process.diff(urn, held.recorded, unknown).replaces
                inputs = process.check(urn, declared).inputs
                if preview:
                    await process.preview_create(urn, inputs, said)
                    continue
                await process.delete(urn, held.recorded, world.told)
                created = await process.create(urn, inputs, world.told)
                world.stack["fix"] = Held(created)
                wrong += [created.problem] if created.problem else []
        return said.lines + wrong

    return world.run(asked())


def test_a_dependant_whose_input_turns_out_unchanged_is_not_run_again(world: World):
    declared = ran(world, "succeed")
    said = replaced_with_what_it_depends_on(world, declared)
    assert "will start nothing" in said[-1]
    assert len(world.records()) == 1
    said = replaced_with_what_it_depends_on(world, declared | CHANGED)
    assert "(attempt 2: " in said[-1]
    assert len(world.records()) == 2


def test_a_failure_that_turns_out_to_be_declared_as_before_is_reported_again(plugin_world: World):
    *_, said, wrong = replaced_with_what_it_depends_on(plugin_world, ran(plugin_world, "fail"))
    assert "will start nothing and fail" in said
    assert "It does not run again by itself" in wrong
    assert len(plugin_world.records()) == 1


def test_what_was_cancelled_to_be_replaced_runs_again_although_nothing_changed(world: World):
    declared = ran(world, "hold", wait=False)
    first, second = replaced_with_what_it_depends_on(world, declared)
    assert "will first cancel" in first
    assert "(attempt 2: attempt 1 " in second
    assert [record.state for record in world.records()] == ["PENDING", "CANCELLED"]


def test_what_somebody_cancelled_before_it_was_replaced_does_not_run_again(world: World):
    declared = ran(world, "hold", wait=False)
    force(world, "CANCELLED")
    *_, said, wrong = replaced_with_what_it_depends_on(world, declared)
    assert "will start nothing and fail" in said
    assert "was CANCELLED" in wrong
    assert len(world.records()) == 1


def test_what_runs_is_waited_for_to_be_replaced_and_not_run_again(world: World):
    declared = ran(world, "succeed", wait=False)
    world.wait(15)
    first, second = replaced_with_what_it_depends_on(world, declared)
    assert "will first wait for the end" in first
    assert "will start nothing and take over" in second
    assert [record.state for record in world.records()] == ["SUCCEEDED"]


def test_a_post_answered_with_somebody_elses_is_never_ours_to_cancel(world: World, monkeypatch: pytest.MonkeyPatch):
    behave(world, "hold")
    world.somebody_else_starts_one()
    (other,) = world.records()

    async def answered(client: Client, *where: str, **more: Any) -> Accepted:
        return Accepted(other, other.id)

    monkeypatch.setattr(Client, "create_remediation", answered)
    (error,) = world.up({"fix": PLAIN | {"ifActive": "CREATE"}})
    assert "has shown none under the idempotency key" in error
    assert world.up({}) == []
    assert [record.state for record in world.records()] == ["PENDING"]


def test_a_stack_of_the_same_names_in_another_backend_cancels_nothing_of_the_first(world: World):
    behave(world, "hold")
    first = PLAIN | {"wait": False}
    world.up({"fix": first})
    second = World(keeps_unfinished=world.keeps_unfinished, stack=world.name, beside=world)
    assert second.up({"fix": first}) == []
    assert second.stack["fix"].resource.outputs["resumed"] is True
    assert second.up({}) == []
    assert [record.state for record in world.records()] == ["PENDING"]
    assert any("tg clusters remediations cancel" in line for line in second.told.lines)
    assert world.up({}) == []
    assert [record.state for record in world.records()] == ["CANCELLED"]


def test_preview_counts_slots_by_nodes_and_not_by_remediations(world: World):
    behave(world, "never")
    for _ in range(2):
        world.somebody_else_starts_one()
    declared = PLAIN | {"instanceId": "cluster-1-node-2"}
    for limit, waits in ((1, True), (2, False)):
        world.config = world.config.model_copy(update={"max_concurrent_per_cluster": limit})
        said, errors = world.preview("fix", declared)
        assert errors == []
        assert any("first wait for a free slot" in line for line in said) is waits
        assert not waits or any("1 of 1 in use in cluster cluster-1, by node-1 (" in line for line in said)
        assert "will start" in said[-1]


@pytest.mark.parametrize("ahead", [-7200, 0, 7200])
def test_however_wrong_the_apis_clock_what_a_killed_run_started_is_not_repeated(ahead: int):
    world = World(settings={"dialect": {"date_skew": ahead}})
    world.network.kill_at = (3, True)
    with pytest.raises(Killed):
        world.up({"fix": PLAIN})
    world.wait(3000)
    assert world.up({"fix": PLAIN}) == []
    assert len(world.records()) == 1
    world.close()


def test_replace_runs_what_has_just_succeeded_once_more(plugin_world: World):
    declared = ran(plugin_world, "succeed")
    assert plugin_world.up({"fix": declared}, replace=True) == []
    assert (len(plugin_world.records()), plugin_world.stack["fix"].resource.outputs["attempt"]) == (2, 2)


@pytest.mark.parametrize("mode", ["REMEDIATION_MODE_VM_ONLY_V2", "REMEDIATION_MODE_SHAKE"])
@pytest.mark.parametrize("odd", ["a;b", "-lead", ".hid", "(é)"])
def test_what_a_newer_server_calls_odd_is_imported_and_then_shows_no_change(plugin_world: World, odd: str, mode: str):
    """What an import names, a program declares in the same way."""
    plugin_world.somebody_else_starts_one()
    force(plugin_world, "SUCCEEDED")
    registry = plugin_world.app.platform.registry
    (job,) = registry.by_id.values()
    job.remediation.id, job.remediation.mode = odd, RemediationMode(mode)
    registry.by_id[odd] = job
    job.changed(plugin_world.app.platform.now)
    imported = plugin_world.import_("fix", f"cluster-1/{NODE}/{odd}")
    assert (imported.problem, imported.inputs["mode"]) == (None, mode)
    plugin_world.stack["fix"] = Held(imported)
    assert plugin_world.up({"fix": imported.inputs}) == []
    assert plugin_world.stack["fix"].resource.id == imported.id
    assert len(set(map(id, registry.by_id.values()))) == 1


def test_another_repair_of_the_same_node_takes_no_slot_of_its_own(world: World):
    behave(world, "never")
    world.somebody_else_starts_one()
    world.config = world.config.model_copy(update={"max_concurrent_per_cluster": 1})
    assert world.up({"fix": PLAIN | {"ifActive": "CREATE", "wait": False}}) == []
    assert len(world.records()) == 2


def test_what_another_run_of_the_stack_withdraws_meanwhile_is_no_bad_end():
    """Two start it at once, and a third comes while both are there."""
    random.seed(0)
    first = World(reading="ignore", settings={"pending": 100})
    runs = [first, *(World(stack=first.name, beside=first) for _ in range(2))]

    async def run(world: World, begins: float, pace: float) -> list[str]:
        await asyncio.sleep(begins)
        world.network.pace = lambda: pace
        return await world.up_meanwhile({"fix": PLAIN})

    async def together() -> list[list[str]]:
        return list(await asyncio.gather(run(runs[0], 0, 1), run(runs[1], 0, 1.5), run(runs[2], 8, 0.5)))

    assert first.run(together()) == [[], [], []]
    assert sorted(record.state for record in first.records()) == ["CANCELLED", "SUCCEEDED"]
    assert len({world.stack["fix"].resource.id for world in runs}) == 1
    for world in reversed(runs):
        world.close()
