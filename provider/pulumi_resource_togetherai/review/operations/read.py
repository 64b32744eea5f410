"""Read (refresh, import, get): the API's record of a remediation that was reviewed."""

from __future__ import annotations

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.view import Ref
from pulumi_resource_togetherai.clusters.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.rules.state import ResourceId
from pulumi_resource_togetherai.remediation.steps.find import find
from pulumi_resource_togetherai.remediation.steps.run import RemediationError, Run, explained
from pulumi_resource_togetherai.review.rules.decision import reviewed
from pulumi_resource_togetherai.review.rules.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.outcome import problem
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.settle import Result, settle


async def read(run: Run, resource_id: str, state: State | None) -> Result | None:
    """The review as it is now, or None if there is none. `state` is what the stack holds; None for an import."""
    try:
        where = ResourceId.parse(resource_id)
    except ValueError as error:
        raise RemediationError(str(error)) from error
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
    return await settle(run, state.seen(record))


def _forgotten(run: Run, state: State | None) -> Result | None:
    """The API may forget a remediation that ended long ago. The stack keeps the record of a review."""
    if state is None:
        return None
    if state.record is None or state.gone or state.inputs.decision is Decision.REJECT:
        return Result(state)
    if not state.record.terminal:
        return None
    return Result(state, problem(Watch(state.record, Stop.ENDED), run.client.now(), kept=run.keeps_unfinished))


def _declaration(record: Remediation) -> ReviewInputs:
    """The inputs as a program would write them to declare this review."""
    if not reviewed(record):
        raise RemediationError(f"{messages.whose(record)}, has not been reviewed: there is no review to import")
    decision = Decision.REJECT if record.state == RemediationState.CANCELLED else Decision.APPROVE
    written = {
        "clusterId": record.cluster_id,
        "instanceId": record.instance_id,
        "remediationId": record.id,
        "decision": decision.value,
    } | ({"comment": record.review_comment} if record.review_comment else {})
    return ReviewInputs.model_validate(written)
