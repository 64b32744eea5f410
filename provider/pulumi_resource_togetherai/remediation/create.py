"""Create: find out what is there, POST under the idempotency key if nothing is, and wait until it has ended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.adopt import Adopt, Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.claim import claim
from pulumi_resource_togetherai.remediation.contest import Contest, Loss
from pulumi_resource_togetherai.remediation.history import History, history_of
from pulumi_resource_togetherai.remediation.identity import Identity
from pulumi_resource_togetherai.remediation.inputs import IfActive
from pulumi_resource_togetherai.remediation.outcome import ended_badly, problem
from pulumi_resource_togetherai.remediation.post import post
from pulumi_resource_togetherai.remediation.recent import reckon
from pulumi_resource_togetherai.remediation.run import GRACE, RemediationError, Run, explained
from pulumi_resource_togetherai.remediation.state import State
from pulumi_resource_togetherai.remediation.turns import Turn
from pulumi_resource_togetherai.remediation.wait import Stop, Watch
from pulumi_resource_togetherai.remediation.withdraw import follow

LONGEST_PAUSE = 60.0
"""How long, at most, one that was withdrawn because its cluster was full keeps away before it looks for room again, in
seconds."""


@dataclass(frozen=True)
class Result:
    """A resource, and why it is not complete, if it is not."""

    state: State
    problem: str | None = None
    loss: Loss | None = None
    """Why the remediation was withdrawn, if it was: it is cancelled, and never began."""


async def create(run: Run, identity: Identity, *, recorded: bool, own: str | None = None) -> Result:
    """Starts a remediation, or takes over the one that is this resource's already, and waits for its end.

    `recorded`: whether the stack holds this resource already, declared as it is now. `own`: the id of the remediation
    that it had under other inputs. Raises RemediationError when there is nothing to record.
    """
    inputs, withdrawn = identity.inputs, set[str]()
    pause = seconds(run.config.poll_interval)
    while True:
        with run.cluster(inputs.cluster_id).turns.turn(run.report) as turn:
            state = await _obtain(run, identity, turn, recorded=recorded, own=own, withdrawn=withdrawn)
            turn.record = state.record
            result = await settle(run, state, contest_of(run, state))
            turn.record = result.state.record
        if result.loss is None:
            return result
        if result.loss.winner is not None:
            return await _give_way(run, result.state, result.loss.winner)
        withdrawn.add(result.state.record.id)
        await run.report.status(
            f"waiting for room in cluster {inputs.cluster_id}: {words.name(result.state.record)} was withdrawn, "
            f"because {result.loss.ahead} others came first"
        )
        with explained(f"no remediation of {words.node(inputs)} was started: it waited for room in its cluster"):
            await run.unless_stopped(asyncio.sleep(pause * random.uniform(0.5, 1.5)))
        pause = min(2 * pause, LONGEST_PAUSE)


def contest_of(run: Run, state: State) -> Contest | None:
    """The rules that a remediation is held to, if it is this resource's own."""
    one_per_node, limit = state.inputs.if_active is not IfActive.CREATE, run.config.max_concurrent_per_cluster
    if state.attempt is None or not (one_per_node or limit):
        return None
    return Contest(run.report, one_per_node=one_per_node, limit=limit)


async def settle(run: Run, state: State, contest: Contest | None = None) -> Result:
    """Waits for the end of a remediation, unless the program says not to, and says what came of it. With a `contest`
    it is withdrawn if others come first."""
    followed = await follow(run, state.record, contest, wait=state.inputs.wait)
    watch, state = followed.watch, state.seen(followed.watch.record)
    if followed.loss is not None:
        return Result(state, loss=followed.loss)
    if watch.stop is Stop.ENDED and not watch.record.terminal:
        await run.report.info(f"not waiting for {words.name(watch.record)}, which is {watch.record.state}")
        return Result(state)
    if watch.record.state == RemediationState.AUTO_RESOLVED:
        await run.report.info(f"{words.name(watch.record)} was not needed: the fault went away by itself")
    why = verdict(run, state, watch)
    if why is None and ended_badly(watch.record):
        await run.report.warning(f"{words.name(watch.record)} {watch.record.state}, which `acceptFailure` accepts")
    return Result(state, why)


def verdict(run: Run, state: State, watch: Watch) -> str | None:
    """Why a resource is not complete after a wait; None if it is."""
    accept = state.inputs.accept_failure
    return problem(watch, run.client.now(), kept=run.keeps_unfinished, accept_failure=accept)


def decision(run: Run, identity: Identity, history: History, *, recorded: bool, own: str | None) -> Decision:
    """What create does, given the instance's remediations."""
    now, window = run.client.now(), timedelta(seconds=seconds(run.config.adoption_window))
    chosen = decide(identity, history.records, now=now, window=window, recorded=recorded, withdrawn=history.withdrawn)
    if isinstance(chosen, Post) and history.unreadable:
        return Refuse(
            f"the API lists a remediation that cannot be read ({history.unreadable[0].problem}) and that may be this "
            f"resource's own, or of {words.node(identity.inputs)}. Nothing was posted"
        )
    return reckon(chosen, identity, history.records, now=now, config=run.config, own=own)


async def _give_way(run: Run, state: State, winner: Remediation) -> Result:
    """What `ifActive` says about a remediation that was withdrawn because another one of its node came first."""
    lost = f"{words.node(state.inputs)} is being repaired already: {words.whose(winner)}, came first"
    ours = f"this resource's own remediation {state.record.id} was cancelled before it began"
    if state.inputs.if_active is not IfActive.ADOPT:
        raise RemediationError(
            f"{lost}; {ours}. Wait for the other one to end; then `pulumi up` starts anew, without a change of "
            "`triggers`. Or set `ifActive` to ADOPT to wait for it here"
        )
    await run.report.info(f"{lost}, and `ifActive` is ADOPT; {ours}")
    return await settle(run, State(state.inputs, winner, None, adopted=True))


async def _history(run: Run, identity: Identity) -> History:
    with explained(f"no remediation of {words.node(identity.inputs)} was started: cannot list what is there"):
        return await run.unless_stopped(history_of(run, identity))


async def _obtain(
    run: Run, identity: Identity, turn: Turn, *, recorded: bool, own: str | None, withdrawn: Collection[str]
) -> State:
    """Decides, and starts or takes over what was decided on; nobody else in this process decides about the instance
    meanwhile. `withdrawn`: the ids of this resource's remediations that this run has withdrawn."""
    inputs = identity.inputs
    nothing_started = f"no remediation of {words.node(inputs)} was started"
    async with claim(run, inputs.cluster_id, inputs.instance_id, nothing_started):
        history = await _history(run, identity)
        with explained(
            f"no remediation of {words.node(inputs)} is known to have been started",
            then="If it was, the next `pulumi up` finds it by its key",
        ):
            while True:
                history = replace(history, withdrawn=history.withdrawn | set(withdrawn))
                match decision(run, identity, history, recorded=recorded, own=own):
                    case Refuse(because):
                        raise RemediationError(because)
                    case Adopt(record, attempt, because, surprising):
                        tell = run.report.warning if surprising else run.report.info
                        turn.give_up()
                        record = await _confirmed(run, record)
                        if not ended_badly(record):  # of a bad end the operation's error tells
                            await tell(f"taking over {words.name(record)}: {because}")
                        return State(inputs, record, attempt, adopted=attempt is None)
                    case Post(attempt, _, beware):
                        with explained(f"{nothing_started}: it waited for its turn"):
                            waited = await run.unless_stopped(turn.take())
                        if waited:  # somebody else may have started one meanwhile
                            history = await _history(run, identity)
                            continue
                        if beware:
                            await run.report.warning(beware)
                        before = run.client.now()
                        record = await run.unless_stopped(post(run, identity, attempt), grace=GRACE)
                        record = await _confirmed(run, record)
                        if not record.terminal or (record.create_time and record.create_time >= before):
                            return State(inputs, record, attempt)
                        # The answer is an attempt that had ended before, and that the API no longer lists.
                        if identity.attempt_of(record) is None:
                            raise RemediationError(
                                f"the idempotency key {identity.key(attempt)} is used up: the API answers it with "
                                f"{words.whose(record)}. Nothing was started. Change `triggers`"
                            )
                        history = history.beside(record)


async def _confirmed(run: Run, record: Remediation) -> Remediation:
    """A remediation that is said to have ended before anybody waited for it, as a look at it alone shows it."""
    if not record.terminal:
        return record
    look = run.cluster(record.cluster_id).remediation(record.instance_id, record.id)
    return await run.unless_stopped(look)
