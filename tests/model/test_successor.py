"""After a remediation that replaces the VM, the run says which instance is in the node now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.world import NODE, World

PLAIN: dict[str, Any] = {"clusterId": "cluster-1", "instanceId": NODE, "timeout": "20m"}
TOLD = f"instance {NODE} of cluster cluster-1 was replaced: its node holds instance {NODE}-r2 now"


def looks(world: World) -> int:
    """How often the cluster was read."""
    return sum(entry["path"].endswith("/clusters/cluster-1") for entry in world.control("GET", "/requests"))


def current(world: World) -> tuple[Any, Any]:
    """What the stack says of the node after the end."""
    outputs = world.stack["fix"].resource.outputs
    return outputs.get("currentInstanceId"), outputs.get("currentHost")


@pytest.mark.parametrize(("mode", "host"), [("VM_ONLY", "cluster-1-host-1"), ("HOST_AWARE", "cluster-1-host-5")])
def test_the_new_instance_and_its_host_are_named(world: World, mode: str, host: str):
    assert world.up({"fix": PLAIN | {"mode": mode}}) == []
    assert world.told.lines == [TOLD]
    assert (looks(world), current(world)) == (2, (f"{NODE}-r2", host))
    assert world.refresh() == []
    assert (looks(world), current(world)) == (2, (f"{NODE}-r2", host))
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
    ("mode", "outcome", "read"), [("REBOOT_VM", "succeed", 1), ("VM_ONLY", "fail", 2), ("VM_ONLY", "auto_resolve", 1)]
)
def test_where_nothing_was_replaced_nothing_is_said_and_the_look_before_the_post_serves_unless_it_may_have_been(
    world: World, mode: str, outcome: str, read: int
):
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": outcome})
    world.up({"fix": PLAIN | {"mode": mode}})
    assert not [line for line in world.told.lines if "was replaced" in line]
    assert looks(world) == read
    if "fix" in world.stack:  # pulumi.dynamic keeps nothing of what failed
        assert current(world) == (NODE, "cluster-1-host-1")


def test_an_api_that_does_not_say_it_delays_no_success(world: World):
    world.control("POST", "/faults", {"kind": "latency", "operation": "get_cluster", "seconds": 600})
    before = world.loop.time()
    assert world.up({"fix": PLAIN | {"mode": "VM_ONLY"}}) == []
    assert world.told.lines == []
    assert current(world) == (None, None)
    assert world.loop.time() - before < 600


def test_an_answer_of_before_the_end_is_not_taken_for_what_is_there_now():
    world = World(settings={"dialect": {"cluster_lag": 60}})
    assert world.up({"fix": PLAIN | {"mode": "VM_ONLY"}}) == []
    assert current(world) == (None, None)
    world.close()


def test_reboots_in_one_run_share_the_look(world: World):
    nodes = {f"fix-{number}": PLAIN | {"instanceId": f"cluster-1-node-{number}"} for number in (1, 2, 3)}
    assert world.up({name: node | {"mode": "REBOOT_VM"} for name, node in nodes.items()}) == []
    assert looks(world) == 1
    hosts = [held.resource.outputs["currentHost"] for held in world.stack.values()]
    assert hosts == ["cluster-1-host-1", "cluster-1-host-2", "cluster-1-host-3"]


def test_a_node_by_its_name_is_what_answers_to_the_name(world: World):
    declared = {"clusterId": "cluster-1", "node": "cluster-1-slurm-1", "mode": "VM_ONLY", "timeout": "20m"}
    assert world.up({"fix": declared}) == []
    assert current(world) == (f"{NODE}-r2", "cluster-1-host-1")
