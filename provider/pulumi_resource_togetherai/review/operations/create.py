"""Create: look at the proposal, review it if it still waits for that, and after an approval wait for the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import AlreadyExists, ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.limit import Slot
from pulumi_resource_togetherai.clusters.watch import GROWTH, QUICK
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.cancel import cancel_until_answered
from pulumi_resource_togetherai.operation.instance_lock import claim
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import GRACE, OperationError, Run, explained
from pulumi_resource_togetherai.review.rules.decision import Adopt, Gone, Refuse, Review, decide
from pulumi_resource_togetherai.review.rules.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.messages import done
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.locate import located
from pulumi_resource_togetherai.review.steps.look import look, under_repair
from pulumi_resource_togetherai.review.steps.settle import contest_of, settle

_CANCELLED = RemediationState.CANCELLED


async def create(run: Run, inputs: ReviewInputs) -> Resource:
    """Makes the review, or records the one that was made already. Raises OperationError when there is nothing to
    record."""
    if inputs.node is not None:
        with explained(f"{inputs.target} was not {done(inputs.decision)}: cannot find it"):
            inputs = await run.unless_stopped(located(run, inputs))
    with run.cluster(inputs.cluster_id).limit.slot(inputs.ids[0], run.report) as slot:
        state = await _review_or_adopt(run, inputs, slot)
        slot.record = state.record
        return await settle(run, state, contest_of(run, state))


async def approve_again(run: Run, state: State) -> State:
    """Makes the review of a resource whose proposal still waits for it, though an earlier run had made it: the API has
    lost it."""
    with run.cluster(state.inputs.cluster_id).limit.slot(state.inputs.ids[0], run.report) as slot:
        return await _review_or_adopt(run, state.inputs, slot)


async def _first_look(run: Run, inputs: ReviewInputs) -> Remediation | None:
    with explained(f"{inputs.target} was not {done(inputs.decision)}: cannot read it"):
        return await run.unless_stopped(look(run, inputs))


async def _review_or_adopt(run: Run, inputs: ReviewInputs, slot: Slot) -> State:
    """Decides, then reviews the proposal if it still waits for a review. While it does, no other resource of this
    process decides about the same instance."""
    not_done = f"{inputs.target} was not {done(inputs.decision)}"
    async with claim(run, inputs.cluster_id, inputs.ids[0], not_done):
        record = await _first_look(run, inputs)
        if inputs.decision is Decision.APPROVE and isinstance(decide(inputs, record), Review):
            with explained(f"{not_done}: it was waiting for its turn"):
                waited = await run.unless_stopped(slot.acquire())
            if waited:  # the proposal may have changed while it waited
                record = await _first_look(run, inputs)
        if record is not None and inputs.decision is Decision.APPROVE and isinstance(decide(inputs, record), Review):
            with explained(f"{not_done}: cannot check whether the node is being repaired"):
                why_not = await run.unless_stopped(under_repair(run, record))
            if why_not:
                raise OperationError(why_not)
        with explained(
            f"{inputs.target} is not known to be {done(inputs.decision)}",
            then="If it is, the next `pulumi up` finds out",
        ):
            return await run.unless_stopped(_decide(run, inputs, record), grace=GRACE)


async def _decide(run: Run, inputs: ReviewInputs, record: Remediation | None) -> State:
    """Repeats the request until the API has answered. It accepts one review only: so look again after each error, and
    after an answer that shows another decision."""
    left, ours = run.config.max_retries, False
    while True:
        match decide(inputs, record):
            case Refuse(because):
                raise OperationError(because)
            case Gone(record, because):
                await run.report.info(f"nothing to review: {because}")
                return State(inputs, record, gone=True)
            case Adopt(record, because):
                # The answer to our request was lost: only the comment distinguishes our review from somebody else's.
                ours = ours and (record.review_comment or "").strip() == (inputs.comment or "").strip()
                if not ours:
                    await run.report.info(f"recording the existing review of {messages.name(record)}: {because}")
                return State(inputs, record, adopted=not ours)
            case Review(record):
                try:
                    answer = await _review(run, inputs)
                except ApiError as error:
                    if isinstance(error, CredentialRefused):
                        raise
                    await run.report.status(f"{error}; checking what became of the review")
                    ours = ours or (error.maybe_took_effect and not isinstance(error, AlreadyExists))
                    again = left > 0 and error.transient
                    record = await look(run, inputs)
                    if record is None or record.state != RemediationState.PENDING_APPROVAL:
                        continue
                    if not again:
                        raise
                else:
                    answer = await _once_it_shows(run, answer)
                    await _not_raised_meanwhile(run, inputs, answer)
                    done_as_asked = (answer.state == _CANCELLED) is (inputs.decision is Decision.REJECT)
                    if done_as_asked and answer.state != RemediationState.PENDING_APPROVAL:
                        return State(inputs, answer)
                    if not left:
                        raise OperationError(
                            f"{inputs.target} is not known to be {done(inputs.decision)}: the API accepted that, "
                            f"but reports that it is {answer.state}"
                        )
                    record = await look(run, inputs)
                left -= 1
                await asyncio.sleep(seconds(run.config.poll_interval))


async def _review(run: Run, inputs: ReviewInputs) -> Remediation:
    where = (inputs.cluster_id, *inputs.ids)
    if inputs.decision is Decision.REJECT:
        answer = await run.client.reject_remediation(*where, comment=inputs.comment)
    else:
        answer = await run.client.approve_remediation(*where, comment=inputs.comment, mode=inputs.mode)
    return run.cluster(inputs.cluster_id).believed(answer)


async def _once_it_shows(run: Run, answer: Remediation) -> Remediation:
    """The remediation once its record shows the review that the API has accepted, or as it is if it does not for so
    long that the review counts as lost."""
    view, loop = run.cluster(answer.cluster_id), asyncio.get_running_loop()
    since, gap = loop.time(), view.interval * QUICK
    while answer.state == RemediationState.PENDING_APPROVAL and loop.time() - since < view.proof:
        await asyncio.sleep(gap)
        gap = min(view.interval, gap * GROWTH)
        with suppress(NotFound):
            answer = await view.remediation(answer)
    return answer


async def _not_raised_meanwhile(run: Run, inputs: ReviewInputs, record: Remediation) -> None:
    """The platform may raise the mode between the look and the approval: then the approval is withdrawn."""
    believed = inputs.mode or inputs.expected_mode
    if inputs.decision is Decision.REJECT or believed is None or record.mode == believed or record.terminal:
        return
    now = await cancel_until_answered(run, record)
    taken_back = now is None or now.state == _CANCELLED
    raise OperationError(
        f"{messages.name(record)} became a {record.mode.short} while it was being approved as {believed.short}. "
        + (
            "The approval was withdrawn: the remediation is cancelled"
            if taken_back
            else "It had begun before the approval could be withdrawn, and continues"
        )
    )
