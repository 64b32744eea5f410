"""The results of the lookups that are not simply a record of the API."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.api.models import ApiModel, Cluster, GpuWorkerNode, Remediation
from pulumi_resource_togetherai.functions.health import Health


class Remediations(ApiModel):
    """Remediations of a cluster."""

    remediations: list[Remediation]
    """The remediations, in the order asked for."""


class Clusters(ApiModel):
    """The clusters of an account."""

    clusters: list[Cluster]
    """The clusters that the API key may see, in the API's order."""


class Instance(GpuWorkerNode):
    """A GPU worker node, and what its status says of its health."""

    health: Health
    """What the `status` says: HEALTHY, STARTING, UNHEALTHY, STOPPED (paused, ended or cordoned), or UNKNOWN for a word
    that this version does not know, which is no reason to repair a node."""


class Node(Instance):
    """A GPU worker node, what its status says of its health, and the cluster that it is in."""

    cluster_id: str
    """The id of the cluster: the `clusterId` of a remediation."""


class Instances(ApiModel):
    """The GPU worker nodes of a cluster."""

    instances: list[Instance]
    """The nodes, in the API's order, without those that are marked for deletion."""


class Percentiles(ApiModel):
    """How long a phase took, in seconds. A percentile between two remediations is interpolated linearly, as NumPy and
    Excel's PERCENTILE.INC do. No percentile is below the shortest or above the longest, so with a few remediations
    `p99` is hardly less than the longest."""

    count: int
    """How many remediations went through the phase. The percentiles are computed from these."""
    p50: float
    """Half of them took no longer, in seconds."""
    p90: float
    """9 in 10 of them took no longer, in seconds."""
    p99: float
    """99 in 100 of them took no longer, in seconds."""


class OutcomeStats(ApiModel):
    """The remediations of one mode that ended in one state."""

    count: int
    """How many remediations these are."""
    left_out: int
    """How many of them count in no phase because their times cannot be right: the creation or the end is missing, a
    time is before one that must come first, or the end is in the future."""
    approval: Percentiles | None = None
    """From `createTime` to `reviewTime`: waiting for somebody to approve or reject it. Unset if none was reviewed."""
    queue: Percentiles | None = None
    """From the approval, or from `createTime` if none was needed, to `startTime`: waiting until the platform begins.
    Unset if the platform began none."""
    repair: Percentiles | None = None
    """From `startTime` to `endTime`: the repair itself. Unset if the platform began none."""
    total: Percentiles | None = None
    """From `createTime` to `endTime`. Unset if all are left out."""


class ModeStats(ApiModel):
    """The remediations of one mode."""

    count: int
    """How many ended."""
    success_share: float | None = None
    """The share of SUCCEEDED among those that SUCCEEDED or FAILED, from 0 to 1. A remediation that was cancelled or not
    needed counts for neither. Unset if none SUCCEEDED or FAILED."""
    outcomes: dict[str, OutcomeStats]
    """The remediations by the state in which they ended, such as `SUCCEEDED`. A state in which none ended is absent."""


class RemediationStats(ApiModel):
    """How long the remediations of a cluster took, by mode and outcome."""

    since: datetime
    """When the window began, on the API's clock."""
    count: int
    """How many remediations ended within the window."""
    unreadable: int
    """How many more remediations, of any age, the API lists that the provider cannot read, such as one without a state.
    They count nowhere else."""
    modes: dict[str, ModeStats]
    """The figures of each mode, by its full name, such as `REMEDIATION_MODE_VM_ONLY`. A mode of which none ended is
    absent."""
