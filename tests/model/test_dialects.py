"""Servers that nobody here has met: whatever dialect an API speaks, a remediation runs once and is never lost."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from tests.model.world import NODE, Killed, World

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")

PLAIN = {"clusterId": "cluster-1", "instanceId": NODE, "timeout": "30m"}
LONGEST = 200.0
"""Simulated seconds: a remediation takes 70, answers may lag by 20, and polls are 20 apart."""


def speaking(seed: int, *, keeps_unfinished: bool = True) -> World:
    """A world whose API speaks a dialect drawn by a seed."""
    random.seed(seed)
    return World(reading=None, seed=seed, dialect=seed, keeps_unfinished=keeps_unfinished)


def started(world: World) -> int:
    """How many POSTs took effect."""
    return sum(entry["effect"] == "created" for entry in world.control("GET", "/requests"))


@pytest.mark.parametrize("keeps_unfinished", [True, False], ids=["plugin", "dynamic"])
@pytest.mark.parametrize("mode", ["REBOOT_VM", "VM_ONLY"])
def test_in_every_dialect_it_runs_once_and_stays_in_the_stack(mode: str, keeps_unfinished: bool):
    program: dict[str, dict[str, Any]] = {"fix": PLAIN | {"mode": mode}}
    for seed in range(60):
        world = speaking(seed, keeps_unfinished=keeps_unfinished)
        try:
            begun = world.loop.time()
            assert world.up(program) == [], seed
            assert world.loop.time() - begun < LONGEST, seed
            assert world.stack["fix"].resource.outputs["state"] == "SUCCEEDED", seed
            assert (world.up(program), world.refresh(), started(world)) == ([], [], 1), seed
            assert "fix" in world.stack, seed
        finally:
            world.close()


@pytest.mark.parametrize("takes_effect", [True, False], ids=["after", "before"])
def test_in_every_dialect_a_killed_run_is_resumed(takes_effect: bool):
    program: dict[str, dict[str, Any]] = {"fix": PLAIN | {"mode": "REBOOT_VM"}}
    for seed in range(120):
        world = speaking(seed)
        world.network.kill_at = (1 + seed % 5, takes_effect)
        try:
            with suppress(Killed):  # it may have ended before that request
                world.up(program)
            world.network.kill_at = None
            world.wait(25)  # no dialect lags further: what is assumed of a server is in docs/reliability.md
            assert (world.up(program), started(world)) == ([], 1), seed
        finally:
            world.close()


def test_in_every_dialect_a_refresh_right_after_the_start_keeps_what_runs():
    program: dict[str, dict[str, Any]] = {"fix": PLAIN | {"mode": "REBOOT_VM", "wait": False}}
    for seed in range(60):
        world = speaking(seed)
        try:
            assert (world.up(program), world.refresh(), started(world)) == ([], [], 1), seed
            assert "fix" in world.stack, seed
        finally:
            world.close()
