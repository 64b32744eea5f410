"""Faults on demand, as a client sees them and as the journal tells of them."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.simulator.driver import RESOURCE_EXHAUSTED, UNAVAILABLE, Driver, instance_path, ok, refused


async def remediations(simulator: Driver) -> int:
    """How many there are, once no fault is on."""
    await simulator.control("DELETE", "/faults")
    return len(ok(await simulator.list())["remediations"])


async def test_rate_limiting_says_when_to_come_back_and_does_nothing(simulator: Driver) -> None:
    await simulator.fault(kind="rate_limit", operation="create", seconds=7)
    response = await simulator.create()
    refused(response, 429, RESOURCE_EXHAUSTED)
    assert response.headers["Retry-After"] == "7"
    assert await remediations(simulator) == 0


@pytest.mark.parametrize("after", [False, True])
async def test_an_error_may_come_before_or_after_the_effect(simulator: Driver, after: bool) -> None:
    await simulator.fault(kind="error", operation="create", status=503, after=after)
    refused(await simulator.create(), 503, UNAVAILABLE)
    [entry] = await simulator.journal()
    assert (entry["effect"], entry["status"], entry["fault"]) == ("created" if after else None, 503, "error")
    assert await remediations(simulator) == int(after)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
async def test_the_connection_may_drop_before_or_after_the_effect(simulator: Driver, kind: str) -> None:
    await simulator.fault(kind=kind, operation="create")
    with pytest.raises(httpx.RemoteProtocolError):
        await simulator.create()
    [entry] = await simulator.journal()
    assert (entry["status"], entry["fault"]) == (None, kind)
    assert await remediations(simulator) == int(kind == "drop_after")


async def test_the_answer_may_be_cut_off(simulator: Driver) -> None:
    await simulator.fault(kind="truncated", operation="create")
    with pytest.raises(httpx.RemoteProtocolError):
        await simulator.create()
    assert await remediations(simulator) == 1


async def test_the_answer_may_be_no_json_or_a_page_of_html(simulator: Driver) -> None:
    await simulator.fault(kind="malformed", operation="get_cluster")
    await simulator.fault(kind="html", operation="list")
    with pytest.raises(ValueError):
        (await simulator.http.get("/v1/compute/clusters/cluster-1")).json()
    response = await simulator.list()
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("kind", ["latency", "drip"])
async def test_the_answer_may_come_late_or_drip_in(simulator: Driver, kind: str) -> None:
    await simulator.fault(kind=kind, seconds=0.2)
    began = time.monotonic()
    ok(await simulator.list())
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("after", [False, True])
async def test_a_client_that_gives_up_waiting_may_or_may_not_have_had_an_effect(simulator: Driver, after: bool) -> None:
    await simulator.fault(kind="latency", operation="create", seconds=60, after=after)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await simulator.create()
    assert await remediations(simulator) == int(after)


async def test_a_fault_strikes_the_operation_it_is_for_as_often_as_it_is_told(simulator: Driver) -> None:
    await simulator.fault(kind="error", operation="list", count=2)
    await simulator.created()
    assert [(await simulator.list()).status_code for _ in range(4)] == [503, 503, 200, 200]


async def test_faults_can_be_looked_at_and_switched_off(simulator: Driver) -> None:
    await simulator.fault(kind="error")
    [rule] = await simulator.control("GET", "/faults")
    assert rule["kind"] == "error"
    await simulator.control("DELETE", "/faults")
    ok(await simulator.list())


async def test_chance_strikes_the_same_requests_with_the_same_seed() -> None:
    async def struck(seed: int) -> list[int]:
        rule = {"kind": "error", "probability": 0.5}
        async with Driver({"seed": seed, "faults": [rule]}) as simulator:
            return [(await simulator.list()).status_code for _ in range(30)]

    assert await struck(1) == await struck(1) != await struck(2)


async def test_more_than_one_fault_may_strike_a_request(simulator: Driver) -> None:
    await simulator.fault(kind="latency", seconds=0)
    await simulator.fault(kind="malformed")
    response = await simulator.http.get(instance_path())
    with pytest.raises(ValueError):
        response.json()
    assert (await simulator.journal())[0]["fault"] == "latency+malformed"


async def test_every_fault_is_off_for_the_control_api(simulator: Driver) -> None:
    await simulator.fault(kind="drop_before")
    assert await simulator.control("GET", "/clock")
