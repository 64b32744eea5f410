"""Nothing runs that nobody asked for: what a killed replacement started counts as the answer to the change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.test_preview import behave, force, ran
from tests.model.world import Killed, World

CHANGED = {"triggers": {"run": "2"}}


def killed_replacement(world: World, outcome: str) -> dict[str, Any]:
    """A program whose change of triggers was carried out by a run that was killed after its POST."""
    declared = ran(world, "succeed") | CHANGED
    behave(world, outcome)
    world.network.kill_at = (3, True)
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
    plugin_world.network.kill_at = (3, True)
    with pytest.raises(Killed):
        plugin_world.up({"fix": declared})
    force(plugin_world, state)
    said, _ = plugin_world.preview("fix", declared)
    assert "will start nothing" in said[-1]
    plugin_world.up({"fix": declared})
    assert len(plugin_world.records()) == 2


def test_another_change_runs_another_one(world: World):
    declared = killed_replacement(world, "never")
    force(world, "CANCELLED")
    assert world.up({"fix": declared})
    behave(world, "succeed")
    assert world.up({"fix": declared | {"triggers": {"run": "3"}}}) == []
    assert world.stack["fix"].resource.outputs["attempt"] == 3
