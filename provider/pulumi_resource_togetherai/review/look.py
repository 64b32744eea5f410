"""What the API says about the remediation to review."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.run import Run
from pulumi_resource_togetherai.review.inputs import ReviewInputs


async def look(run: Run, inputs: ReviewInputs) -> Remediation | None:
    """The record; None if the proposal has vanished. Raises ApiError, NotFound for a cluster or an instance that never
    was: a mistyped id is no vanished proposal."""
    try:
        return await run.client.get_remediation(inputs.cluster_id, inputs.instance_id, inputs.remediation_id)
    except NotFound:
        cluster = await run.client.get_cluster(inputs.cluster_id)
        known = {node.instance_id for node in cluster.gpu_worker_nodes}
        if inputs.instance_id not in known:
            known = {record.instance_id for record in await run.client.list_remediations(inputs.cluster_id)}
        if inputs.instance_id not in known:
            raise
        return None
