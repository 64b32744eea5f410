"""Pulumi's operations on a resource, as both adapters call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_resource_togetherai.sanitize import sanitize

if TYPE_CHECKING:
    from pulumi_resource_togetherai.clusters.report import Report
    from pulumi_resource_togetherai.operation.check import Checked
    from pulumi_resource_togetherai.remediation.rules.diff import Diff

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A resource as the stack holds it."""

    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Resource:
    """A resource as an operation leaves it, and why it is not complete, if it is not."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    """Exactly as the API answered."""
    problem: str | None

    @property
    def told(self) -> str:
        """The problem as it is shown to people; empty if there is none."""
        return sanitize(self.problem or "")


class Operations(Protocol):
    """The operations of a kind of resource. What one does is described in the module of its name.

    Timeouts are in seconds; 0 means the inputs' own timeout. `replace_requested`: whether the user asked the engine to
    replace the resource that the stack holds. Every coroutine raises OperationError, whose text is for the user.
    """

    def check(self, urn: str, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validates inputs, without the network."""
        ...

    def diff(self, urn: str, recorded: Recorded, new_inputs: Properties) -> Diff:
        """What an `up` has to do about a resource that the stack holds."""
        ...

    async def preview_create(
        self, urn: str, inputs: Properties, report: Report, *, replace_requested: bool = False
    ) -> dict[str, Any]:
        """Reports what create will do, and returns the outputs as far as they are known before it."""
        ...

    async def create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float = 0.0, *, replace_requested: bool = False
    ) -> Resource:
        """Creates the resource."""
        ...

    async def read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, *, preview: bool = False
    ) -> Resource | None:
        """The resource as it is now; None if it is gone. `recorded` is None for an import. A `preview` does not wait
        for an end."""
        ...

    async def preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        """Reports what update will do, and returns the outputs as far as they are known before it."""
        ...

    async def update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float = 0.0
    ) -> Resource:
        """Resumes an unfinished resource."""
        ...

    async def delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float = 0.0) -> None:
        """Deletes the resource."""
        ...
