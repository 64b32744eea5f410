"""Shows what a rolling remediation is doing, and what it has done when one of its remediations fails.

The engine ends a component as soon as it learns of the failure, and takes no more lines of it. So the table is shown
before the engine is told; as an error, since the engine would show the component as created otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_resource_togetherai.rolling.component import predecessors
from pulumi_resource_togetherai.rolling.summary import ERROR, NOT_BEGUN, UNDER_WAY, counted, repaired, summary
from pulumi_resource_togetherai.sanitize import BREAK

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.operations import Hook
    from pulumi_resource_togetherai.operation.results import Resource

SUCCESSION = 1.0
"""Seconds within which the engine begins with the node after one that is repaired."""
TOLD_IN_FULL = 1
"""How many failures say what to do next. It is the same for the others, which the table lists."""


class Row(Protocol):
    """The component's own row."""

    async def status(self, text: str) -> None:
        """A passing line about the current status."""
        ...

    async def error(self, text: str) -> None:
        """What went wrong: the row shows the component as failed."""
        ...


class RollingProgress:
    """What a rolling remediation has done in this run."""

    def __init__(self, row: Row, children: Mapping[str, str], hooks: dict[str, Hook], *, at_once: int = 1) -> None:
        """`children`: the nodes in their order, by the URNs of their remediations, whose operations it follows from
        now on. `at_once`: how many are repaired at once."""
        self._row = row
        self._rows: dict[str, Mapping[str, Any] | str] = dict.fromkeys(children.values(), NOT_BEGUN)
        """For each node the outputs of its remediation, or a text while there are none."""
        self._before = predecessors(list(children.values()), at_once)
        self._begins = asyncio.Event()
        """Set when another one begins."""
        self._failures = 0
        self._shown = ""
        """The table as it was last shown."""
        hooks.update({urn: partial(self._follow, node) for urn, node in children.items()})

    @property
    def halted(self) -> bool:
        """Whether one has failed, after which no other one begins."""
        return self._failures > 0

    def ended(self, node: str, outputs: Mapping[str, Any]) -> None:
        """Takes what pulumi knows of a node's remediation in the end; without a state it was not begun."""
        if outputs["state"]:
            self._rows[node] = outputs

    async def show_halt(self) -> None:
        """Shows the table, unless it has been shown as it is now."""
        table = summary(self._rows, list(self._rows), halted=True)
        if table != self._shown:
            self._shown = table
            await self._row.error(table)

    async def _follow(self, node: str, operation: Awaitable[Resource]) -> Resource:
        """Does the operation on a remediation, and says how far the whole has come. If one has failed and none is under
        way any more, shows the table before it returns or raises."""
        self._rows[node] = UNDER_WAY
        self._begins.set()
        await self._row.status(counted(self._rows))
        try:
            resource = await operation
        except BaseException:
            self._rows[node] = ERROR
            self._failures += 1
            raise
        else:
            self._rows[node] = resource.outputs
            self._failures += resource.problem is not None
            if resource.problem is not None and self._failures > TOLD_IN_FULL:
                return replace(resource, problem=_in_short(resource.problem))
            return resource
        finally:
            await self._row.status(counted(self._rows))
            if self._failures == 1 and not repaired(self._rows[node]):
                await self._successors()
            if self.halted and UNDER_WAY not in self._rows.values():
                await self.show_halt()

    async def _successors(self) -> None:
        """Lets those begin whose turn has come: the engine has not heard of the failure yet, so it begins with them,
        and the table would be out of date at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SUCCESSION):
                while any(self._is_due(node) for node in self._rows):
                    self._begins.clear()
                    await self._begins.wait()

    def _is_due(self, node: str) -> bool:
        before = self._before[node]
        return self._rows[node] == NOT_BEGUN and before is not None and repaired(self._rows[before])


def _in_short(problem: str) -> str:
    """A problem without the ways on."""
    return BREAK.join([*problem.split(BREAK)[:2], "what to do: as for the failure before it"])
