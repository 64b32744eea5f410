"""After a remediation that replaces the VM, the run says which instance is in the node now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.world import NODE, World

PLAIN: dict[str, Any] = {"clusterId": "cluster-1", "instanceId": NODE, "timeout": "20m"}
TOLD = f"instance {NODE} of cluster cluster-1 was replaced: its node holds instance {NODE}-r2 now"


@pytest.mark.parametrize("mode", ["VM_ONLY", "HOST_AWARE"])
def test_the_new_instance_is_named(world: World, mode: str):
    assert world.up({"fix": PLAIN | {"mode": mode}}) == []
    assert world.told.lines == [TOLD]
    (_, failing) = world.preview("again", PLAIN | {"mode": mode, "instanceId": f"{NODE}-r2"})
    assert failing == []


def test_so_it_is_after_an_interrupted_wait(plugin_world: World):
    declared = PLAIN | {"mode": "VM_ONLY", "timeout": "20s"}
    assert plugin_world.up({"fix": declared}) != []
    plugin_world.wait(600)
    assert plugin_world.up({"fix": declared}) == []
    assert plugin_world.told.lines == [TOLD]
    assert plugin_world.up({"fix": declared | {"reason": "said later"}}) == []
    assert plugin_world.told.lines == [TOLD]


@pytest.mark.parametrize(
    ("mode", "outcome"), [("REBOOT_VM", "succeed"), ("VM_ONLY", "fail"), ("VM_ONLY", "auto_resolve")]
)
def test_where_nothing_was_replaced_nothing_is_said_or_asked(world: World, mode: str, outcome: str):
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": outcome})
    world.up({"fix": PLAIN | {"mode": mode}})
    assert not [line for line in world.told.lines if "was replaced" in line]
    assert not [entry for entry in world.control("GET", "/requests") if entry["path"].endswith("/clusters/cluster-1")]


def test_an_api_that_does_not_say_it_delays_no_success(world: World):
    world.control("POST", "/faults", {"kind": "latency", "operation": "get_cluster", "seconds": 600})
    before = world.loop.time()
    assert world.up({"fix": PLAIN | {"mode": "VM_ONLY"}}) == []
    assert world.told.lines == []
    assert world.loop.time() - before < 600
