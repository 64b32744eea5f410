"""What a run learns about the server goes to the debug log, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.model.test_many import Fleet

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps


@asynccontextmanager
async def speaking(nodes: int = 4, **settings: Any) -> AsyncGenerator[Fleet]:
    here = Fleet(nodes=nodes, config={}, settings={"running": 50} | settings)
    try:
        yield here
    finally:
        await here.session.close()


def lags(here: Fleet) -> list[str]:
    return [note for note in here.notes if "reads lag behind writes" in note]


@pytest.mark.parametrize("nodes", [1, 4])
async def test_reads_that_lag_behind_the_post_are_noted_once_for_the_cluster(nodes: int):
    async with speaking(dialect={"get_lag": 8, "list_lag": 8}) as here:
        await asyncio.gather(*(here.create(node, mode="REBOOT_VM") for node in range(1, nodes + 1)))
        [note] = lags(here)
        assert note.startswith("cluster cluster-1: reads lag behind writes: ")
        assert 3 < float(note.split(" only some ")[1].split()[0]) < 8 + 5  # a poll interval later at most


async def test_so_they_are_where_a_post_is_answered_with_nothing():
    async with speaking(dialect={"create_answer": "empty_202", "get_lag": 8, "list_lag": 8}) as here:
        await here.create(1, mode="REBOOT_VM")
        [note] = lags(here)
        assert 3 < float(note.split(" only some ")[1].split()[0]) < 8 + 5


@pytest.mark.parametrize("mode", ["REBOOT_VM", "VM_ONLY"])
@pytest.mark.parametrize("create_answer", ["record_200", "empty_202"])
async def test_reads_that_do_not_lag_are_not_said_to(mode: str, create_answer: str):
    async with speaking(dialect={"replaced": "all_404", "create_answer": create_answer}) as here:
        await asyncio.gather(*(here.create(node, mode=mode) for node in range(1, 5)))
        assert lags(here) == []


async def test_an_id_that_is_refused_is_noted_once():
    async with speaking(idempotency="refuse") as here:
        await asyncio.gather(*(here.create(node, mode="REBOOT_VM") for node in range(1, 5)))
        assert [note for note in here.notes if "remediation_id" in note] == ["the API refuses `remediation_id`"]
