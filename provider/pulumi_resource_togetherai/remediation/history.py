"""What the API lists about one instance."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.run import Run


async def history_of(run: Run, inputs: RemediationInputs) -> list[Remediation]:
    """The instance's remediations, newest first. A remediation that replaced the VM has outlived the instance's id,
    so an unknown instance is looked up in its cluster. Raises ApiError, NotFound for an unknown cluster included."""
    try:
        return await run.client.list_remediations(inputs.cluster_id, inputs.instance_id)
    except NotFound:
        listed = await run.client.list_remediations(inputs.cluster_id)
        return [record for record in listed if record.instance_id == inputs.instance_id]
