"""Shows what a rolling remediation has done when one of its remediations fails.

The engine ends a component as soon as it learns of the failure, and takes no more lines of it. So the table is shown
before the engine is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_resource_togetherai.engine import EngineReport

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.operations import Hook
    from pulumi_resource_togetherai.operation.results import Resource

NOT_BEGUN = "not begun in this run"
UNDER_WAY = "still under way"
ERROR = "error"
"""The operation ended without a remediation to show; the error says why."""


class RollingProgress:
    """What a rolling remediation has done in this run."""

    def __init__(self, report: EngineReport, children: Mapping[str, str], hooks: dict[str, Hook]) -> None:
        """`children`: the nodes, by the URNs of their remediations, whose operations it follows from now on."""
        self._report = report
        self._rows: dict[str, Mapping[str, Any] | str] = dict.fromkeys(children.values(), NOT_BEGUN)
        """For each node the outputs of its remediation, or a text while there are none."""
        self.failed = False
        self.shown = ""
        """The table as it was last shown."""
        hooks.update({urn: partial(self._follow, node) for urn, node in children.items()})

    def ended(self, node: str, outputs: Mapping[str, Any]) -> None:
        """Takes what pulumi knows of a node's remediation in the end; without a state it was not begun."""
        if outputs["state"]:
            self._rows[node] = outputs

    @property
    def table(self) -> str:
        """A line per node."""
        from pulumi_resource_togetherai.rolling.summary import summary

        return summary(self._rows, list(self._rows))

    async def _follow(self, node: str, operation: Awaitable[Resource]) -> Resource:
        """Does the operation on a remediation. If one has failed and none is under way any more, shows the table before
        it returns or raises."""
        self._rows[node] = UNDER_WAY
        try:
            resource = await operation
        except BaseException:
            self._rows[node] = ERROR
            self.failed = True
            raise
        else:
            self._rows[node] = resource.outputs
            self.failed = self.failed or resource.problem is not None
            return resource
        finally:
            if self.failed and UNDER_WAY not in self._rows.values():
                self.shown = self.table
                await self._report.info(self.shown)
