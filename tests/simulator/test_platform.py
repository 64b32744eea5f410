"""A platform to believe in: alerts, proposals, chance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.driver import (
    FAILED_PRECONDITION,
    HOST_AWARE,
    NODE,
    NOT_FOUND,
    OTHER_NODE,
    REBOOT_VM,
    VM_ONLY,
    Driver,
    Json,
    ok,
    refused,
)


@pytest.mark.parametrize(
    ("fault", "alert", "mode"),
    [
        ("gpu_lost", "GpuFellOffBus", HOST_AWARE),
        ("thermal", "GpuThermalThrottling", HOST_AWARE),
        ("xid", "DmesgXidError", REBOOT_VM),
        ("slurm_drain", "SlurmNodeUnavailable", HOST_AWARE),
    ],
)
async def test_each_fault_raises_its_alert_and_leads_to_its_repair(
    simulator: Driver, fault: str, alert: str, mode: str
) -> None:
    proposal = await simulator.propose(fault=fault)
    assert (proposal["state"], proposal["trigger"]) == ("PENDING_APPROVAL", "REMEDIATION_TRIGGER_AUTOMATED")
    assert proposal["mode"] == mode
    [linked] = proposal["linked_alerts"]
    assert linked["alert_name"] == alert
    assert linked["node_remediation_intent_id"] == proposal["id"]
    assert linked["started_at"] == proposal["create_time"]
    assert ("xid" in linked["annotation"]) == (fault in ("gpu_lost", "xid"))


async def test_a_proposal_resolves_when_its_alert_clears(simulator: Driver) -> None:
    proposal = await simulator.propose(clears_after=300)
    await simulator.advance(299)
    assert await simulator.state(proposal) == "PENDING_APPROVAL"
    await simulator.advance(1)
    resolved = await simulator.get(proposal)
    assert resolved["state"] == "AUTO_RESOLVED"
    assert resolved["linked_alerts"][0]["resolved_at"] == resolved["end_time"]


async def test_a_proposal_of_an_instance_that_heals_resolves_after_five_minutes(simulator: Driver) -> None:
    await simulator.behave(outcome="auto_resolve")
    proposal = await simulator.propose()
    await simulator.advance(300)
    assert await simulator.state(proposal) == "AUTO_RESOLVED"


async def test_an_alert_can_be_cleared_by_hand(simulator: Driver) -> None:
    proposal = await simulator.propose()
    await simulator.control("POST", f"/instances/cluster-1/{NODE}/clear-alerts")
    assert await simulator.state(proposal) == "AUTO_RESOLVED"


async def test_a_worse_fault_raises_the_mode_of_a_waiting_proposal(simulator: Driver) -> None:
    proposal = await simulator.propose(fault="xid")
    worse = await simulator.propose(fault="gpu_lost")
    assert worse["id"] == proposal["id"]
    assert worse["mode"] == HOST_AWARE
    assert len(worse["linked_alerts"]) == 2
    third = await simulator.propose(fault="thermal")
    assert len({alert["passive_health_check_alert_id"] for alert in third["linked_alerts"]}) == 3
    assert "raised from REBOOT_VM to HOST_AWARE" in worse["timeline"][-1]["note"]


async def test_a_lesser_fault_leaves_the_mode_as_it_is(simulator: Driver) -> None:
    await simulator.propose(fault="gpu_lost")
    assert (await simulator.propose(fault="xid"))["mode"] == HOST_AWARE


async def test_nothing_is_proposed_for_half_an_hour_after_a_repair(simulator: Driver) -> None:
    await simulator.created(mode=REBOOT_VM)
    await simulator.advance(70 + 1799)
    response = await simulator.http.post(f"/_simulator/instances/cluster-1/{NODE}/propose", json={})
    refused(response, 400, FAILED_PRECONDITION)
    assert (await simulator.propose(OTHER_NODE))["state"] == "PENDING_APPROVAL"
    await simulator.advance(1)
    assert (await simulator.propose())["state"] == "PENDING_APPROVAL"


async def test_unless_it_is_forced(simulator: Driver) -> None:
    await simulator.created(mode=REBOOT_VM)
    await simulator.advance(100)
    assert (await simulator.propose(force=True))["state"] == "PENDING_APPROVAL"


async def test_a_proposal_resolves_when_its_instance_is_replaced(simulator: Driver) -> None:
    proposal = await simulator.propose()
    await simulator.created(mode=VM_ONLY)
    await simulator.advance(100)
    assert await simulator.state(proposal) == "AUTO_RESOLVED"


async def week(seed: int, **settings: Any) -> list[Json]:
    """All that happens by itself on twenty nodes in a week."""
    scenario = {"instances": 20, "seed": seed, "settings": {"fault_every": 200_000, **settings}}
    async with Driver(scenario) as simulator:
        await simulator.advance(7 * 86_400)
        listed = ok(await simulator.list(query={"page_size": 100, "order_by": "create_time"}))
        return listed["remediations"]


async def test_chance_brings_faults_the_same_ones_with_the_same_seed() -> None:
    first = await week(1)
    assert 20 < len(first) <= 100
    assert first == await week(1) != await week(2)


async def test_some_faults_go_away_and_some_get_worse() -> None:
    remediations = await week(1, worsening_rate=0.5)
    assert {"PENDING_APPROVAL", "AUTO_RESOLVED"} == {item["state"] for item in remediations}
    assert any(len(item["linked_alerts"]) == 2 for item in remediations)


async def test_chance_varies_durations_and_lets_some_fail() -> None:
    async with Driver({"instances": 40, "seed": 3, "settings": {"spread": 0.5, "failure_rate": 0.25}}) as simulator:
        for number in range(1, 41):
            await simulator.created(f"cluster-1-node-{number}", mode=REBOOT_VM)
        await simulator.advance(1000)
        ended = ok(await simulator.list())["remediations"]
    assert 3 < sum(item["state"] == "FAILED" for item in ended) < 20
    assert all(item.get("error_message") for item in ended if item["state"] == "FAILED")
    assert len({item["end_time"] for item in ended}) == 40


async def test_time_can_be_hurried_and_stopped(simulator: Driver) -> None:
    assert (await simulator.control("POST", "/clock", {"speed": 60}))["speed"] == 60
    assert (await simulator.control("GET", "/clock"))["now"] == "2027-01-15T08:00:00+00:00"


async def test_the_state_tells_everything(simulator: Driver) -> None:
    remediation = await simulator.created(key="k")
    await simulator.behave(outcome="never")
    state = await simulator.control("GET", "/state")
    [cluster] = state["clusters"]
    assert cluster["nodes"][0]["behaviour"] == {"outcome": "never"}
    [told] = cluster["remediations"]
    assert told["id"] == told["key"] == remediation["id"]
    assert [moment["state"] for moment in told["timeline"]] == ["PENDING"]
    assert state["settings"]["idempotency"] == "id"


async def test_what_is_not_there_cannot_be_told_anything(simulator: Driver) -> None:
    for path in ("/instances/cluster-1/nothing/propose", "/remediations/nothing/expire"):
        refused(await simulator.http.post(f"/_simulator{path}"), 404, NOT_FOUND)
