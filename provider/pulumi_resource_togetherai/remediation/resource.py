"""The Remediation resource: what each of Pulumi's operations does with it. The module named after one does the work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.operations import Operations, state_of
from pulumi_resource_togetherai.operation.results import Diff, Properties, Recorded, Resource
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.operations.create import create
from pulumi_resource_togetherai.remediation.operations.delete import cancel_named, delete, refuse_replacement
from pulumi_resource_togetherai.remediation.operations.preview import preview_create, preview_update
from pulumi_resource_togetherai.remediation.operations.read import read
from pulumi_resource_togetherai.remediation.operations.update import update
from pulumi_resource_togetherai.remediation.rules.diff import diff
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.program import Program
from pulumi_resource_togetherai.unknown import UNKNOWN, holds_unknown


class RemediationResource(Operations):
    """Pulumi's operations on remediations."""

    kind = "Remediation"
    model = RemediationInputs

    def __init__(self, session: Session, *, keeps_unfinished: bool) -> None:
        super().__init__(session, keeps_unfinished=keeps_unfinished)
        self._memories = defaultdict[str, _Memory](_Memory)
        self._program = Program()

    def _diff(self, urn: str, recorded: Recorded, inputs: Properties) -> Diff:
        state = _state(recorded)
        difference = diff(recorded.inputs, state, inputs)
        if difference.replaces:
            self._memories[urn].replaced = _Replaced(recorded, state, inputs)
        return difference

    async def _preview_create(
        self, urn: str, inputs: Properties, report: Report, replace_requested: bool
    ) -> dict[str, Any]:
        run = None if holds_unknown(inputs) else await self.session.preflight(report)
        if run is not None:
            identity = self._identity(urn, inputs)
            await preview_create(run, identity, self._program, self._intent(urn, inputs, replace_requested))
        return dict(inputs) | {"remediationId": UNKNOWN, "state": UNKNOWN}

    async def _create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float, replace_requested: bool
    ) -> Resource:
        identity, memory = self._identity(urn, inputs), self._memories[urn]
        limit = time_limit or seconds(identity.inputs.timeout)
        run = self.session.run(report, limit, kept=self.keeps_unfinished, urn=urn)
        memory.create_begun = True
        try:
            resource = await create(run, identity, self._intent(urn, inputs, replace_requested))
        except BaseException:
            memory.create_begun = False
            raise
        memory.created = resource.id
        return replace(resource, written=inputs)

    async def _read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, preview: bool
    ) -> Resource | None:
        state = _state(recorded) if recorded else None
        limit = state.inputs.timeout if state else RemediationInputs.model_fields["timeout"].default
        run = self.session.run(report, seconds(limit), urn=urn)
        found = await read(run, urn, resource_id, state, preview=preview)
        return replace(found, written=recorded.inputs if recorded else None) if found else None

    async def _preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        run = await self.session.preflight(report)
        if run is not None:
            declared = recorded.inputs if holds_unknown(inputs) else inputs
            await preview_update(run, _state(Recorded(declared, recorded.outputs)))
        return dict(recorded.outputs)

    async def _update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float
    ) -> Resource:
        declared = RemediationInputs.model_validate(inputs)
        run = self.session.run(report, time_limit or seconds(declared.timeout), urn=urn)
        # What the stack holds as active is unfinished only if it waits. Else it is complete, as is all that
        # pulumi.dynamic updates: Create has looked whether others came first, and new settings withdraw nothing.
        state = _state(recorded)
        unfinished = self.keeps_unfinished and state.inputs.wait
        resource = await update(run, urn, state, declared, may_withdraw=unfinished)
        return replace(resource, written=inputs)

    async def _delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float) -> None:
        state, memory = _state(recorded), self._memories[urn]
        if memory.created == state.id:
            return
        run = self.session.run(report, time_limit or seconds(state.inputs.timeout))
        if self.session.stateless:
            await cancel_named(run, state)
            return
        replaced = memory.replaced
        if replaced and not memory.create_begun and not holds_unknown(replaced.by):
            await refuse_replacement(run, self._identity(urn, replaced.by), state)
        cancelled = await delete(run, state)
        if replaced:
            replaced.cancelled = cancelled

    def _identity(self, urn: str, inputs: Properties) -> Identity:
        return Identity(urn, RemediationInputs.model_validate(inputs), self.session.stateless)

    def _intent(self, urn: str, inputs: Properties, replace_requested: bool) -> Intent:
        replaced = self._memories[urn].replaced
        if replaced is None:
            return Intent(replace_requested)
        # What Diff did not know yet counted as changed.
        changed = bool(diff(replaced.recorded.inputs, replaced.state, inputs).replaces)
        return Intent(replace_requested, replaced.state, another=changed or replaced.cancelled)


@dataclass
class _Memory:
    """What this process knows of a URN."""

    replaced: _Replaced | None = None
    """What Diff decided to replace. It is deleted first."""
    create_begun: bool = False
    """Whether create has begun. With `--replace` the engine creates before it deletes."""
    created: str | None = None
    """The id of what create last started or took over. That may be the very one that delete is then asked to cancel."""


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
    return state_of("remediation", State.recorded, recorded)
