"""What becomes of a remediation."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.api.enums import RemediationMode
from tests.simulator.driver import (
    FAILED_PRECONDITION,
    HOST_AWARE,
    INVALID_ARGUMENT,
    NODE,
    NOT_FOUND,
    OTHER_NODE,
    REBOOT_VM,
    VM_ONLY,
    Driver,
    ok,
    refused,
)
from togetherai_simulator.alerts import SEVERITY

EVICT = "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT"
POWER_CYCLE = "REMEDIATION_MODE_HOST_POWER_CYCLE"


def test_every_mode_has_its_place_among_the_severities():
    assert set(SEVERITY) == set(RemediationMode)


async def test_a_remediation_is_pending_then_running_then_succeeded(simulator: Driver) -> None:
    remediation = await simulator.created(mode=REBOOT_VM)
    assert remediation["state"] == "PENDING"
    assert remediation["trigger"] == "REMEDIATION_TRIGGER_MANUAL"
    await simulator.advance(10)
    assert await simulator.state(remediation) == "RUNNING"
    await simulator.advance(59)
    assert await simulator.state(remediation) == "RUNNING"
    await simulator.advance(1)
    assert await simulator.state(remediation) == "SUCCEEDED"


async def test_its_times_are_those_of_the_changes_and_not_of_the_look_at_it(simulator: Driver) -> None:
    remediation = await simulator.created()
    await simulator.advance(1000)
    ended = await simulator.get(remediation)
    assert ended["create_time"] == "2027-01-15T08:00:00Z"
    assert ended["start_time"] == "2027-01-15T08:00:10Z"
    assert ended["end_time"] == ended["update_time"] == "2027-01-15T08:01:10Z"


async def test_a_host_aware_one_puts_the_host_into_quarantine_first(simulator: Driver) -> None:
    remediation = await simulator.created(mode=HOST_AWARE)
    seen: list[str] = []
    for seconds in (10, 5, 5, 60):
        await simulator.advance(seconds)
        seen.append(await simulator.state(remediation))
    assert seen == ["QUARANTINING", "QUARANTINED", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("mode", [VM_ONLY, HOST_AWARE])
async def test_a_replaced_instance_comes_back_under_a_new_id(simulator: Driver, mode: str) -> None:
    await simulator.created(mode=mode)
    await simulator.advance(100)
    assert "cluster-1-node-1-r2" in await simulator.instances()
    await simulator.created("cluster-1-node-1-r2", mode=mode)
    await simulator.advance(100)
    assert "cluster-1-node-1-r3" in await simulator.instances()


@pytest.mark.parametrize("mode", [REBOOT_VM, POWER_CYCLE])
async def test_a_rebooted_instance_keeps_its_id(simulator: Driver, mode: str) -> None:
    await simulator.created(mode=mode)
    await simulator.advance(100)
    assert NODE in await simulator.instances()


async def test_an_evicted_instance_is_gone_for_good(simulator: Driver) -> None:
    await simulator.created(mode=EVICT)
    await simulator.advance(100)
    assert len(await simulator.instances()) == 3


async def test_only_host_aware_moves_the_node_to_another_host(simulator: Driver) -> None:
    async def hosts() -> list[str]:
        return [node["host_name"] for node in (await simulator.cluster())["gpu_worker_nodes"]][:2]

    await simulator.created(NODE, mode=HOST_AWARE)
    await simulator.created(OTHER_NODE, mode=VM_ONLY)
    await simulator.advance(100)
    assert await hosts() == ["cluster-1-host-5", "cluster-1-host-2"]


async def test_a_replaced_instance_keeps_its_history_and_takes_no_remediation(simulator: Driver) -> None:
    remediation = await simulator.created()
    await simulator.advance(100)
    assert [item["id"] for item in ok(await simulator.list(NODE))["remediations"]] == [remediation["id"]]
    assert "no longer exists" in refused(await simulator.create(NODE), 404, NOT_FOUND)


async def test_of_two_remediations_of_one_instance_the_later_finds_it_gone(simulator: Driver) -> None:
    await simulator.behave(running=10)
    await simulator.created()
    await simulator.advance(15)
    second = await simulator.created()
    await simulator.advance(100)
    failed = await simulator.get(second)
    assert failed["state"] == "FAILED"
    assert failed["error_message"] == f"instance {NODE} no longer exists"


async def test_a_limit_of_active_remediations_can_be_set(simulator: Driver) -> None:
    await simulator.control("PATCH", "/settings", {"active_limit": 1})
    await simulator.created()
    refused(await simulator.create(), 400, FAILED_PRECONDITION)
    await simulator.created(OTHER_NODE)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("succeed", "SUCCEEDED"),
        ("fail", "FAILED"),
        ("auto_resolve", "AUTO_RESOLVED"),
        ("never", "RUNNING"),
        ("hold", "PENDING"),
    ],
)
async def test_an_instance_can_be_told_what_becomes_of_its_remediations(
    simulator: Driver, outcome: str, state: str
) -> None:
    await simulator.behave(outcome=outcome)
    remediation = await simulator.created()
    await simulator.advance(10_000)
    assert await simulator.state(remediation) == state


async def test_a_held_remediation_goes_on_when_it_is_let_go(simulator: Driver) -> None:
    await simulator.behave(outcome="hold")
    remediation = await simulator.created()
    await simulator.advance(500)
    await simulator.behave(outcome="succeed")
    assert await simulator.state(remediation) == "RUNNING"


async def test_a_failed_one_says_why(simulator: Driver) -> None:
    await simulator.behave(outcome="fail", error_message="no spare host", running=5)
    remediation = await simulator.created()
    await simulator.advance(15)
    assert (await simulator.get(remediation))["error_message"] == "no spare host"


async def test_a_failed_instance_keeps_its_id(simulator: Driver) -> None:
    await simulator.behave(outcome="fail")
    await simulator.created()
    await simulator.advance(100)
    assert NODE in await simulator.instances()


async def test_cancel_works_until_it_runs(simulator: Driver) -> None:
    first = await simulator.created()
    assert ok(await simulator.act(first, "cancel"))["state"] == "CANCELLED"
    refused(await simulator.act(first, "cancel"), 400, FAILED_PRECONDITION)
    second = await simulator.created()
    await simulator.advance(10)
    assert "RUNNING" in refused(await simulator.act(second, "cancel"), 400, FAILED_PRECONDITION)


async def test_a_proposal_waits_until_it_is_approved(simulator: Driver) -> None:
    proposal = await simulator.propose(mode=REBOOT_VM)
    await simulator.advance(100_000)
    assert await simulator.state(proposal) == "PENDING_APPROVAL"
    approved = ok(await simulator.act(proposal, "approve", {"comment": "go ahead"}))
    assert approved["state"] == "PENDING"
    assert approved["reviewed_by"] == "simulator-user"
    assert approved["review_comment"] == "go ahead"
    assert approved["review_time"] == "2027-01-16T11:46:40Z"
    await simulator.advance(100)
    assert await simulator.state(proposal) == "SUCCEEDED"


async def test_an_approval_may_choose_another_mode(simulator: Driver) -> None:
    proposal = await simulator.propose(mode=REBOOT_VM)
    assert ok(await simulator.act(proposal, "approve", {"mode": HOST_AWARE}))["mode"] == HOST_AWARE


async def test_but_not_a_power_cycle(simulator: Driver) -> None:
    proposal = await simulator.propose(mode=REBOOT_VM)
    refused(await simulator.act(proposal, "approve", {"mode": POWER_CYCLE}), 400, INVALID_ARGUMENT)
    assert await simulator.state(proposal) == "PENDING_APPROVAL"


async def test_a_rejected_proposal_is_cancelled(simulator: Driver) -> None:
    proposal = await simulator.propose()
    rejected = ok(await simulator.act(proposal, "reject", {"comment": "not now"}))
    assert (rejected["state"], rejected["review_comment"]) == ("CANCELLED", "not now")


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_only_a_proposal_can_be_reviewed(simulator: Driver, action: str) -> None:
    refused(await simulator.act(await simulator.created(), action), 400, FAILED_PRECONDITION)


async def test_somebody_else_may_change_a_remediation(simulator: Driver) -> None:
    remediation = await simulator.created()
    await simulator.control("POST", f"/remediations/{remediation['id']}/state", {"state": "CANCELLED"})
    await simulator.advance(100)
    assert await simulator.state(remediation) == "CANCELLED"


async def test_a_newer_server_may_use_a_state_nobody_knows(simulator: Driver) -> None:
    remediation = await simulator.created()
    await simulator.control("POST", f"/remediations/{remediation['id']}/state", {"state": "DEFERRED"})
    assert await simulator.state(remediation) == "DEFERRED"


async def test_history_may_expire(simulator: Driver) -> None:
    remediation = await simulator.created(key="a")
    await simulator.control("POST", f"/remediations/{remediation['id']}/expire")
    assert ok(await simulator.list())["remediations"] == []
    assert (await simulator.create(key="a")).status_code == 200


async def test_the_clusters_status_tells_of_nodes_under_repair(simulator: Driver) -> None:
    remediation = await simulator.created(mode=HOST_AWARE)
    await simulator.advance(10)
    cluster = await simulator.cluster()
    node = cluster["gpu_worker_nodes"][0]
    assert (cluster["status"], node["status"]) == ("Degraded", "Cordoning")
    assert node["latest_remediation"]["id"] == remediation["id"]
    await simulator.advance(100)
    assert (await simulator.cluster())["status"] == "Ready"


async def test_the_date_of_an_answer_is_the_simulated_time(simulator: Driver) -> None:
    await simulator.advance(3600)
    assert (await simulator.list()).headers["Date"] == "Fri, 15 Jan 2027 09:00:00 GMT"
