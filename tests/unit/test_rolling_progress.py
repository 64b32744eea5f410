"""The table that a rolling remediation shows when one of its remediations fails."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.plugin.rolling_progress import RollingProgress

COMPONENT = "urn:pulumi:prod::training::togetherai:index:RollingRemediation::rack"
ENDED = {"mode": "REBOOT_VM", "attempt": 1, "createTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:01:00Z"}


class Shown:
    """An engine that keeps the tables it is given."""

    def __init__(self) -> None:
        self.tables: list[str] = []

    def report(self, urn: str) -> Shown:
        assert urn == COMPONENT
        return self

    async def table(self, text: str) -> None:
        self.tables.append(text)

    @property
    def outcomes(self) -> list[str]:
        """The last column of the last table, without its head."""
        head, *lines = self.tables[-1].splitlines()
        return [line[head.index("outcome") :] for line in lines]


@pytest.fixture
def engine() -> Shown:
    return Shown()


@pytest.fixture
def rolling_progress(engine: Shown) -> RollingProgress:
    made = RollingProgress(cast(Engine, engine))
    made.watch(COMPONENT, {"child 1": "n1", "child 2": "n2", "child 3": "n3"})
    return made


async def ends(state: str, problem: str | None = None, when: asyncio.Event | None = None) -> Resource:
    if when is not None:
        await when.wait()
    outputs: dict[str, Any] = {**ENDED, "state": state}
    return Resource("id", {}, outputs, problem)


async def fails() -> Resource:
    raise RuntimeError("the node is being repaired already")


async def test_without_a_failure_nothing_is_shown(rolling_progress: RollingProgress, engine: Shown):
    await rolling_progress.child("child 1", ends("SUCCEEDED"))
    await rolling_progress.child("somebody else's", ends("FAILED", "it failed"))
    assert engine.tables == []


async def test_a_failure_is_shown_before_the_engine_learns_of_it(rolling_progress: RollingProgress, engine: Shown):
    await rolling_progress.child("child 1", ends("SUCCEEDED"))
    failed = await rolling_progress.child("child 2", ends("FAILED", "it failed"))
    assert failed.problem == "it failed"
    assert engine.outcomes == ["SUCCEEDED", "FAILED", "not begun in this run"]


async def test_an_operation_without_a_remediation_is_an_error(rolling_progress: RollingProgress, engine: Shown):
    with pytest.raises(RuntimeError, match="already"):
        await rolling_progress.child("child 1", fails())
    assert engine.outcomes == ["error", "not begun in this run", "not begun in this run"]


async def test_the_last_one_that_is_under_way_shows_the_table(rolling_progress: RollingProgress, engine: Shown):
    over = asyncio.Event()
    other = asyncio.create_task(rolling_progress.child("child 2", ends("SUCCEEDED", when=over)))
    await asyncio.sleep(0)
    await rolling_progress.child("child 1", ends("FAILED", "it failed"))
    assert engine.tables == []
    over.set()
    await other
    assert engine.outcomes == ["FAILED", "SUCCEEDED", "not begun in this run"]
