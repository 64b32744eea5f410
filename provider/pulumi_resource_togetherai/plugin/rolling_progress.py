"""Shows what the rolling remediations have done when one of their remediations fails.

The engine ends a component as soon as it learns of the failure, and takes no more lines of it. So the table is shown
before the engine is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_resource_togetherai.engine import Engine, EngineReport

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.results import Resource

NOT_BEGUN = "not begun in this run"
UNDER_WAY = "still under way"
ERROR = "error"
"""The operation ended without a remediation to show; the error says why."""


@dataclass
class Progress:
    """What a rolling remediation has done in this run."""

    report: EngineReport
    rows: dict[str, Mapping[str, Any] | str]
    """For each instance the outputs of its remediation, or a text while there are none."""
    failed: bool = False
    shown: str = ""
    """The table as it was last shown."""

    def ended(self, instance: str, outputs: Mapping[str, Any]) -> None:
        """Takes what pulumi knows of an instance's remediation in the end; without a state it was not begun."""
        if outputs["state"]:
            self.rows[instance] = outputs

    @property
    def table(self) -> str:
        """A line per instance."""
        from pulumi_resource_togetherai.rolling.summary import summary

        return summary(self.rows, list(self.rows))


class RollingProgress:
    """The rolling remediations that this process constructs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._of_child: dict[str, tuple[Progress, str]] = {}
        """By the URN of a child: its component's progress, and its instance."""

    def watch(self, component: str, children: Mapping[str, str]) -> Progress:
        """Begins with a component, by its URN. `children`: the instances, by the URNs of their children."""
        progress = Progress(self._engine.report(component), dict.fromkeys(children.values(), NOT_BEGUN))
        self._of_child |= {child: (progress, instance) for child, instance in children.items()}
        return progress

    async def child(self, urn: str, operation: Awaitable[Resource]) -> Resource:
        """Does a resource's operation. If the resource belongs to a component one of whose remediations has failed, and
        none is under way any more, shows the component's table before it returns or raises."""
        if urn not in self._of_child:
            return await operation
        progress, instance = self._of_child[urn]
        progress.rows[instance] = UNDER_WAY
        try:
            resource = await operation
        except BaseException:
            progress.rows[instance] = ERROR
            progress.failed = True
            raise
        else:
            progress.rows[instance] = resource.outputs
            progress.failed = progress.failed or resource.problem is not None
            return resource
        finally:
            if progress.failed and UNDER_WAY not in progress.rows.values():
                progress.shown = progress.table
                await progress.report.table(progress.shown)
