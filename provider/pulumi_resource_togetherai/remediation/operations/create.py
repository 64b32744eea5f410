"""Create: find out what is there, POST under the idempotency key if nothing is, and wait until it has ended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import replace

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.api.plausible import SKEW
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.limit import Slot
from pulumi_resource_togetherai.clusters.precedence import may_have_been_withdrawn
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.clusters.where import instance_named
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.instance_lock import claim
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import GRACE, OperationError, Run, explained
from pulumi_resource_togetherai.operation.withdraw import follow
from pulumi_resource_togetherai.remediation.rules.choose import choose
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Post, Refuse
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive, RemediationInputs
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.history import history_of, was_withdrawn
from pulumi_resource_togetherai.remediation.steps.post import Budget, post
from pulumi_resource_togetherai.remediation.steps.settle import concluded, contest_of, settle
from pulumi_resource_togetherai.remediation.steps.successor import with_successor

LONGEST_PAUSE = 60.0
"""After a withdrawal because the cluster was full: the longest pause, in seconds, before the next look for a free
slot."""


async def create(run: Run, identity: Identity, intent: Intent) -> Resource:
    """Starts a remediation, or takes over the one that this resource has already, and waits until it has ended.

    `intent`: what the user asked for. Raises OperationError when there is nothing to record.
    """
    inputs, withdrawn = identity.inputs, set[str]()
    budget = Budget(run.config.max_retries + 1)
    pause = seconds(run.config.poll_interval)
    view = run.cluster(inputs.cluster_id)
    while True:
        with view.limit.slot(inputs.instance_id or await _found(run, inputs), run.report) as slot:
            state = await _create_or_adopt(run, identity, slot, budget, intent, withdrawn=withdrawn)
            slot.record = state.record
            watch = await follow(run, state.record, contest_of(run, state), wait=inputs.wait)
        state = state.seen(watch.record)
        if watch.loss is None and not await _was_withdrawn(run, identity, state):
            return await concluded(run, await with_successor(run, state), watch)
        winner, intent = watch.loss.winner if watch.loss is not None else None, Intent()
        if winner is not None and not ((own := identity.own(winner)) and own.declared):
            return await _give_way(run, state, winner)
        withdrawn.add(state.record.id)
        budget = Budget(run.config.max_retries + 1)  # that attempt did nothing
        if watch.loss is None:  # another run of this stack withdrew it: look what there is now
            continue
        if winner is not None:  # it is this resource's own, started by another run of the same stack: take it over
            continue
        await run.report.status(
            f"waiting for a free slot in cluster {inputs.cluster_id}: {messages.name(state.record)} was "
            f"withdrawn, because {watch.loss.ahead} other nodes came first"
        )
        with explained(f"no remediation of {inputs.target} was started: it was waiting for a free slot in its cluster"):
            await run.unless_stopped(asyncio.sleep(pause * random.uniform(0.5, 1.5)))
        pause = min(2 * pause, LONGEST_PAUSE)


async def _found(run: Run, inputs: RemediationInputs) -> str:
    with explained(f"no remediation of {inputs.target} was started: cannot find the node"):
        return await run.unless_stopped(instance_named(run.cluster(inputs.cluster_id), inputs.node or ""))


async def _was_withdrawn(run: Run, identity: Identity, state: State) -> bool:
    """Whether another run of the same stack, which knows it as its own too, withdrew it while this one waited."""
    if state.attempt is None or not may_have_been_withdrawn(state.record):
        return False
    with explained(f"cannot find out why {messages.name(state.record)} was cancelled", then="Run `pulumi up` again"):
        return await run.unless_stopped(was_withdrawn(run, identity, state.record))


async def _give_way(run: Run, state: State, winner: Remediation) -> Resource:
    """Applies `ifActive` after our remediation was withdrawn because another one of the same node came first."""
    lost = (
        f"{state.inputs.target} is being repaired already by another remediation, which came "
        f"first: {messages.whose(winner)}"
    )
    ours = f"this resource's own remediation {state.record.id} was cancelled before it began"
    if state.inputs.if_active is not IfActive.ADOPT:
        raise OperationError(
            f"{lost}; {ours}. Wait for the other one to end; then `pulumi up` starts a new remediation, without a "
            "change of `triggers`. Or set `ifActive` to ADOPT to wait for it here"
        )
    await run.report.info(f"{lost}, and `ifActive` is ADOPT; {ours}")
    return await settle(run, State(state.inputs, winner, None, adopted=True))


async def _history(run: Run, identity: Identity) -> History:
    with explained(f"no remediation of {identity.inputs.target} was started: cannot list what is there"):
        return await run.unless_stopped(history_of(run, identity))


async def _create_or_adopt(
    run: Run, identity: Identity, slot: Slot, budget: Budget, intent: Intent, *, withdrawn: Collection[str]
) -> State:
    """Decides, then starts a remediation or takes one over. While it does, no other resource of this process decides
    about the same instance. `withdrawn`: the ids of this resource's remediations that this run has withdrawn."""
    inputs = identity.inputs
    nothing_started = f"no remediation of {inputs.target} was started"
    async with claim(run, inputs.cluster_id, slot.instance_id, nothing_started):
        history = await _history(run, identity)
        with explained(
            f"no remediation of {inputs.target} is known to have been started",
            then="If it was, the next `pulumi up` finds it by its key",
        ):
            while True:
                history = replace(history, withdrawn=history.withdrawn | set(withdrawn))
                now = run.client.earliest_now()
                match choose(identity, history, now=now, config=run.config, intent=intent):
                    case Refuse(because):
                        raise OperationError(because)
                    case Adopt(record, attempt, because, warns):
                        tell = run.report.warning if warns else run.report.info
                        slot.release()
                        record = await _confirmed(run, record)
                        if not ended_badly(record):  # the operation's error reports a bad end
                            await tell(f"taking over {messages.name(record)}: {because}")
                        return State(inputs, record, attempt, adopted=attempt is None, resumed=attempt is not None)
                    case Post(attempt, warning=warning) as chosen:
                        slot.instance_id = history.instance_id
                        with explained(f"{nothing_started}: it was waiting for its turn"):
                            waited = await run.unless_stopped(slot.acquire())
                        if waited:  # somebody else may have started one during the wait
                            history = await _history(run, identity)
                            continue
                        if warning:
                            await run.report.warning(warning)
                        posted_at = run.client.earliest_now()
                        started = post(run, identity, slot.instance_id, chosen, budget)
                        record = await run.unless_stopped(started, grace=GRACE)
                        record = await _confirmed(run, record)
                        if not (record.terminal and record.create_time and record.create_time < posted_at - SKEW):
                            return State(inputs, record, attempt)
                        # The answer is an attempt that had ended long before, and that the API no longer lists.
                        if budget.left <= 0:
                            raise OperationError(
                                f"{nothing_started}: the API answers each request for one with an old one, at last "
                                f"with {messages.whose(record)}. Change {inputs.again}"
                            )
                        history = history.beside(record)


async def _confirmed(run: Run, record: Remediation) -> Remediation:
    """The same remediation. If the API says that it ended before anybody waited for it, fetches it once more by
    itself."""
    if not record.terminal:
        return record
    return await run.unless_stopped(find(run, record.cluster_id, record, look=View.confirmed))
