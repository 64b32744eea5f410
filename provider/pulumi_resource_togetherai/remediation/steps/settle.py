"""Waits for the end of a remediation as its inputs say, and reports the result."""

from __future__ import annotations

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import Rules
from pulumi_resource_togetherai.clusters.rivals import Contest
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.operation.withdraw import follow
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive
from pulumi_resource_togetherai.remediation.rules.outcome import gave_way, problem
from pulumi_resource_togetherai.remediation.rules.state import State


def contest_of(run: Run, state: State) -> Contest | None:
    """The rules that apply to a remediation, if it is this resource's own."""
    limit = run.cluster(state.record.cluster_id).limit.most
    rules = Rules(one_per_node=state.inputs.if_active is not IfActive.CREATE, limit=limit)
    if state.attempt is None or not (rules.one_per_node or rules.limit):
        return None
    return Contest(run.report, rules)


async def settle(run: Run, state: State) -> Resource:
    """Waits for the end of somebody's remediation, unless `wait` is false, and says what it means."""
    return await concluded(run, state, await follow(run, state.record, None, wait=state.inputs.wait))


async def concluded(run: Run, state: State, watch: Watch) -> Resource:
    """What a wait comes to for the resource, which is told where that is no error."""
    state = state.seen(watch.record)
    if watch.stop is Stop.ENDED and not watch.record.terminal:
        await run.report.info(f"not waiting for {messages.name(watch.record)}, which is {watch.record.state}")
        return Resource(state)
    if watch.record.state == RemediationState.AUTO_RESOLVED:
        await run.report.info(f"{messages.name(watch.record)} was not needed: the fault went away by itself")
    why = verdict(run, state, watch)
    if why is None and ended_badly(watch.record):
        ended = f"{messages.name(watch.record)} {messages.ended(watch.record)}"
        await run.report.warning(f"{ended}, which `acceptFailure` accepts")
    return Resource(state, why)


def verdict(run: Run, state: State, watch: Watch) -> str | None:
    """Why a resource is not complete after a wait; None if it is."""
    if state.withdrawn:
        return gave_way(state.record, None)
    return problem(watch, state.inputs, run.client.now(), kept=run.keeps_unfinished, urn=run.urn)
