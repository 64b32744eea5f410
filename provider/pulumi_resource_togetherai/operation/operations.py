"""Pulumi's operations on a kind of resource, in plain values, for both adapters: each with a span around it.

An adapter translates values and errors; a kind of resource says what each operation does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar

from opentelemetry.trace import Span
from pydantic import BaseModel, ValidationError

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.operation.check import Checked, check
from pulumi_resource_togetherai.operation.results import Diff, Properties, Recorded, Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
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

S = TypeVar("S")
Hook = Callable[[Awaitable[Resource]], Awaitable[Resource]]
"""Does a create or an update of a resource, and something before or after it."""

_ATTRIBUTES = {"clusterId": CLUSTER, "instanceId": INSTANCE, "remediationId": REMEDIATION, "mode": MODE, "state": STATE}
"""The properties that a span records, and the attribute for each. All other properties may hold what people wrote."""


class Operations(ABC):
    """The operations on a kind of resource. One object serves one engine process, and one event loop.

    Timeouts are in seconds; 0 means the inputs' own timeout. `replace_requested`: whether the user asked the engine to
    replace the resource that the stack holds, which the engine does not pass on to Create. Every coroutine raises
    OperationError, whose text is for the user.
    """

    kind: ClassVar[str]
    """What the spans call the resource, such as `Remediation`."""
    model: ClassVar[type[BaseModel]]
    """Its inputs."""

    def __init__(self, session: Session, *, keeps_unfinished: bool) -> None:
        """`keeps_unfinished`: whether the stack can keep a resource whose creation stopped half-way."""
        self.session = session
        self.keeps_unfinished = keeps_unfinished
        self.hooks: dict[str, Hook] = {}
        """By URN, what follows the creates and updates of a resource."""

    def check(self, urn: str, new_inputs: Properties) -> Checked:
        """Validates inputs, without the network."""
        with self._span("check", urn) as current:
            checked = check(self.model, new_inputs)
            if checked.failures:  # a wrong input may hold anything, even a secret in the wrong place
                failed(current, "CheckFailure")
            else:
                current.set_attributes(_attributes(checked.inputs))
            return checked

    def diff(self, urn: str, recorded: Recorded, new_inputs: Properties) -> Diff:
        """What an `up` has to do about a resource that the stack holds."""
        with self._span("diff", urn, recorded.outputs):
            return self._diff(urn, recorded, new_inputs)

    async def preview_create(
        self, urn: str, inputs: Properties, report: Report, *, replace_requested: bool = False
    ) -> dict[str, Any]:
        """Reports what create will do, and returns the outputs as far as they are known before it."""
        with self._span("preview create", urn, inputs):
            return await self._preview_create(urn, inputs, report, replace_requested)

    async def create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float = 0.0, *, replace_requested: bool = False
    ) -> Resource:
        """Creates the resource, and waits until it is complete."""
        with self._span("create", urn, inputs) as current:
            work = self._create(urn, inputs, report, time_limit, replace_requested)
            return _noted(current, await self._hooked(urn, work))

    async def read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, *, preview: bool = False
    ) -> Resource | None:
        """The resource as it is now; None if it is gone. `recorded` is None for an import. A `preview` does not wait
        for an end."""
        with self._span("read", urn, recorded.outputs if recorded else {}) as current:
            found = await self._read(urn, resource_id, recorded, report, preview)
            return found and _noted(current, found)

    async def preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        """Reports what update will do, and returns the outputs as far as they are known before it."""
        with self._span("preview update", "", recorded.outputs):
            return await self._preview_update(recorded, inputs, report)

    async def update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float = 0.0
    ) -> Resource:
        """Resumes an unfinished resource."""
        with self._span("update", urn, recorded.outputs) as current:
            work = self._update(urn, recorded, inputs, report, time_limit)
            return _noted(current, await self._hooked(urn, work))

    async def delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float = 0.0) -> None:
        """Deletes the resource: cancels what can still be cancelled."""
        with self._span("delete", urn, recorded.outputs):
            await self._delete(urn, recorded, report, time_limit)

    @abstractmethod
    def _diff(self, urn: str, recorded: Recorded, inputs: Properties) -> Diff: ...

    @abstractmethod
    async def _preview_create(
        self, urn: str, inputs: Properties, report: Report, replace_requested: bool
    ) -> dict[str, Any]: ...

    @abstractmethod
    async def _create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float, replace_requested: bool
    ) -> Resource: ...

    @abstractmethod
    async def _read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, preview: bool
    ) -> Resource | None: ...

    @abstractmethod
    async def _preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]: ...

    @abstractmethod
    async def _update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float
    ) -> Resource: ...

    @abstractmethod
    async def _delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float) -> None: ...

    def _hooked(self, urn: str, work: Awaitable[Resource]) -> Awaitable[Resource]:
        hook = self.hooks.get(urn)
        return work if hook is None else hook(work)

    def _span(
        self, operation: str, urn: str, properties: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Span]:
        named = {URN: urn} if urn else {}
        return span(f"{operation} {self.kind}", {**named, **_attributes(properties or {})})


def state_of(what: str, read: Callable[[Properties, Properties], S], recorded: Recorded) -> S:
    """What the stack recorded. `read` makes it of the outputs and the inputs; `what` is what messages call the
    resource. Raises OperationError if that cannot be read."""
    try:
        return read(recorded.outputs, recorded.inputs)
    except ValidationError as error:
        raise OperationError(f"the stack's record of this {what} cannot be read: {error.errors()[0]['msg']}") from error


def _attributes(properties: Mapping[str, Any]) -> Attributes:
    found = {name: properties.get(key) for key, name in _ATTRIBUTES.items()}
    return {name: value for name, value in found.items() if isinstance(value, str) and value != UNKNOWN}


def _noted(current: Span, resource: Resource) -> Resource:
    """Records in the span how the operation leaves the resource, and returns the resource."""
    current.set_attributes(_attributes(resource.outputs))
    if resource.problem is not None:
        state = str(resource.outputs.get("state"))
        failed(current, state if state in (RemediationState.FAILED, RemediationState.CANCELLED) else "Unfinished")
    return resource
