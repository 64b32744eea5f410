"""Delete: cancels what can still be cancelled. What cannot, `deleteWhileRunning` decides.

The API cancels in PENDING_APPROVAL and PENDING only, and a remediation may start between a look and the cancel: a
refused cancel is followed by another look, and the rule starts over.
"""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.inputs import DeleteWhileRunning
from pulumi_resource_togetherai.remediation.run import GRACE, RemediationError, Run, explained
from pulumi_resource_togetherai.remediation.state import State
from pulumi_resource_togetherai.remediation.wait import Stop, until_terminal


async def delete(run: Run, state: State) -> None:
    """Returns once the resource may be forgotten. Raises RemediationError when it may not."""
    with explained(
        f"cannot delete {words.name(state.record)}", then="It stays in the stack; run the same command again"
    ):
        record = await run.unless_stopped(_look(run, state.record))
        if record is not None and not record.terminal:
            await _end(run, state, record)


async def _look(run: Run, record: Remediation) -> Remediation | None:
    """The record as it is now; None when the API knows no such remediation."""
    if record.terminal:
        return record
    try:
        return await run.cluster(record.cluster_id).remediation(record.instance_id, record.id)
    except NotFound:
        return None


async def _end(run: Run, state: State, record: Remediation) -> None:
    if state.adopted:
        await run.report.info(f"leaving {words.whose(record)} alone: it was taken over, not started here")
        return
    if record.cancellable:
        cancelled = await run.unless_stopped(cancel_until_answered(run, record), grace=GRACE)
        if cancelled is None:
            return
        record = cancelled
        if record.terminal:
            await run.report.info(f"cancelled {words.name(record)}")
            return
    match state.inputs.delete_while_running if not record.cancellable else DeleteWhileRunning.WAIT:
        case DeleteWhileRunning.ABANDON:
            await run.report.warning(
                f"{words.name(record)} is {record.state} and cannot be cancelled any more. It goes on; the "
                "stack forgets it"
            )
        case DeleteWhileRunning.FAIL:
            raise RemediationError(
                f"{words.name(record)} is {record.state} and cannot be cancelled any more, and `deleteWhileRunning` is "
                "FAIL. It stays in the stack. Delete it once it has ended, or set `deleteWhileRunning` to WAIT or "
                "ABANDON and run `pulumi up` first"
            )
        case DeleteWhileRunning.WAIT:
            await _wait_for_the_end(run, record)


async def cancel_until_answered(run: Run, record: Remediation) -> Remediation | None:
    """Asks for the cancel until it is answered: asking twice does no harm. Returns the record that came of it,
    cancelled or not; None when it is gone."""
    for left in reversed(range(run.config.max_retries + 1)):
        try:
            return await run.client.cancel_remediation(record.cluster_id, record.instance_id, record.id)
        except NotFound:
            return None
        except ApiError as error:
            if isinstance(error, CredentialRefused):
                raise
            await run.report.status(f"{error}; looking what became of the remediation")
            now = await _look(run, record)
            if now is None or not now.cancellable:
                return now
            if not (left and error.transient):
                # Neither cancelled nor started: saying anything else would lose it.
                raise
            await asyncio.sleep(seconds(run.config.poll_interval))
    raise AssertionError("the last try returns or raises")


async def _wait_for_the_end(run: Run, record: Remediation) -> None:
    if not record.cancellable:
        await run.report.info(
            f"{words.name(record)} is {record.state} and cannot be cancelled any more; waiting for its end"
        )
    watch = await until_terminal(run, record)
    if watch.stop in (Stop.ENDED, Stop.GONE):
        return
    raise RemediationError(
        f"gave up waiting for the end of {words.name(watch.record)}, which is {watch.record.state}. It stays in the "
        "stack; run the same command again, or set `deleteWhileRunning: ABANDON` and run `pulumi up` first"
    )
