"""Delete: withdraws an approval if the remediation can still be cancelled. A rejection stays as it is."""

from __future__ import annotations

from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.operations.delete import delete as delete_remediation
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning, RemediationInputs
from pulumi_resource_togetherai.remediation.rules.state import State as RemediationStackState
from pulumi_resource_togetherai.review.rules.inputs import Decision
from pulumi_resource_togetherai.review.rules.state import State


async def delete(run: Run, review: State) -> None:
    """Returns when the engine may remove the review from the stack. A remediation that has begun continues: it belongs
    to the platform, not to this resource."""
    record = review.record
    if record is None or review.gone or review.inputs.decision is Decision.REJECT:
        return
    approved = RemediationInputs(
        cluster_id=record.cluster_id,
        instance_id=record.instance_id,
        mode=record.mode,
        delete_while_running=DeleteWhileRunning.ABANDON,
    )
    await delete_remediation(run, RemediationStackState(approved, record, adopted=review.adopted))
