"""Read (refresh, import, get): the API's record of a remediation that was reviewed."""

from __future__ import annotations

from datetime import timedelta

from pydantic import ValidationError

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.view import Ref
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.outcome import not_waited_for
from pulumi_resource_togetherai.operation.resource_id import ResourceId
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import OperationError, Run, explained
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.review.rules.decision import reviewed
from pulumi_resource_togetherai.review.rules.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.outcome import problem
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.settle import settle

_AT_ONCE = timedelta(seconds=2)
"""How far apart a rejection and the end that it brings may be."""


async def read(run: Run, resource_id: str, state: State | None, *, preview: bool) -> Resource | None:
    """The review as it is now, or None if there is none. `state` is what the stack holds; None for an import. A
    `preview` does not wait for an end."""
    try:
        where = ResourceId.parse(resource_id)
    except ValueError as error:
        raise OperationError(str(error)) from error
    with explained(f"cannot read the review of remediation {resource_id}"):
        try:
            ref = Ref(where.instance_id, where.remediation_id)
            # What an import or a finished review names may well not be there; what was active was seen.
            proven = state is None or state.record is None or state.record.terminal
            look = run.cluster(where.cluster_id).remediation(ref) if proven else find(run, where.cluster_id, ref)
            record = await run.unless_stopped(look)
        except NotFound:
            return _forgotten(run, state)
    if state is None:
        state = State(_declaration(record), record)
    if preview and run.stateless:  # who reads it to delete it, or only to look at it, is told whose it is
        await run.report.info(messages.whose(record))
        return Resource(state.seen(record))
    if preview and state.inputs.wait and state.inputs.decision is Decision.APPROVE and not record.terminal:
        return Resource(state.seen(record), not_waited_for(record))
    return await settle(run, state.seen(record))


def _forgotten(run: Run, state: State | None) -> Resource | None:
    """The API may forget a remediation that ended long ago. The stack keeps the record of a review."""
    if state is None:
        return None
    if state.record is None or state.gone or state.inputs.decision is Decision.REJECT:
        return Resource(state)
    if not state.record.terminal:
        return None
    if state.inputs.accept_failure:
        return Resource(state)
    return Resource(state, problem(Watch(state.record, Stop.ENDED), run.client.now(), kept=run.keeps_unfinished))


def _was_rejected(record: Remediation) -> bool:
    """Whether a review ended it: then it ended when it was reviewed, and never began. One that was approved may have
    been cancelled later."""
    if record.state != RemediationState.CANCELLED or record.start_time:
        return False
    reviewed, ended = record.review_time, record.end_time
    return reviewed is None or ended is None or ended - reviewed <= _AT_ONCE


def _declaration(record: Remediation) -> ReviewInputs:
    """The inputs as a program would write them to declare this review."""
    if not reviewed(record):
        raise OperationError(f"{messages.whose(record)}, has not been reviewed: there is no review to import")
    decision = Decision.REJECT if _was_rejected(record) else Decision.APPROVE
    written = {
        "clusterId": record.cluster_id,
        "instanceId": record.instance_id,
        "remediationId": record.id,
        "decision": decision.value,
    } | ({"comment": record.review_comment} if record.review_comment else {})
    try:
        return ReviewInputs.model_validate(written)
    except ValidationError as error:
        raise OperationError(
            f"cannot import the review of {messages.name(record)}: no program can declare it "
            f"({error.errors()[0]['msg']})"
        ) from error
