"""What `remediation_id` does: nobody knows of the real service, so each reading can be had."""

from __future__ import annotations

import pytest

from tests.simulator.driver import ALREADY_EXISTS, INVALID_ARGUMENT, NODE, OTHER_NODE, Driver, ok, refused


@pytest.fixture(params=["id", "existing", "conflict", "ignore"])
async def reading(request: pytest.FixtureRequest, simulator: Driver) -> str:
    await simulator.control("PATCH", "/settings", {"idempotency": request.param})
    return request.param


async def test_a_repeat_is_answered_as_the_reading_says(simulator: Driver, reading: str) -> None:
    first, again = ok(await simulator.create(key="k")), await simulator.create(key="k")
    assert (first["id"] == "k") == (reading == "id")
    if reading == "conflict":
        refused(again, 409, ALREADY_EXISTS)
    else:
        assert (ok(again)["id"] == first["id"]) == (reading != "ignore")
    listed = ok(await simulator.list(NODE))["remediations"]
    assert len(listed) == (2 if reading == "ignore" else 1)


async def test_the_journal_tells_a_creation_from_a_repeat(simulator: Driver) -> None:
    await simulator.create(key="k")
    await simulator.create(key="k")
    assert [entry["effect"] for entry in await simulator.journal()] == ["created", "replayed"]


async def test_a_key_is_good_for_one_instance(simulator: Driver, reading: str) -> None:
    await simulator.created(NODE, key="k")
    other = await simulator.create(OTHER_NODE, key="k")
    if reading == "id":
        refused(other, 409, ALREADY_EXISTS)
    else:
        assert ok(other)["instance_id"] == OTHER_NODE


async def test_a_repeat_finds_its_remediation_even_when_the_instance_is_gone(simulator: Driver) -> None:
    first = await simulator.created(key="k")
    await simulator.advance(100)
    assert ok(await simulator.create(key="k"))["id"] == first["id"]


@pytest.mark.parametrize("key", ["", "a/b", "a b", "x" * 129])
async def test_a_key_that_could_not_be_part_of_a_url_is_refused(simulator: Driver, key: str) -> None:
    refused(await simulator.create(key=key), 400, INVALID_ARGUMENT)
