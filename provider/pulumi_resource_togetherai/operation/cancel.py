"""Cancel: the API does it in PENDING_APPROVAL and PENDING only, and a remediation may begin between a look and the
request: after a refusal, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.run import GRACE, Run, explained


@contextmanager
def deleting(record: Remediation) -> Generator[None]:
    """Makes what stops a delete one line for the user."""
    failure = f"cannot delete {messages.name(record)}"
    with explained(failure, then="It stays in the stack; run the same command again"):
        yield


async def current_record(run: Run, record: Remediation) -> Remediation | None:
    """The remediation as it is now; None when it is gone. Raises ApiError."""
    if record.terminal:
        return record
    try:
        return await find(run, record.cluster_id, record)
    except NotFound:
        return None


async def cancel_until_answered(run: Run, record: Remediation) -> Remediation | None:
    """Repeats the cancel request until the API has answered it; a second cancel does no harm. Returns the remediation
    afterwards, cancelled or not, or None when it is gone."""
    view = run.cluster(record.cluster_id)
    for left in reversed(range(run.config.max_retries + 1)):
        try:
            answer = await run.client.cancel_remediation(record.cluster_id, record.instance_id, record.id)
            return view.believed(answer)
        except ApiError as error:
            if isinstance(error, CredentialRefused):
                raise
            await run.report.status(f"{error}; checking what became of the remediation")
            now = await current_record(run, record)
            if now is None or not now.cancellable:
                return now
            if not (left and (error.transient or isinstance(error, NotFound))):
                # Neither cancelled nor begun: to report anything else would lose track of it.
                raise
            await asyncio.sleep(seconds(run.config.poll_interval))
    raise AssertionError("the last try returns or raises")


async def cancel_unless_begun(run: Run, record: Remediation) -> Remediation | None:
    """Cancels a remediation on the way to deleting its resource. Returns it afterwards; None when it is gone."""
    cancelled = await run.unless_stopped(cancel_until_answered(run, record), grace=GRACE)
    if cancelled is not None and cancelled.terminal:
        await run.report.info(f"cancelled {messages.name(cancelled)}")
    return cancelled


async def leave_to_its_owner(run: Run, record: Remediation) -> None:
    """Says that a delete leaves what the resource adopted."""
    await run.report.info(f"leaving {messages.whose(record)} alone: this resource adopted it and did not start it")


async def abandon(run: Run, record: Remediation) -> None:
    """Says that a delete leaves what can no longer be cancelled."""
    await run.report.warning(
        f"{messages.name(record)} is {record.state} and cannot be cancelled any more. It continues; the stack no "
        "longer tracks it"
    )
