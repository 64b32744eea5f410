"""The RemediationReview resource: what each of Pulumi's operations does with it. The module named after one does the
work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.operations import Operations, state_of
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Diff, Properties, Recorded, Resource
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.review.operations.create import create
from pulumi_resource_togetherai.review.operations.delete import delete
from pulumi_resource_togetherai.review.operations.preview import preview_create
from pulumi_resource_togetherai.review.operations.read import read
from pulumi_resource_togetherai.review.operations.update import update
from pulumi_resource_togetherai.review.rules.inputs import REPLACING, Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.unknown import UNKNOWN, holds_unknown


class ReviewResource(Operations):
    """Pulumi's operations on reviews."""

    kind = "RemediationReview"
    model = ReviewInputs

    def __init__(self, session: Session, *, keeps_unfinished: bool) -> None:
        super().__init__(session, keeps_unfinished=keeps_unfinished)
        self._memories = defaultdict[str, _Memory](_Memory)

    def _diff(self, urn: str, recorded: Recorded, inputs: Properties) -> Diff:
        state, old = _state(recorded), recorded.inputs
        changed = [name for name in sorted({*old, *inputs}) if old.get(name) != inputs.get(name)]
        replaces = [name for name in REPLACING if name in changed]
        if replaces:
            self._memories[urn].replaced = state
        return Diff(
            replaces,
            unfinished=not replaces and _unfinished(state) and not inputs.get("acceptFailure"),
            settings=[name for name in changed if name not in REPLACING],
        )

    async def _preview_create(
        self, urn: str, inputs: Properties, report: Report, replace_requested: bool
    ) -> dict[str, Any]:
        run = None if holds_unknown(inputs) else await self.session.preflight(report)
        if run is not None:
            declared, replaced = ReviewInputs.model_validate(inputs), self._memories[urn].replaced
            await preview_create(run, urn, declared, replaced=replaced)
        return dict(inputs) | {"state": UNKNOWN}

    async def _create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float, replace_requested: bool
    ) -> Resource:
        declared = ReviewInputs.model_validate(inputs)
        run = self.session.run(report, time_limit or seconds(declared.timeout), kept=self.keeps_unfinished)
        resource = await create(run, declared)
        self._memories[urn].created = resource.id
        return replace(resource, written=inputs)

    async def _read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, preview: bool
    ) -> Resource | None:
        state = _state(recorded) if recorded else None
        limit = state.inputs.timeout if state else ReviewInputs.model_fields["timeout"].default
        found = await read(self.session.run(report, seconds(limit)), resource_id, state, preview=preview)
        return replace(found, written=recorded.inputs if recorded else None) if found else None

    async def _preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        record = _state(recorded).record
        if record is not None and ended_badly(record) and not inputs.get("acceptFailure"):
            await report.warning(
                f"`pulumi up` will review nothing and fail again: {messages.name(record)} {messages.ended(record)}"
            )
        elif record is not None and not record.terminal:
            await report.info(f"`pulumi up` will wait for {messages.name(record)}, and review nothing")
        return dict(recorded.outputs)

    async def _update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float
    ) -> Resource:
        declared = ReviewInputs.model_validate(inputs)
        run = self.session.run(report, time_limit or seconds(declared.timeout))
        # One that does not wait is complete: a change of its settings withdraws no approval.
        state = _state(recorded)
        unfinished = self.keeps_unfinished and state.inputs.wait
        resource = await update(run, state, declared, may_withdraw=unfinished)
        return replace(resource, written=inputs)

    async def _delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float) -> None:
        state = _state(recorded)
        if self._memories[urn].created != state.id:
            await delete(self.session.run(report, time_limit or seconds(state.inputs.timeout)), state)


@dataclass
class _Memory:
    """What this process knows of a URN."""

    replaced: State | None = None
    """What Diff decided to replace. Preview needs it, because it is deleted first."""
    created: str | None = None
    """The id of the review that create last made or adopted. With `--replace` the engine creates before it deletes:
    that delete must not withdraw what create adopted."""


def _unfinished(state: State) -> bool:
    """Whether what was approved ended badly, which Update reports again."""
    approved = state.record is not None and not state.gone and state.inputs.decision is Decision.APPROVE
    return approved and state.record is not None and ended_badly(state.record)


def _state(recorded: Recorded) -> State:
    return state_of("review", State.recorded, recorded)
