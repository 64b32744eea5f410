"""Waits for the end of an approved remediation, and reports the result."""

from __future__ import annotations

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import Rules
from pulumi_resource_togetherai.clusters.rivals import Contest
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.operation.wait_result import Stop
from pulumi_resource_togetherai.operation.withdraw import follow
from pulumi_resource_togetherai.review.rules.inputs import Decision
from pulumi_resource_togetherai.review.rules.outcome import gave_way, problem
from pulumi_resource_togetherai.review.rules.state import State


def contest_of(run: Run, state: State) -> Contest | None:
    """The rules that our own approval has to follow. An approval is not withdrawn because the cluster is full: once
    cancelled, the remediation could not be approved again."""
    if state.adopted or state.gone or state.inputs.decision is Decision.REJECT:
        return None
    return Contest(run.report, Rules(one_per_node=True, limit=None))


async def settle(run: Run, state: State, contest: Contest | None = None) -> Resource:
    """Waits for the end of an approved remediation, unless `wait` is false, and returns the result. With a `contest`
    the approval is withdrawn if another remediation of the node came first."""
    record = state.record
    if record is None or state.gone or state.inputs.decision is Decision.REJECT:
        return Resource(state)
    watch = await follow(run, record, contest, wait=state.inputs.wait)
    state = state.seen(watch.record)
    if watch.loss is not None and watch.loss.winner is not None:
        return Resource(state, gave_way(watch.record, watch.loss.winner, kept=run.keeps_unfinished))
    if watch.stop is Stop.ENDED and not watch.record.terminal:
        await run.report.info(f"not waiting for {messages.name(watch.record)}, which is {watch.record.state}")
        return Resource(state)
    if watch.stop is Stop.ENDED and ended_badly(watch.record) and state.inputs.accept_failure:
        await run.report.warning(
            f"the approved {messages.name(watch.record)} {messages.ended(watch.record)}, which `acceptFailure` accepts"
        )
        return Resource(state)
    if watch.record.state == RemediationState.AUTO_RESOLVED:
        await run.report.info(f"{messages.name(watch.record)} was not needed: the fault went away by itself")
    return Resource(state, problem(watch, run.client.now(), kept=run.keeps_unfinished))
