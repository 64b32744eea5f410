"""What the lookups answer, where that is not a record of the API as it stands."""

from __future__ import annotations

from pulumi_resource_togetherai.api.models import ApiModel, GpuWorkerNode, Remediation


class Remediations(ApiModel):
    """Remediations of a cluster."""

    remediations: list[Remediation]
    """The remediations, in the order asked for."""


class Instances(ApiModel):
    """The GPU worker nodes of a cluster."""

    instances: list[GpuWorkerNode]
    """The nodes, in the API's order."""
