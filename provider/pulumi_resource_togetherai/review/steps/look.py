"""What the API says about the remediation to review."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import Incomplete, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import Active
from pulumi_resource_togetherai.clusters.view import Ref
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs


async def look(run: Run, inputs: ReviewInputs, *, preview: bool = False) -> Remediation | None:
    """The record; None if the proposal has vanished. Raises ApiError, NotFound for a cluster or an instance that never
    was: a mistyped id is no vanished proposal."""
    view, ref = run.cluster(inputs.cluster_id), Ref(*inputs.ids)
    try:
        # Somebody has seen the proposal, or the program would not name it. A preview does not wait for lagging answers.
        return await (view.remediation(ref, preview=True) if preview else find(run, inputs.cluster_id, ref))
    except NotFound:
        cluster = await view.cluster(preview=preview)
        known = {node.instance_id for node in cluster.gpu_worker_nodes}
        if ref.instance_id not in known and not await view.node(ref.instance_id, preview=preview):
            raise
        return None


async def under_repair(run: Run, record: Remediation, *, preview: bool = False) -> str:
    """Why a proposal is not approved now: its node is being repaired already. Empty if it is not. Raises ApiError."""
    view = run.cluster(record.cluster_id)
    history = await view.node(record.instance_id, preview=preview)
    former = await view.of_the_same_node(record.instance_id, history, preview=preview)
    if former.incomplete:
        raise Incomplete("list remediations", former.incomplete)
    rivals = Active([*history, *former], view.one_node.key).rivals(record)
    if not rivals:
        return ""
    return (
        f"{messages.name(record)} cannot be approved while its node is being repaired: {messages.whose(rivals[0])}. "
        "Nothing was approved. Wait for that one to end, and check whether the proposal is still open"
    )
