"""Update: resumes the wait of a resource that is not complete, or records new settings. It never posts."""

from __future__ import annotations

from dataclasses import replace

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import may_have_been_withdrawn
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import Run, explained
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.operation.withdraw import follow
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.outcome import gave_way
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.history import was_withdrawn
from pulumi_resource_togetherai.remediation.steps.later_attempt import later_attempt
from pulumi_resource_togetherai.remediation.steps.settle import concluded, contest_of, verdict
from pulumi_resource_togetherai.remediation.steps.successor import with_successor


async def update(run: Run, urn: str, state: State, inputs: RemediationInputs, *, may_withdraw: bool) -> Resource:
    """Resumes the wait that the last run gave up, with the current inputs. `may_withdraw`: whether that run may have
    stopped before it checked whether others came first."""
    # Settings that change while it runs withdraw nothing that was started under others.
    contest = contest_of(run, state) if may_withdraw else None
    state = replace(state, inputs=inputs)
    record = state.record
    if not record.terminal:
        with explained(f"cannot read {messages.name(record)}", then="Run `pulumi up` again"):
            try:
                record = await run.unless_stopped(find(run, record.cluster_id, record))
            except NotFound as error:
                gone = Watch(record, Stop.GONE, error)
                return Resource(state, verdict(run, state, gone))
    was_active = not state.record.terminal
    watch = await follow(run, record, contest, wait=state.inputs.wait)
    state = state.seen(watch.record)
    if was_active:
        state = await with_successor(run, state)
    if watch.loss is not None or (may_withdraw and await _was_withdrawn(run, urn, state)):
        winner = watch.loss.winner if watch.loss is not None else None
        return Resource(replace(state, withdrawn=True), gave_way(state.record, winner))
    resource = await concluded(run, state, watch)
    if resource.problem is not None and ended_badly(state.record):
        later = await later_attempt(run, urn, state)
        return replace(resource, problem=messages.told(resource.problem, f"But {later}" if later else ""))
    return resource


async def _was_withdrawn(run: Run, urn: str, state: State) -> bool:
    """Whether an earlier run withdrew it and was killed before it could record that."""
    if state.attempt is None or not may_have_been_withdrawn(state.record):
        return False
    with explained(f"cannot find out why {messages.name(state.record)} was cancelled", then="Run `pulumi up` again"):
        return await run.unless_stopped(was_withdrawn(run, Identity(urn, state.inputs, run.stateless), state.record))
