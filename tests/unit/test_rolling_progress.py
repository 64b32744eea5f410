"""The table that a rolling remediation shows when one of its remediations fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pulumi_resource_togetherai.engine import EngineReport
from pulumi_resource_togetherai.operation.operations import Hook
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.plugin.rolling_progress import RollingProgress
from pulumi_resource_togetherai.rolling.inputs import RollingInputs

ENDED = {"mode": "REBOOT_VM", "attempt": 1, "createTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:01:00Z"}


class Shown:
    """An engine that keeps the tables it is given."""

    def __init__(self) -> None:
        self.tables: list[str] = []

    async def info(self, text: str) -> None:
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
def hooks(engine: Shown) -> dict[str, Hook]:
    """By its URN, what follows the operations of each child."""
    hooks: dict[str, Hook] = {}
    RollingProgress(cast(EngineReport, engine), {"child 1": "n1", "child 2": "n2", "child 3": "n3"}, hooks)
    return hooks


@dataclass(frozen=True)
class Ended:
    """What the stack records of a remediation."""

    state: str
    id: str = "id"
    inputs: RollingInputs = field(default_factory=RollingInputs.model_construct)

    def outputs(self) -> dict[str, Any]:
        return {**ENDED, "state": self.state}


async def ends(state: str, problem: str | None = None, when: asyncio.Event | None = None) -> Resource:
    if when is not None:
        await when.wait()
    return Resource(Ended(state), problem)


async def fails() -> Resource:
    raise RuntimeError("the node is being repaired already")


async def test_without_a_failure_nothing_is_shown(hooks: dict[str, Hook], engine: Shown):
    await hooks["child 1"](ends("SUCCEEDED"))
    assert engine.tables == []


async def test_a_failure_is_shown_before_the_engine_learns_of_it(hooks: dict[str, Hook], engine: Shown):
    await hooks["child 1"](ends("SUCCEEDED"))
    failed = await hooks["child 2"](ends("FAILED", "it failed"))
    assert failed.problem == "it failed"
    assert engine.outcomes == ["SUCCEEDED", "FAILED", "not begun in this run"]


async def test_an_operation_without_a_remediation_is_an_error(hooks: dict[str, Hook], engine: Shown):
    with pytest.raises(RuntimeError, match="already"):
        await hooks["child 1"](fails())
    assert engine.outcomes == ["error", "not begun in this run", "not begun in this run"]


async def test_the_last_one_that_is_under_way_shows_the_table(hooks: dict[str, Hook], engine: Shown):
    over = asyncio.Event()
    other = asyncio.ensure_future(hooks["child 2"](ends("SUCCEEDED", when=over)))
    await asyncio.sleep(0)
    await hooks["child 1"](ends("FAILED", "it failed"))
    assert engine.tables == []
    over.set()
    await other
    assert engine.outcomes == ["FAILED", "SUCCEEDED", "not begun in this run"]
