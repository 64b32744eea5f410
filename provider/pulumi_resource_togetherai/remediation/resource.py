"""The Remediation resource: each of Pulumi's operations on it, in plain values, for both adapters.

An adapter translates values and errors; the module named after an operation does the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.operation.check import Checked, check
from pulumi_resource_togetherai.operation.results import Recorded, Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.operations.create import create
from pulumi_resource_togetherai.remediation.operations.delete import delete, refuse_replacement
from pulumi_resource_togetherai.remediation.operations.preview import preview_create, preview_update
from pulumi_resource_togetherai.remediation.operations.read import read
from pulumi_resource_togetherai.remediation.operations.update import update
from pulumi_resource_togetherai.remediation.rules.diff import Diff, diff
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.program import Program
from pulumi_resource_togetherai.remediation.steps.settle import Result
from pulumi_resource_togetherai.unknown import UNKNOWN, holds_unknown

Properties = Mapping[str, Any]


class RemediationResource:
    """Pulumi's operations on remediations. One object serves one engine process, and one event loop.

    Timeouts are in seconds; 0 means the inputs' own timeout. Every coroutine raises OperationError, whose text is for
    the user.
    """

    def __init__(self, session: Session, *, keeps_unfinished: bool) -> None:
        """`keeps_unfinished`: whether the stack can keep a resource whose creation stopped half-way."""
        self._session = session
        self._keeps_unfinished = keeps_unfinished
        self._replaced: dict[str, _Replaced] = {}
        """What Diff decided to replace, by URN. It is deleted first."""
        self._program = Program()
        self._created_here: dict[str, State | None] = {}
        """The remediation that this process last created or took over for a URN; None while the create is running. With
        `--replace` the engine creates before it deletes: create may take over the very remediation that delete is then
        asked to cancel."""

    def check(self, urn: str, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validates inputs, without the network."""
        return check(RemediationInputs, new_inputs)

    def diff(self, urn: str, recorded: Recorded, new_inputs: Properties) -> Diff:
        """What an `up` has to do about a resource that the stack holds."""
        state = _state(recorded)
        difference = diff(recorded.inputs, state, new_inputs)
        if difference.replaces:
            self._replaced[urn] = _Replaced(recorded, state, new_inputs)
        return difference

    async def preview_create(
        self, urn: str, inputs: Properties, report: Report, *, replace_requested: bool = False
    ) -> dict[str, Any]:
        """Reports what create will do, and returns the outputs as far as they are known before it."""
        run = None if holds_unknown(inputs) else await self._session.preflight(report)
        if run is not None:
            identity = Identity(urn, RemediationInputs.model_validate(inputs))
            await preview_create(run, identity, self._program, self._intent(urn, inputs, replace_requested))
        return dict(inputs) | {"remediationId": UNKNOWN, "state": UNKNOWN}

    async def create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float = 0.0, *, replace_requested: bool = False
    ) -> Resource:
        """Starts the remediation and waits for its end. `replace_requested`: whether the user asked the engine to
        replace the resource that the stack holds, which the engine does not pass on to Create."""
        identity = Identity(urn, RemediationInputs.model_validate(inputs))
        run = self._session.run(report, time_limit or seconds(identity.inputs.timeout), kept=self._keeps_unfinished)
        self._created_here[urn] = None
        try:
            result = await create(run, identity, self._intent(urn, inputs, replace_requested))
        except BaseException:
            del self._created_here[urn]
            raise
        self._created_here[urn] = result.state
        return _resource(result, inputs)

    async def read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, *, preview: bool = False
    ) -> Resource | None:
        """The resource as it is now; None if it is gone. `recorded` is None for an import. A `preview` does not wait
        for an end."""
        state = _state(recorded) if recorded else None
        limit = state.inputs.timeout if state else RemediationInputs.model_fields["timeout"].default
        result = await read(self._session.run(report, seconds(limit)), urn, resource_id, state, preview=preview)
        return _resource(result, recorded.inputs if recorded else None) if result else None

    async def preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        """Reports what update will do, and returns the outputs as far as they are known before it."""
        run = await self._session.preflight(report)
        if run is not None:
            declared = recorded.inputs if holds_unknown(inputs) else inputs
            await preview_update(run, _state(Recorded(declared, recorded.outputs)))
        return dict(recorded.outputs)

    async def update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float = 0.0
    ) -> Resource:
        """Resumes the wait for an unfinished remediation."""
        declared = RemediationInputs.model_validate(inputs)
        run = self._session.run(report, time_limit or seconds(declared.timeout))
        # What the stack holds as active is unfinished only if it waits. Else it is complete, as is all that
        # pulumi.dynamic updates: Create has looked whether others came first, and new settings withdraw nothing.
        state = _state(recorded)
        unfinished = self._keeps_unfinished and state.inputs.wait
        return _resource(await update(run, urn, state, declared, may_withdraw=unfinished), inputs)

    async def delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float = 0.0) -> None:
        """Cancels the remediation if that is still possible."""
        state = _state(recorded)
        created_here = self._created_here.get(urn)
        if created_here is not None and created_here.record.id == state.record.id:
            return
        run = self._session.run(report, time_limit or seconds(state.inputs.timeout))
        replaced = self._replaced.get(urn)
        if replaced and urn not in self._created_here and not holds_unknown(replaced.by):
            await refuse_replacement(run, Identity(urn, RemediationInputs.model_validate(replaced.by)), state)
        cancelled = await delete(run, state)
        if replaced:
            replaced.cancelled = cancelled

    def _intent(self, urn: str, inputs: Properties, replace_requested: bool) -> Intent:
        replaced = self._replaced.get(urn)
        if replaced is None:
            return Intent(replace_requested)
        # What Diff did not know yet counted as changed.
        changed = bool(diff(replaced.recorded.inputs, replaced.state, inputs).replaces)
        return Intent(replace_requested, replaced.state, another=changed or replaced.cancelled)


@dataclass
class _Replaced:
    """A resource that Diff decided to replace."""

    recorded: Recorded
    state: State
    by: Properties
    """The inputs of what replaces it, as far as Diff knew them."""
    cancelled: bool = False
    """Whether the delete has cancelled it."""


def _state(recorded: Recorded) -> State:
    try:
        return State.recorded(recorded.outputs, recorded.inputs)
    except ValidationError as error:
        raise OperationError(
            f"the stack's record of this remediation cannot be read: {error.errors()[0]['msg']}"
        ) from error


def _resource(result: Result, inputs: Properties | None) -> Resource:
    """Keeps the inputs as the program wrote them; for an import, takes them from the result's state."""
    written = result.state.inputs.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Resource(
        result.state.id, dict(inputs) if inputs is not None else written, result.state.outputs(), result.problem
    )
