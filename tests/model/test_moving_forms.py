"""What the plugin keeps as unfinished, when the program changes to the dynamic form, which keeps nothing unfinished."""

from __future__ import annotations

from tests.model.test_giving_way import another_begins, cancels, finish, timed_out
from tests.model.test_preview import PLAIN, behave
from tests.model.world import World


def change_to_the_dynamic_form(world: World) -> None:
    world.keeps_unfinished = False


def test_one_that_timed_out_is_waited_for_and_not_started_again(plugin_world: World):
    declared = timed_out(plugin_world)
    change_to_the_dynamic_form(plugin_world)
    (pending,) = plugin_world.records()
    said, _ = plugin_world.preview("fix", declared)
    assert "`pulumi up` will wait for remediation" in said[0]
    (error,) = plugin_world.up({"fix": declared})
    assert "timed out" in error
    finish(plugin_world, pending.id)
    assert plugin_world.up({"fix": declared}) == []
    assert plugin_world.stack["fix"].resource.outputs["state"] == "SUCCEEDED"
    assert len(plugin_world.records()) == 1
    assert cancels(plugin_world) == 0


def test_one_that_was_withdrawn_is_started_again_without_a_change_of_triggers(plugin_world: World):
    declared = timed_out(plugin_world)
    winner = another_begins(plugin_world)
    plugin_world.up({"fix": declared})
    assert plugin_world.stack["fix"].resource.outputs["withdrawn"] is True
    finish(plugin_world, winner)
    change_to_the_dynamic_form(plugin_world)
    assert plugin_world.up({"fix": declared}) == []
    outputs = plugin_world.stack["fix"].resource.outputs
    assert (outputs["attempt"], outputs["withdrawn"], outputs["state"]) == (2, False, "SUCCEEDED")


def test_one_that_failed_is_reported_until_the_program_accepts_it(plugin_world: World):
    behave(plugin_world, "fail")
    plugin_world.up({"fix": PLAIN})
    change_to_the_dynamic_form(plugin_world)
    for _ in range(2):
        (error,) = plugin_world.up({"fix": PLAIN})
        assert "does not run again by itself" in error
    assert plugin_world.up({"fix": PLAIN | {"acceptFailure": True}}) == []
    assert len(plugin_world.records()) == 1
