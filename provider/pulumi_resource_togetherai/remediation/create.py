"""Create: find out what is there, POST under the idempotency key if nothing is, and wait until it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.adopt import Adopt, Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.identity import Identity
from pulumi_resource_togetherai.remediation.outcome import ended_badly, problem
from pulumi_resource_togetherai.remediation.post import post
from pulumi_resource_togetherai.remediation.run import GRACE, RemediationError, Run, explained
from pulumi_resource_togetherai.remediation.state import State
from pulumi_resource_togetherai.remediation.turns import Turn
from pulumi_resource_togetherai.remediation.wait import Watch, until_terminal


@dataclass(frozen=True)
class Result:
    """A resource, and why it is not complete, if it is not."""

    state: State
    problem: str | None = None


async def create(run: Run, identity: Identity, *, recorded: bool) -> Result:
    """Starts a remediation, or takes over the one that is this resource's already, and waits for its end.

    `recorded`: whether the stack holds this resource already, declared as it is now. Raises
    RemediationError when there is nothing to record.
    """
    node = words.node(identity.inputs)
    with run.cluster(identity.inputs.cluster_id).turns.turn(run.report) as turn:
        history = await _history(run, identity)
        with explained(
            f"no remediation of {node} is known to have been started",
            then="If it was, the next `pulumi up` finds it by its key",
        ):
            state = await _obtain(run, identity, history, turn, recorded=recorded)
        turn.record = state.record
        result = await settle(run, state)
        turn.record = result.state.record
        return result


async def settle(run: Run, state: State) -> Result:
    """Waits for the end of a remediation, unless the program says not to, and says what came of it."""
    if not state.inputs.wait and not state.record.terminal:
        await run.report.info(f"not waiting for {words.name(state.record)}, which is {state.record.state}")
        return Result(state)
    watch = await until_terminal(run, state.record)
    if watch.record.state == RemediationState.AUTO_RESOLVED:
        await run.report.info(f"{words.name(watch.record)} was not needed: the fault went away by itself")
    why = verdict(run, state, watch)
    if why is None and ended_badly(watch.record):
        await run.report.warning(f"{words.name(watch.record)} {watch.record.state}, which `acceptFailure` accepts")
    return Result(state.seen(watch.record), why)


def verdict(run: Run, state: State, watch: Watch) -> str | None:
    """Why a resource is not complete after a wait; None if it is."""
    accept = state.inputs.accept_failure
    return problem(watch, run.client.now(), kept=run.keeps_unfinished, accept_failure=accept)


def decision(run: Run, identity: Identity, history: list[Remediation], *, recorded: bool) -> Decision:
    """What create does, given the instance's remediations."""
    window = timedelta(seconds=seconds(run.config.adoption_window))
    return decide(identity, history, now=run.client.now(), window=window, recorded=recorded)


async def _history(run: Run, identity: Identity) -> list[Remediation]:
    inputs = identity.inputs
    with explained(f"no remediation of {words.node(inputs)} was started: cannot list what is there"):
        return await run.unless_stopped(run.cluster(inputs.cluster_id).history(inputs.instance_id))


async def _obtain(run: Run, identity: Identity, history: list[Remediation], turn: Turn, *, recorded: bool) -> State:
    while True:
        match decision(run, identity, history, recorded=recorded):
            case Refuse(because):
                raise RemediationError(because)
            case Adopt(record, attempt, because, surprising):
                tell = run.report.warning if surprising else run.report.info
                turn.give_up()
                if not ended_badly(record):  # of a bad end the operation's error tells
                    await tell(f"taking over {words.name(record)}: {because}")
                return State(identity.inputs, record, attempt, adopted=attempt is None)
            case Post(attempt):
                with explained(f"no remediation of {words.node(identity.inputs)} was started: it waited for its turn"):
                    waited = await run.unless_stopped(turn.take())
                if waited:  # somebody else may have started one meanwhile
                    history = await _history(run, identity)
                    continue
                before = run.client.now()
                record = await run.unless_stopped(post(run, identity, attempt), grace=GRACE)
                if not record.terminal or (record.create_time and record.create_time >= before):
                    return State(identity.inputs, record, attempt)
                # The answer is an attempt that had ended before, and that the API no longer lists.
                if identity.attempt_of(record) is None:
                    raise RemediationError(
                        f"the idempotency key {identity.key(attempt)} is used up: the API answers it with "
                        f"{words.whose(record)}. Nothing was started. Change `triggers`"
                    )
                history = [record, *history]
