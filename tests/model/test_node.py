"""A resource that names its node: the instance is looked up when a remediation is about to start, and whatever the name
leads to later, nothing runs twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from tests.model.test_preview import behave
from tests.model.world import NODE, Killed, World

NAMED: dict[str, Any] = {"clusterId": "cluster-1", "node": "cluster-1-worker-1", "mode": "VM_ONLY", "timeout": "20m"}
REPLACED = f"{NODE}-r2"
AGAIN = {"triggers": {"incident": "2"}}


def instances(world: World) -> list[str]:
    """The instances of what the platform holds, newest first."""
    return [record.instance_id for record in world.records()]


@pytest.mark.parametrize(
    "name", ["cluster-1-worker-1", "cluster-1-host-1", "CLUSTER-1-HOST-1", "cluster-1-slurm-1", NODE]
)
def test_every_name_leads_to_the_instance(world: World, name: str):
    declared = NAMED | {"node": name, "mode": "REBOOT_VM"}
    said, failing = world.preview("fix", declared)
    assert failing == []
    assert f"of node {name} of cluster cluster-1, which is instance {NODE}, now Ready on host" in said[-1]
    assert world.up({"fix": declared}) == []
    assert instances(world) == [NODE]
    outputs = world.stack["fix"].resource.outputs
    assert (outputs["node"], outputs["instanceId"], outputs["attempt"]) == (name, NODE, 1)


def test_the_fresh_vm_is_not_repaired_until_somebody_asks_for_it(world: World):
    for _ in range(3):
        assert world.up({"fix": NAMED}) == []
    assert instances(world) == [NODE]
    assert world.refresh() == []
    assert world.up({"fix": NAMED | AGAIN}) == []
    assert instances(world) == [REPLACED, NODE]
    outputs = world.stack["fix"].resource.outputs
    assert (outputs["instanceId"], outputs["attempt"]) == (REPLACED, 2)


def test_what_a_killed_run_started_is_found_though_the_name_has_moved_on(world: World):
    world.network.kill_at = (4, True)
    with pytest.raises(Killed):
        world.up({"fix": NAMED})
    assert instances(world) == [NODE]
    world.wait(1800)
    assert world.records()[0].terminal
    said, _ = world.preview("fix", NAMED)
    assert "will start nothing and take over" in said[-1]
    assert world.up({"fix": NAMED}) == []
    assert instances(world) == [NODE]


def test_a_recent_repair_of_an_earlier_instance_counts(world: World):
    other = {"clusterId": "cluster-1", "instanceId": NODE, "mode": "VM_ONLY", "timeout": "20m"}
    assert world.up({"other": other}) == []
    declared = NAMED | {"ifRecent": "FAIL"}
    (error,) = world.up({"other": other, "fix": declared})
    assert "node cluster-1-worker-1 of cluster cluster-1 was repaired" in error
    assert len(world.records()) == 1


def test_an_active_remediation_of_the_node_is_in_the_way_by_whatever_name(world: World):
    behave(world, "never")
    world.somebody_else_starts_one()
    (error,) = world.up({"fix": NAMED})
    assert "node cluster-1-worker-1 of cluster cluster-1 is being repaired already" in error
    assert len(world.records()) == 1


def test_of_two_resources_by_name_and_by_instance_one_runs(world: World):
    beside = World(stack="dev", beside=world)
    by_instance = {"clusterId": "cluster-1", "instanceId": NODE, "mode": "REBOOT_VM", "timeout": "20m"}

    async def at_once() -> list[list[str]]:
        by_name = NAMED | {"mode": "REBOOT_VM"}
        return [*await asyncio.gather(world.up_meanwhile({"fix": by_name}), beside.up_meanwhile({"fix": by_instance}))]

    results = world.run(at_once())
    beside.close()
    assert sorted(map(len, results)) == [0, 1]
    assert sorted(record.state for record in world.records()) in (["CANCELLED", "SUCCEEDED"], ["SUCCEEDED"])


def test_in_one_program_two_names_of_one_node_are_one_node(world: World):
    (error,) = world.up({"a": NAMED | {"wait": False}, "b": NAMED | {"node": "cluster-1-host-1"}})
    assert "is being repaired already" in error
    assert instances(world) == [NODE]


def test_a_name_that_nothing_has_starts_nothing_and_offers_the_closest(world: World):
    declared = NAMED | {"node": "cluster-1-worker-l"}
    (error,) = world.up({"fix": declared})
    assert 'no node of cluster cluster-1 answers to "cluster-1-worker-l"; the closest names are ' in error
    assert "cluster-1-worker-1 (node_id)" in error
    assert error.endswith("Nothing was posted")
    _, (refused,) = world.preview("fix", declared)
    assert "`pulumi up` will refuse: no node of cluster" in refused
    assert world.records() == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "instanceId or node is required"),
        ({"node": "a", "instanceId": "b"}, "instanceId and node: give one of them"),
    ],
)
def test_check_wants_exactly_one_of_instance_and_node(given: dict[str, Any], problem: str):
    checked = check(RemediationInputs, {"clusterId": "c", "mode": "VM_ONLY"} | given)
    assert [failure.reason for failure in checked.failures] == [problem]
