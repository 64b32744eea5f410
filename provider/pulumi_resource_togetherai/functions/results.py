"""What the lookups answer, where that is not a record of the API as it stands."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.api.models import ApiModel, GpuWorkerNode, Remediation


class Remediations(ApiModel):
    """Remediations of a cluster."""

    remediations: list[Remediation]
    """The remediations, in the order asked for."""


class Instances(ApiModel):
    """The GPU worker nodes of a cluster."""

    instances: list[GpuWorkerNode]
    """The nodes, in the API's order."""


class Percentiles(ApiModel):
    """How long a phase took, in seconds. Between two remediations a percentile is linear (the definition that NumPy and
    Excel's PERCENTILE.INC use as well); none is beyond the shortest or the longest, so of a few remediations `p99` is
    hardly less than the longest."""

    count: int
    """How many remediations this is taken from: those that went through the phase."""
    p50: float
    """Half of them took no longer, in seconds."""
    p90: float
    """9 in 10 of them took no longer, in seconds."""
    p99: float
    """99 in 100 of them took no longer, in seconds."""


class OutcomeStats(ApiModel):
    """The remediations of one mode that ended in one state."""

    count: int
    """How many they are."""
    left_out: int
    """How many of them count in no phase because their times cannot be right: the creation or the end is missing, one
    is before what must come first, or the end is still to come."""
    approval: Percentiles | None = None
    """From `createTime` to `reviewTime`: waiting for somebody to approve or reject it. Unset if none was reviewed."""
    queue: Percentiles | None = None
    """From the approval, or from `createTime` where none was needed, to `startTime`: waiting until the platform begins.
    Unset if none was begun."""
    repair: Percentiles | None = None
    """From `startTime` to `endTime`: the repair itself. Unset if none was begun."""
    total: Percentiles | None = None
    """From `createTime` to `endTime`. Unset if all are left out."""


class ModeStats(ApiModel):
    """The remediations of one mode."""

    count: int
    """How many ended."""
    success_share: float | None = None
    """The share of SUCCEEDED in what SUCCEEDED or FAILED, from 0 to 1: what was cancelled or not needed counts for
    neither. Unset if there is none of the two."""
    outcomes: dict[str, OutcomeStats]
    """What became of them, by the state that they ended in, such as `SUCCEEDED`. A state in which none ended is not
    there."""


class RemediationStats(ApiModel):
    """How long the remediations of a cluster took, by mode and outcome."""

    since: datetime
    """When the window began, on the API's clock."""
    count: int
    """How many remediations ended within the window."""
    unreadable: int
    """How many more the API lists, of whatever time, that cannot be read or believed, such as one that ended an hour
    before it was created. They count nowhere else."""
    modes: dict[str, ModeStats]
    """The figures of each mode, by its full name, such as `REMEDIATION_MODE_VM_ONLY`. A mode of which none ended is not
    there."""
