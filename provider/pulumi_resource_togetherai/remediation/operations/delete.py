"""Delete: cancels the remediation while the API allows that. Afterwards `deleteWhileRunning` decides.

The API cancels in PENDING_APPROVAL and PENDING only. A remediation may begin between our look and our cancel. So after
a refused cancel we look again, and apply the rule again.
"""

from __future__ import annotations

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.wait_result import Stop
from pulumi_resource_togetherai.operation.cancel import cancel_until_answered, current_record
from pulumi_resource_togetherai.operation.run import GRACE, OperationError, Run, explained
from pulumi_resource_togetherai.operation.wait import until_terminal
from pulumi_resource_togetherai.remediation.rules.decision import Refuse
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.decide import decision
from pulumi_resource_togetherai.remediation.steps.history import history_of


async def delete(run: Run, state: State) -> bool:
    """Returns when the engine may remove the resource from the stack: whether it has cancelled the remediation. Raises
    OperationError when it must stay."""
    with explained(
        f"cannot delete {messages.name(state.record)}", then="It stays in the stack; run the same command again"
    ):
        record = await run.unless_stopped(current_record(run, state.record))
        return record is not None and not record.terminal and await _end(run, state, record)


async def refuse_replacement(run: Run, identity: Identity, replaced: State) -> None:
    """Decides what the create after this delete will decide, while the old record is still in the stack. Raises
    OperationError if that will refuse: then nothing is deleted."""
    kept = f"Nothing was deleted: the stack keeps {messages.name(replaced.record)}"
    with explained(f"cannot check what would replace {messages.name(replaced.record)}", then=kept):
        history = await run.unless_stopped(history_of(run, identity))
    record = history.newest(replaced.record)
    if not _continues(replaced, record):
        history = history.once_ended(record)
    chosen = decision(run, identity, history, intent=Intent(replaced=replaced))
    if isinstance(chosen, Refuse):
        raise OperationError(f"{chosen.because}. {kept}")


def _continues(state: State, record: Remediation) -> bool:
    """Whether it goes on after a delete. What has begun may be abandoned; what has not is cancelled in any case."""
    abandoned = state.inputs.delete_while_running is DeleteWhileRunning.ABANDON and not record.cancellable
    return state.adopted or leaves_alone(state, record) or abandoned


def leaves_alone(state: State, record: Remediation) -> bool:
    """Whether a delete does not cancel what it could: the stack cannot prove that it started it."""
    return state.resumed and record.cancellable


async def _end(run: Run, state: State, record: Remediation) -> bool:
    """Cancels it, or does what the rules say of one that is not cancelled. Returns whether it has cancelled it."""
    if state.adopted:
        await run.report.info(f"leaving {messages.whose(record)} alone: this resource adopted it and did not start it")
        return False
    if leaves_alone(state, record):
        await run.report.warning(
            f"leaving {messages.name(record)}, which is {record.state}, alone: this stack found it by its marker and "
            "cannot prove that it started it, since a stack of the same names in another backend writes the same one. "
            f"If it is yours, cancel it with `tg clusters remediations cancel {record.id}` or in the web console"
        )
        return False
    if record.cancellable:
        cancelled = await run.unless_stopped(cancel_until_answered(run, record), grace=GRACE)
        if cancelled is None:
            return False
        record = cancelled
        if record.terminal:
            await run.report.info(f"cancelled {messages.name(record)}")
            return True
    match state.inputs.delete_while_running if not record.cancellable else DeleteWhileRunning.WAIT:
        case DeleteWhileRunning.ABANDON:
            await run.report.warning(
                f"{messages.name(record)} is {record.state} and cannot be cancelled any more. It continues; the "
                "stack no longer tracks it"
            )
        case DeleteWhileRunning.FAIL:
            raise OperationError(
                f"{messages.name(record)} is {record.state} and cannot be cancelled any more, and `deleteWhileRunning` "
                "is FAIL. It stays in the stack. Delete it once it has ended, or set `deleteWhileRunning` to WAIT or "
                "ABANDON and run `pulumi up` first"
            )
        case DeleteWhileRunning.WAIT:
            await _wait_for_the_end(run, record)
    return False


async def _wait_for_the_end(run: Run, record: Remediation) -> None:
    if not record.cancellable:
        await run.report.info(
            f"{messages.name(record)} is {record.state} and cannot be cancelled any more; waiting for it to end"
        )
    watch = await until_terminal(run, record)
    if watch.stop in (Stop.ENDED, Stop.GONE):
        return
    raise OperationError(
        f"gave up waiting for the end of {messages.name(watch.record)}, which is {watch.record.state}. It stays in the "
        "stack; run the same command again, or set `deleteWhileRunning: ABANDON` and run `pulumi up` first"
    )
