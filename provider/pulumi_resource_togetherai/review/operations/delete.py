"""Delete: withdraws an approval if the remediation can still be cancelled. A rejection stays as it is."""

from __future__ import annotations

from pulumi_resource_togetherai.operation.cancel import (
    abandon,
    cancel_unless_begun,
    current_record,
    deleting,
    leave_to_its_owner,
)
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.operation.wait import wait_for_the_end
from pulumi_resource_togetherai.review.rules.inputs import Decision
from pulumi_resource_togetherai.review.rules.state import State


async def delete(run: Run, review: State) -> None:
    """Returns when the engine may remove the review from the stack. A remediation that has begun continues: it belongs
    to the platform, not to this resource. Raises OperationError when the review must stay."""
    if review.record is None or review.gone or review.inputs.decision is Decision.REJECT:
        return
    with deleting(review.record):
        record = await run.unless_stopped(current_record(run, review.record))
        if record is None or record.terminal:
            return
        if review.adopted:
            await leave_to_its_owner(run, record)
            return
        if record.cancellable:
            record = await cancel_unless_begun(run, record)
            if record is None or record.terminal:
                return
        if record.cancellable:  # the API has accepted the cancel, and does not show it yet
            await wait_for_the_end(run, record)
        else:
            await abandon(run, record)
