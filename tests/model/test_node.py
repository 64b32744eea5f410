"""A resource that names its node: the instance is looked up when a remediation is about to start, and whatever the name
leads to later, nothing runs twice."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.model.test_preview import behave
from tests.model.world import NODE, Killed, World
from togetherai_simulator import fleet, operations

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


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_where_no_list_of_all_instances_is_served_preview_and_up_say_to_write_the_instance(world: World, status: int):
    world.control("PATCH", "/settings", {"dialect": {"wildcard": status}})
    said, failing = world.preview("fix", NAMED)
    (told,) = said or failing
    assert told.startswith("warning: cannot check" if status == 403 else "`pulumi up` will fail: ")
    (error,) = world.up({"fix": NAMED})
    for line in (told, error):
        assert f"not enough (list remediations: {status}" in line
        assert "write `instanceId` in place of `node`" in line
    assert world.records() == []


def test_where_the_instance_is_gone_at_the_post_the_error_names_it_and_the_next_step(world: World):
    world.control("POST", "/faults", {"kind": "error", "operation": "create", "status": 404})
    (error,) = world.up({"fix": NAMED})
    assert f"The API lists instance {NODE} for this name, but does not know it" in error
    assert error.endswith("Run the command again: it looks the node up anew")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        (
            "CLUSTER-1-HOST-1",
            f"that names a node, whose instance is {NODE} now. Write this id, or write the name as `node`",
        ),
        ("cluster-1-node-99", "its successor has another id; `tg clusters retrieve` lists the nodes"),
    ],
)
def test_up_has_the_same_hint_as_preview_about_an_instance_that_is_none(world: World, written: str, hint: str):
    declared = {"clusterId": "cluster-1", "instanceId": written, "mode": "VM_ONLY"}
    _, (refused,) = world.preview("fix", declared)
    (error,) = world.up({"fix": declared})
    assert refused.endswith(hint)
    assert error.endswith(hint)


def test_an_instance_that_a_repair_replaced_is_told_its_successor(world: World):
    assert world.up({"fix": NAMED}) == []
    (error,) = world.up({"fix": NAMED, "again": {"clusterId": "cluster-1", "instanceId": NODE, "mode": "REBOOT_VM"}})
    assert f"it was replaced: its node holds {REPLACED} now" in error


def test_a_change_from_the_name_to_an_instance_that_is_none_deletes_nothing(world: World):
    assert world.up({"fix": NAMED}) == []
    kept = world.stack["fix"].resource.id
    (error,) = world.up({"fix": {"clusterId": "cluster-1", "instanceId": "cluster-1-node-99", "mode": "VM_ONLY"}})
    assert "cluster cluster-1 has no instance cluster-1-node-99" in error
    assert "Nothing was deleted: the stack keeps" in error
    assert (world.stack["fix"].resource.id, world.stack["fix"].deleted) == (kept, False)
    assert world.up({"fix": NAMED}) == []
    assert instances(world) == [NODE]


def test_preview_leaves_out_what_the_api_does_not_say_of_a_node(world: World, monkeypatch: pytest.MonkeyPatch):
    def nameless(*of: Any) -> dict[str, Any]:
        return fleet.node_answer(*of) | {"host_name": "", "status": ""}

    monkeypatch.setattr(operations, "node_answer", nameless)
    said, _ = world.preview("fix", NAMED)
    assert said[-1].endswith(f"which is instance {NODE}")


def test_a_web_servers_page_in_place_of_the_cluster_is_no_unknown_cluster(world: World):
    world.control("PATCH", "/settings", {"dialect": {"errors": "html"}})
    _, (error,) = world.preview("fix", NAMED | {"clusterId": "cluster-9"})
    assert "cluster cluster-9 is not known to the API, or `baseUrl` does not lead to the API" in error


# --- a VM that is replaced while its remediation runs ---


@pytest.fixture(params=["plugin", "dynamic"])
def early(request: pytest.FixtureRequest) -> Generator[World]:
    """A platform that has replaced the VM as soon as a repair begins."""
    made = World(
        keeps_unfinished=request.param == "plugin", settings={"replaces_at_once": True, "pending": 0, "running": 5000}
    )
    yield made
    made.close()


FRESH: dict[str, Any] = {"clusterId": "cluster-1", "instanceId": REPLACED, "mode": "VM_ONLY", "timeout": "3h"}


def replaced_early(world: World) -> str:
    """The id of a remediation that runs and has replaced the VM already."""
    assert world.up({"fix": NAMED | {"wait": False}}) == []
    world.wait(1)
    (running,) = world.records()
    assert (running.state, running.instance_id) == ("RUNNING", NODE)
    return running.id


def test_who_names_the_fresh_vm_is_told_that_its_node_is_under_repair(early: World):
    running = replaced_early(early)
    other = World(keeps_unfinished=early.keeps_unfinished, stack="dev", beside=early)
    _, (refused,) = other.preview("fresh", FRESH)
    assert f"`pulumi up` will refuse: instance {REPLACED} of cluster cluster-1 is being repaired already" in refused
    (error,) = other.up({"fresh": FRESH})
    assert f"remediation {running} (VM_ONLY) of instance {NODE} in cluster cluster-1, RUNNING" in error
    assert "pulumi import" not in error
    assert len(early.records()) == 1
    assert other.up({"fresh": FRESH | {"ifActive": "ADOPT"}}) == []
    assert other.stack["fresh"].resource.outputs["remediationId"] == running
    assert len(early.records()) == 1
    other.close()


def test_a_recent_repair_of_the_vm_before_counts_for_who_names_the_fresh_vm(world: World):
    assert world.up({"fix": NAMED}) == []
    (error,) = world.up({"fix": NAMED, "fresh": FRESH | {"ifRecent": "FAIL"}})
    assert f"instance {REPLACED} of cluster cluster-1 was repaired" in error
    assert f"of instance {NODE} in cluster cluster-1" in error
    assert len(world.records()) == 1


def test_what_was_posted_for_the_fresh_vm_gives_way_to_the_repair_of_the_one_before(early: World):
    running = replaced_early(early)
    other = World(keeps_unfinished=early.keeps_unfinished, stack="dev", beside=early)
    early.control("PUT", f"/instances/cluster-1/{REPLACED}/behaviour", {"outcome": "hold"})
    early.control("POST", "/faults", {"kind": "error", "operation": "get_cluster", "status": 403})
    other.network.kill_at = (3, True)
    with pytest.raises(Killed):
        other.up({"fresh": FRESH})
    assert [record.state for record in early.records()] == ["PENDING", "RUNNING"]
    early.control("DELETE", "/faults")
    (error,) = other.up({"fresh": FRESH})
    assert running in error
    assert "was cancelled before it began" in error
    assert [record.state for record in early.records()] == ["CANCELLED", "RUNNING"]
    early.wait(6000)
    early.control("PUT", f"/instances/cluster-1/{REPLACED}/behaviour", {"outcome": "succeed"})
    assert other.up({"fresh": FRESH | {"ifRecent": "IGNORE"}}) == []
    assert other.stack["fresh"].resource.outputs["attempt"] == 2
    other.close()


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_where_the_cluster_is_not_served_an_instance_is_repaired_all_the_same(world: World, status: int):
    world.control("POST", "/faults", {"kind": "error", "operation": "get_cluster", "status": status})
    assert world.up({"fix": FRESH | {"instanceId": NODE}}) == []
    assert instances(world) == [NODE]


@pytest.mark.parametrize("wildcard", ["served", 400])
def test_a_proposal_for_the_fresh_vm_is_not_approved_while_the_one_before_is_repaired(
    early: World, wildcard: str | int
):
    early.control("PATCH", "/settings", {"dialect": {"wildcard": wildcard}})
    assert early.up({"fix": FRESH | {"instanceId": NODE, "wait": False}}) == []
    early.wait(1)
    (running,) = early.records()
    assert running.state == "RUNNING"
    early.control("POST", f"/instances/cluster-1/{REPLACED}/propose", {"fault": "xid", "force": True})
    proposal = early.records()[0]
    inputs = {"clusterId": "cluster-1", "instanceId": REPLACED, "remediationId": proposal.id, "decision": "APPROVE"}

    async def review() -> None:
        async with early.session() as session:
            reviews = ReviewResource(session, keeps_unfinished=True)
            await reviews.create(early.urn("review"), reviews.check(early.urn("review"), inputs).inputs, early.told)

    with pytest.raises(OperationError, match=f"cannot be approved while its node is being repaired.*{running.id}"):
        early.run(review())


@pytest.mark.parametrize("review_first", [True, False])
def test_preview_warns_of_a_program_that_starts_a_repair_and_approves_another_of_one_node(
    world: World, review_first: bool
):
    world.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "xid", "force": True})
    approving = {"clusterId": "cluster-1", "node": "cluster-1-slurm-1", "decision": "APPROVE"}

    async def previews() -> None:
        async with world.session() as session:
            remediations = RemediationResource(session, keeps_unfinished=True)
            reviews = ReviewResource(session, keeps_unfinished=True)
            steps = [(remediations, world.urn("fix"), NAMED), (reviews, world.urn("approve"), approving)]
            for resource, urn, inputs in reversed(steps) if review_first else steps:
                await resource.preview_create(urn, resource.check(urn, inputs).inputs, world.told)

    world.run(previews())
    (warning,) = [line for line in world.told.lines if "repairs one node twice" in line]
    assert '"fix" starts a remediation of it, and "approve" approves the one' in warning
