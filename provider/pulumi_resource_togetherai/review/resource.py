"""The RemediationReview resource: each of Pulumi's operations on it, in plain values, for both adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.operation.check import Checked, check
from pulumi_resource_togetherai.operation.results import Recorded, Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.rules.diff import Diff
from pulumi_resource_togetherai.remediation.rules.outcome import ended_badly
from pulumi_resource_togetherai.review.operations.create import create
from pulumi_resource_togetherai.review.operations.delete import delete
from pulumi_resource_togetherai.review.operations.preview import preview_create
from pulumi_resource_togetherai.review.operations.read import read
from pulumi_resource_togetherai.review.operations.update import update
from pulumi_resource_togetherai.review.rules.inputs import REPLACING, Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.settle import Result
from pulumi_resource_togetherai.unknown import UNKNOWN, holds_unknown

Properties = Mapping[str, Any]


class ReviewResource:
    """Pulumi's operations on reviews. One object serves one engine process, and one event loop."""

    def __init__(self, session: Session, *, keeps_unfinished: bool) -> None:
        """`keeps_unfinished`: whether the stack can keep a resource whose creation stopped half-way."""
        self._session = session
        self._keeps_unfinished = keeps_unfinished
        self._replaced: dict[str, State] = {}
        """What Diff decided to replace, by URN. Preview needs it, because the replaced resource is deleted first."""
        self._created: dict[str, str] = {}
        """The id of the review that this process last made or adopted for a URN. With `--replace` the engine creates
        before it deletes: that delete must not withdraw what create adopted."""

    def check(self, urn: str, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validates inputs, without the network."""
        return check(ReviewInputs, new_inputs)

    def diff(self, urn: str, recorded: Recorded, new_inputs: Properties) -> Diff:
        """What an `up` has to do about a review that the stack holds."""
        state, old = _state(recorded), recorded.inputs
        changed = [name for name in sorted({*old, *new_inputs}) if old.get(name) != new_inputs.get(name)]
        replaces = [name for name in REPLACING if name in changed]
        if replaces:
            self._replaced[urn] = state
        return Diff(
            replaces,
            unfinished=not replaces and _unfinished(state),
            settings=[name for name in changed if name not in REPLACING],
        )

    async def preview_create(
        self, urn: str, inputs: Properties, report: Report, *, replace_requested: bool = False
    ) -> dict[str, Any]:
        """Says what create will do, and returns the outputs as far as they are known before it."""
        run = None if holds_unknown(inputs) else await self._session.preflight(report)
        if run is not None:
            await preview_create(run, ReviewInputs.model_validate(inputs), replaced=self._replaced.get(urn))
        return dict(inputs) | {"state": UNKNOWN}

    async def create(
        self, urn: str, inputs: Properties, report: Report, time_limit: float = 0.0, *, replace_requested: bool = False
    ) -> Resource:
        """Makes the review, and after an approval waits for the end of the remediation."""
        declared = ReviewInputs.model_validate(inputs)
        run = self._session.run(report, time_limit or seconds(declared.timeout), kept=self._keeps_unfinished)
        result = await create(run, declared)
        self._created[urn] = result.state.id
        return _resource(result, inputs)

    async def read(
        self, urn: str, resource_id: str, recorded: Recorded | None, report: Report, *, preview: bool = False
    ) -> Resource | None:
        """The review as it is now; None if it is gone. `recorded` is None for an import. A `preview` does not wait for
        an end."""
        state = _state(recorded) if recorded else None
        limit = state.inputs.timeout if state else ReviewInputs.model_fields["timeout"].default
        result = await read(self._session.run(report, seconds(limit)), resource_id, state, preview=preview)
        return _resource(result, recorded.inputs if recorded else None) if result else None

    async def preview_update(self, recorded: Recorded, inputs: Properties, report: Report) -> dict[str, Any]:
        """Says what update will do, and returns the outputs as far as they are known before it."""
        record = _state(recorded).record
        if record is not None and record.terminal:
            await report.warning(
                f"`pulumi up` will review nothing and fail again: {messages.name(record)} {record.state}"
            )
        elif record is not None:
            await report.info(f"`pulumi up` will wait for {messages.name(record)}, and review nothing")
        return dict(recorded.outputs)

    async def update(
        self, urn: str, recorded: Recorded, inputs: Properties, report: Report, time_limit: float = 0.0
    ) -> Resource:
        """Resumes the wait for an approved remediation."""
        declared = ReviewInputs.model_validate(inputs)
        run = self._session.run(report, time_limit or seconds(declared.timeout))
        # One that does not wait is complete: a change of its settings withdraws no approval.
        state = _state(recorded)
        unfinished = self._keeps_unfinished and state.inputs.wait
        return _resource(await update(run, state, declared, may_withdraw=unfinished), inputs)

    async def delete(self, urn: str, recorded: Recorded, report: Report, time_limit: float = 0.0) -> None:
        """Withdraws an approval if the remediation can still be cancelled."""
        state = _state(recorded)
        if self._created.get(urn) != state.id:
            await delete(self._session.run(report, time_limit or seconds(state.inputs.timeout)), state)


def _unfinished(state: State) -> bool:
    """Whether what was approved ended badly, which Update reports again."""
    approved = state.record is not None and not state.gone and state.inputs.decision is Decision.APPROVE
    return approved and state.record is not None and ended_badly(state.record)


def _state(recorded: Recorded) -> State:
    try:
        return State.recorded(recorded.outputs, recorded.inputs)
    except ValidationError as error:
        raise OperationError(f"the stack's record of this review cannot be read: {error.errors()[0]['msg']}") from error


def _resource(result: Result, inputs: Properties | None) -> Resource:
    """The inputs stay as they were written; those of an import are written here."""
    written = result.state.inputs.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Resource(
        result.state.id, dict(inputs) if inputs is not None else written, result.state.outputs(), result.problem
    )
