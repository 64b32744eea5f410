"""Delete: cancels the remediation while the API allows that. Afterwards `deleteWhileRunning` decides.

The API cancels in PENDING_APPROVAL and PENDING only. A remediation may begin between our look and our cancel. So after
a refused cancel we look again, and apply the rule again.
"""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.nodes import holds
from pulumi_resource_togetherai.operation.cancel import (
    abandon,
    cancel_unless_begun,
    current_record,
    deleting,
    leave_to_its_owner,
)
from pulumi_resource_togetherai.operation.run import OperationError, Run, explained
from pulumi_resource_togetherai.operation.wait import wait_for_the_end
from pulumi_resource_togetherai.remediation.rules.choose import choose
from pulumi_resource_togetherai.remediation.rules.decision import Post, Refuse
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.missing import no_such_instance
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.history import history_of


async def delete(run: Run, state: State) -> bool:
    """Returns when the engine may remove the resource from the stack: whether it has cancelled the remediation. Raises
    OperationError when it must stay."""
    with deleting(state.record):
        record = await run.unless_stopped(current_record(run, state.record))
        return record is not None and not record.terminal and await _end(run, state, record)


async def cancel_named(run: Run, state: State) -> None:
    """Cancels the remediation whose id a person has typed, whoever started it. Raises OperationError for one that has
    begun: no stack has a rule for it, and nobody waits for it unasked."""
    with deleting(state.record):
        record = await run.unless_stopped(current_record(run, state.record))
        if record is not None and record.cancellable:
            record = await cancel_unless_begun(run, record)
        elif record is None or record.terminal:
            await run.report.info(f"nothing to cancel: {messages.whose(record or state.record)}")
        if record is None or record.terminal:
            return
        if record.cancellable:  # the API has accepted the cancel, and does not show it yet
            await wait_for_the_end(run, record)
            return
    raise OperationError(
        f"{messages.name(record)} is {record.state} and cannot be cancelled any more. It continues; `pulumi do "
        f"togetherai:Remediation read {messages.import_id(record)}` waits for its end"
    )


async def refuse_replacement(run: Run, identity: Identity, replaced: State) -> None:
    """Decides what the create after this delete will decide, while the old record is still in the stack. Raises
    OperationError if that will refuse: then nothing is deleted."""
    kept = f"Nothing was deleted: the stack keeps {messages.name(replaced.record)}"
    with explained(f"cannot check what would replace {messages.name(replaced.record)}", then=kept):
        history = await run.unless_stopped(history_of(run, identity))
        missing = await run.unless_stopped(_missing(run, identity))
    record = history.newest(replaced.record)
    if not _continues(replaced, record):
        history = history.once_ended(record)
    chosen = choose(
        identity, history, now=run.client.earliest_now(), config=run.config, intent=Intent(replaced=replaced)
    )
    because = chosen.because if isinstance(chosen, Refuse) else missing if isinstance(chosen, Post) else ""
    if because:
        raise OperationError(messages.told(f"{kept}, since what would replace it is refused", because))


async def _missing(run: Run, identity: Identity) -> str:
    """That the cluster does not have the instance, for which the API would refuse the POST; empty if it does, or if the
    API does not show it."""
    instance_id = identity.inputs.instance_id
    if instance_id is None:
        return ""
    try:
        cluster = await run.cluster(identity.inputs.cluster_id).cluster(preview=True)
    except ApiError:
        return ""
    return "" if holds(cluster, instance_id) else no_such_instance(identity, cluster)


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
        await leave_to_its_owner(run, record)
        return False
    if leaves_alone(state, record):
        await run.report.warning(
            f"leaving {messages.name(record)}, which is {record.state}, alone: this stack found it by its marker and "
            "cannot prove that it started it, since a stack of the same names in another backend writes the same one. "
            f"If it is yours, cancel it with `tg clusters remediations cancel {record.id}` or in the web console"
        )
        return False
    if record.cancellable:
        cancelled = await cancel_unless_begun(run, record)
        if cancelled is None or cancelled.terminal:
            return cancelled is not None
        record = cancelled
    match state.inputs.delete_while_running if not record.cancellable else DeleteWhileRunning.WAIT:
        case DeleteWhileRunning.ABANDON:
            await abandon(run, record)
        case DeleteWhileRunning.FAIL:
            raise OperationError(
                f"{messages.name(record)} is {record.state} and cannot be cancelled any more, and `deleteWhileRunning` "
                "is FAIL. It stays in the stack. Delete it once it has ended, or set `deleteWhileRunning` to WAIT or "
                "ABANDON and run `pulumi up` first"
            )
        case DeleteWhileRunning.WAIT:
            await wait_for_the_end(
                run, record, otherwise=", or set `deleteWhileRunning: ABANDON` and run `pulumi up` first"
            )
    return False
