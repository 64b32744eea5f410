"""Create: look at the proposal, review it if it still waits for that, and after an approval wait for the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.run import GRACE, RemediationError, Run, explained
from pulumi_resource_togetherai.remediation.wait import until_terminal
from pulumi_resource_togetherai.review.decide import Adopt, Gone, Refuse, Review, decide
from pulumi_resource_togetherai.review.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.look import look
from pulumi_resource_togetherai.review.outcome import problem
from pulumi_resource_togetherai.review.state import State
from pulumi_resource_togetherai.review.words import done, proposal


@dataclass(frozen=True)
class Result:
    """A review, and why it is not complete, if it is not."""

    state: State
    problem: str | None = None


async def create(run: Run, inputs: ReviewInputs) -> Result:
    """Makes the review, or takes note of it if it was made already. Raises RemediationError when there is nothing to
    record."""
    with run.cluster(inputs.cluster_id).turns.turn(run.report) as turn:
        record = await _first_look(run, inputs)
        if inputs.decision is Decision.APPROVE and isinstance(decide(inputs, record), Review):
            with explained(f"{proposal(inputs)} was not approved: it waited for its turn"):
                waited = await run.unless_stopped(turn.take())
            if waited:  # much may have happened meanwhile
                record = await _first_look(run, inputs)
        with explained(
            f"{proposal(inputs)} is not known to be {done(inputs.decision)}",
            then="If it is, the next `pulumi up` finds out",
        ):
            state = await run.unless_stopped(_obtain(run, inputs, record), grace=GRACE)
        turn.record = state.record
        result = await settle(run, state)
        turn.record = result.state.record
        return result


async def _first_look(run: Run, inputs: ReviewInputs) -> Remediation | None:
    with explained(f"{proposal(inputs)} was not {done(inputs.decision)}: cannot look at it"):
        return await run.unless_stopped(look(run, inputs))


async def settle(run: Run, state: State) -> Result:
    """Waits for the end of an approved remediation, unless the program says not to, and says what came of it."""
    record = state.record
    if record is None or state.gone or state.inputs.decision is Decision.REJECT:
        return Result(state)
    if not state.inputs.wait and not record.terminal:
        await run.report.info(f"not waiting for {words.name(record)}, which is {record.state}")
        return Result(state)
    watch = await until_terminal(run, record)
    if watch.record.state == RemediationState.AUTO_RESOLVED:
        await run.report.info(f"{words.name(watch.record)} was not needed: the fault went away by itself")
    return Result(state.seen(watch.record), problem(watch, run.client.now(), kept=run.keeps_unfinished))


async def _obtain(run: Run, inputs: ReviewInputs, record: Remediation | None) -> State:
    """Asks for the review until it is answered: the API takes only one. Looks again after each error."""
    left, ours = run.config.max_retries, False
    while True:
        match decide(inputs, record):
            case Refuse(because):
                raise RemediationError(because)
            case Gone(record, because):
                await run.report.info(f"nothing to review: {because}")
                return State(inputs, record, gone=True)
            case Adopt(record, because):
                if not ours:
                    await run.report.info(f"taking note of the review of {words.name(record)}: {because}")
                return State(inputs, record, adopted=not ours)
            case Review(record):
                try:
                    answer = await _review(run, inputs)
                except ApiError as error:
                    if isinstance(error, CredentialRefused):
                        raise
                    await run.report.status(f"{error}; looking what became of the review")
                    ours = ours or error.maybe_took_effect
                    record = await look(run, inputs)
                    if record is not None and record.state == RemediationState.PENDING_APPROVAL:
                        if not (left and error.transient):
                            raise
                        left -= 1
                        await asyncio.sleep(seconds(run.config.poll_interval))
                else:
                    await _not_raised_meanwhile(run, inputs, answer)
                    return State(inputs, answer)


async def _review(run: Run, inputs: ReviewInputs) -> Remediation:
    where = (inputs.cluster_id, inputs.instance_id, inputs.remediation_id)
    if inputs.decision is Decision.REJECT:
        return await run.client.reject_remediation(*where, comment=inputs.comment)
    return await run.client.approve_remediation(*where, comment=inputs.comment, mode=inputs.mode)


async def _not_raised_meanwhile(run: Run, inputs: ReviewInputs, record: Remediation) -> None:
    """The platform may raise the mode between the look and the approval: then the approval is taken back."""
    believed = inputs.mode or inputs.expected_mode
    if inputs.decision is Decision.REJECT or believed is None or record.mode == believed:
        return
    await run.client.cancel_remediation(record.cluster_id, record.instance_id, record.id)
    raise RemediationError(
        f"{words.name(record)} became a {record.mode.short} while it was being approved as {believed.short}. The "
        "approval was taken back: the remediation is cancelled"
    )
