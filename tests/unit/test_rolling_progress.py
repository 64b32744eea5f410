"""What the row of a rolling remediation says while it runs, and the table that it shows when one of its remediations
fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from pulumi_resource_togetherai.operation.operations import Hook
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.rolling.inputs import RollingInputs
from pulumi_resource_togetherai.rolling.progress import RollingProgress

ENDED = {"mode": "REBOOT_VM", "attempt": 1, "createTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:01:00Z"}


class Shown:
    """A component's row that keeps what it is given."""

    def __init__(self) -> None:
        self.tables: list[str] = []
        self.passing: list[str] = []

    async def status(self, text: str) -> None:
        self.passing.append(text)

    async def error(self, text: str) -> None:
        self.tables.append(text)

    @property
    def outcomes(self) -> list[str]:
        """The last column of the last table, without its head."""
        _, head, *lines = self.tables[-1].splitlines()
        return [line[head.index("outcome") :] for line in lines]


@pytest.fixture
def engine() -> Shown:
    return Shown()


@pytest.fixture
def hooks(engine: Shown) -> dict[str, Hook]:
    """By its URN, what follows the operations of each child."""
    hooks: dict[str, Hook] = {}
    RollingProgress(engine, {"child 1": "n1", "child 2": "n2", "child 3": "n3"}, hooks)
    return hooks


@dataclass(frozen=True)
class Ended:
    """What the stack records of a remediation."""

    state: str
    why: str | None = None
    id: str = "id"
    inputs: RollingInputs = field(default_factory=RollingInputs.model_construct)

    def outputs(self) -> dict[str, Any]:
        return {**ENDED, "state": self.state, "errorMessage": self.why}


async def ends(
    state: str, problem: str | None = None, when: asyncio.Event | None = None, why: str | None = None
) -> Resource:
    if when is not None:
        await when.wait()
    return Resource(Ended(state, why), problem)


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


def two_at_once(engine: Shown) -> dict[str, Hook]:
    """A rolling remediation of four nodes."""
    hooks: dict[str, Hook] = {}
    RollingProgress(engine, {f"child {number}": f"n{number}" for number in range(1, 5)}, hooks, at_once=2)
    return hooks


async def test_while_it_runs_its_row_counts(engine: Shown):
    hooks, over = two_at_once(engine), asyncio.Event()
    first = asyncio.ensure_future(hooks["child 1"](ends("SUCCEEDED", when=over)))
    await asyncio.sleep(0)
    await hooks["child 2"](ends("SUCCEEDED"))
    over.set()
    await first
    assert engine.passing == [
        "0 of 4 repaired, 1 under way, 3 not begun",
        "0 of 4 repaired, 2 under way, 2 not begun",
        "1 of 4 repaired, 1 under way, 2 not begun",
        "2 of 4 repaired, 2 not begun",
    ]


async def test_the_table_begins_with_a_sentence_and_says_why(hooks: dict[str, Hook], engine: Shown):
    await hooks["child 1"](ends("SUCCEEDED"))
    await hooks["child 2"](ends("FAILED", "it failed", why="no\nspare"))
    assert engine.tables[-1].splitlines() == [
        "halted: 1 of 3 repaired, 1 failed, 1 not begun",
        "  node  mode       attempt  took  outcome",
        "  n1    REBOOT_VM  1        1m    SUCCEEDED",
        r"  n2    REBOOT_VM  1        1m    FAILED: no\nspare",
        "  n3                              not begun in this run",
    ]


async def test_the_table_waits_for_those_whose_turn_has_come_and_is_shown_once(engine: Shown):
    hooks = two_at_once(engine)
    await hooks["child 1"](ends("SUCCEEDED"))
    failing = asyncio.ensure_future(hooks["child 2"](ends("FAILED", "it failed")))
    await asyncio.sleep(0.01)
    assert not failing.done()  # the engine is about to begin with n3
    over = asyncio.Event()
    third = asyncio.ensure_future(hooks["child 3"](ends("SUCCEEDED", when=over)))
    await failing
    assert engine.tables == []
    over.set()
    await third
    assert len(engine.tables) == 1
    assert engine.outcomes == ["SUCCEEDED", "FAILED", "SUCCEEDED", "not begun in this run"]


async def test_only_the_first_of_many_failures_says_what_to_do(engine: Shown):
    hooks = two_at_once(engine)
    problem = "it failed\n  remediation a\n  to run it again: this\n  to drop it: that"
    told = [(await hooks[f"child {number}"](ends("FAILED", problem))).problem for number in (1, 2)]
    assert told == [problem, "it failed\n  remediation a\n  what to do: as for the failure before it"]
