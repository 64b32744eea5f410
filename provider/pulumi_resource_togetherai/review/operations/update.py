"""Update: resumes the wait for an approved remediation. Reviews nothing, unless the API has lost the approval."""

from __future__ import annotations

from dataclasses import replace

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import Run, explained
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.review.operations.create import approve_again
from pulumi_resource_togetherai.review.rules.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.outcome import problem
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.settle import contest_of, settle


async def update(run: Run, state: State, inputs: ReviewInputs, *, may_withdraw: bool) -> Resource:
    """Resumes the wait that the last run gave up, with the current inputs. `may_withdraw`: whether
    that run may have stopped before it checked whether another remediation came first."""
    state = replace(state, inputs=inputs.at(*state.inputs.ids))
    record = state.record
    if record is None or record.terminal or state.gone:
        return await settle(run, state)
    with explained(f"cannot read {messages.name(record)}", then="Run `pulumi up` again"):
        try:
            record = await run.unless_stopped(find(run, record.cluster_id, record))
        except NotFound as error:
            gone = Watch(record, Stop.GONE, error)
            return Resource(state, problem(gone, run.client.now(), kept=run.keeps_unfinished))
    state = state.seen(record)
    if record.state == RemediationState.PENDING_APPROVAL and inputs.decision is Decision.APPROVE and not state.adopted:
        state = await approve_again(run, state)
    return await settle(run, state, contest_of(run, state) if may_withdraw else None)
