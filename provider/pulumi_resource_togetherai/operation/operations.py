"""Pulumi's operations on a resource with a span around each."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.telemetry.instruments import (
    CLUSTER,
    INSTANCE,
    MODE,
    REMEDIATION,
    STATE,
    URN,
    Attributes,
    failed,
    span,
)
from pulumi_resource_togetherai.unknown import UNKNOWN

if TYPE_CHECKING:
    from pulumi_resource_togetherai.clusters.report import Report
    from pulumi_resource_togetherai.operation.check import Checked
    from pulumi_resource_togetherai.operation.results import Operations, Properties, Recorded, Resource
    from pulumi_resource_togetherai.remediation.rules.diff import Diff

_TOLD = {"clusterId": CLUSTER, "instanceId": INSTANCE, "remediationId": REMEDIATION, "mode": MODE, "state": STATE}
"""The properties that a span records, and the attribute for each. All other properties may hold what people wrote."""


class Traced:
    """Calls the operations of another object, each inside a span."""

    def __init__(self, kind: str, operations: Operations) -> None:
        """`kind`: what the spans call the resource, such as `Remediation`."""
        self._kind = kind
        self._operations = operations

    def check(self, urn: str, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validates inputs, without the network."""
        with self._span("check", urn) as current:
            checked = self._operations.check(urn, old_inputs, new_inputs)
            if checked.failures:  # a wrong input may hold anything, even a secret in the wrong place
                failed(current, "CheckFailure")
            else:
                current.set_attributes(_attributes(checked.inputs))
            return checked

    def diff(self, urn: str, recorded: Recorded, new_inputs: Properties) -> Diff:
        """What an `up` has to do about a resource that the stack holds."""
        with self._span("diff", urn, recorded.outputs):
            return self._operations.diff(urn, recorded, new_inputs)

    async def preview_create(
        self, urn: str, inputs: Properties, report: Report, *, replace_requested: bool = False
    ) -> dict[str, Any]:
        """Reports what create will do, and returns the outputs as far as they are known before it."""
        with self._span("preview create", urn, inputs):
            return await self._operations.preview_create(urn, inputs, report, replace_requested=replace_requested)

    async def create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float = 0.0, *, replace_requested: bool = False
    ) -> Resource:
        """Creates the resource."""
        with self._span("create", urn, inputs) as current:
            created = await self._operations.create(
                urn, inputs, report, time_limit, replace_requested=replace_requested
            )
            return _told(current, created)

    async def read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, *, preview: bool = False
    ) -> Resource | None:
        """The resource as it is now; None if it is gone. `recorded` is None for an import."""
        with self._span("read", urn, recorded.outputs if recorded else {}) as current:
            found = await self._operations.read(urn, resource_id, recorded, report, preview=preview)
            return found and _told(current, found)

    async def preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        """Reports what update will do, and returns the outputs as far as they are known before it."""
        with self._span("preview update", "", recorded.outputs):
            return await self._operations.preview_update(recorded, inputs, report)

    async def update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float = 0.0
    ) -> Resource:
        """Resumes an unfinished resource."""
        with self._span("update", urn, recorded.outputs) as current:
            return _told(current, await self._operations.update(urn, recorded, inputs, report, time_limit))

    async def delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float = 0.0) -> None:
        """Deletes the resource."""
        with self._span("delete", urn, recorded.outputs):
            await self._operations.delete(urn, recorded, report, time_limit)

    def _span(
        self, operation: str, urn: str, properties: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Span]:
        named = {URN: urn} if urn else {}
        return span(f"{operation} {self._kind}", {**named, **_attributes(properties or {})})


def _attributes(properties: Mapping[str, Any]) -> Attributes:
    found = {name: properties.get(key) for key, name in _TOLD.items()}
    return {name: value for name, value in found.items() if isinstance(value, str) and value != UNKNOWN}


def _told(current: Span, resource: Resource) -> Resource:
    """Records in the span how the operation leaves the resource, and returns the resource."""
    current.set_attributes(_attributes(resource.outputs))
    if resource.problem is not None:
        state = str(resource.outputs.get("state"))
        failed(current, state if state in (RemediationState.FAILED, RemediationState.CANCELLED) else "Unfinished")
    return resource
