"""What the API says about the remediation to review."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.rules import messages
from pulumi_resource_togetherai.remediation.rules.precedence import Active
from pulumi_resource_togetherai.remediation.steps.run import Run
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs


async def look(run: Run, inputs: ReviewInputs, *, preview: bool = False) -> Remediation | None:
    """The record; None if the proposal has vanished. Raises ApiError, NotFound for a cluster or an instance that never
    was: a mistyped id is no vanished proposal."""
    shared = run.cluster(inputs.cluster_id)
    try:
        return await shared.remediation(inputs.instance_id, inputs.remediation_id, preview=preview)
    except NotFound:
        cluster = await shared.get(preview=preview)
        known = {node.instance_id for node in cluster.gpu_worker_nodes}
        if inputs.instance_id not in known and not await shared.history(inputs.instance_id, preview=preview):
            raise
        return None


async def under_repair(run: Run, record: Remediation, *, preview: bool = False) -> str:
    """Why a proposal is not approved now: its node is being repaired already. Empty if it is not. Raises ApiError."""
    history = await run.cluster(record.cluster_id).history(record.instance_id, preview=preview)
    rivals = Active(history).rivals(record)
    if not rivals:
        return ""
    return (
        f"{messages.name(record)} cannot be approved while its node is being repaired: {messages.whose(rivals[0])}. "
        "Nothing was approved. Wait for that one to end, and check whether the proposal is still open"
    )
