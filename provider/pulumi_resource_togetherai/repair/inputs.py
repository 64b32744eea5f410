"""What a program declares about the repair of a cluster, and what comes out of it."""

from __future__ import annotations

from pulumi_resource_togetherai.fields import Duration, Identifier, Outputs
from pulumi_resource_togetherai.repair.rules import Policy


class ClusterRepairInputs(Policy):
    """The inputs of a ClusterRepair."""

    cluster_id: Identifier
    """The cluster to look at."""
    paused: bool = False
    """Whether to start, approve and reject nothing. The plan is shown, and what is under way is waited for."""
    stop_on_failure: bool = True
    """Whether a remediation that FAILED or was CANCELLED is an error. If true, `pulumi up` then begins nothing more and
    fails. If false, the stack records such an end. The next run decides by the node's new history in either case."""
    timeout: Duration = "1h"
    """How long to wait for each remediation to end, such as 45m or 1h30m."""


class PlannedNode(Outputs):
    """What is to be done about one node, and why."""

    node: str
    """The node's name that stays, as far as the API has one."""
    instance_id: str | None = None
    """The instance (VM) that is or will be repaired. Unset if the node has none."""
    decision: str
    """CONTINUE (go on waiting for what this component started or approved), APPROVE (the platform's proposal), START (a
    remediation), REJECT (the proposal), WAIT, PERSON (somebody has to look at the node) or LEAVE."""
    because: str
    """Why."""
    rule: str | None = None
    """The name of the rule that decides. Unset if none does."""
    mode: str | None = None
    """With CONTINUE, APPROVE and START: how the node is repaired."""
    remediation_id: str | None = None
    """With CONTINUE, APPROVE and REJECT: the remediation. With START: the proposal that is rejected before."""
    until: str | None = None
    """With WAIT: until when, if that is known."""


class ClusterRepairOutputs(Outputs):
    """The outputs of a ClusterRepair."""

    plan: list[PlannedNode]
    """What is to be done about each node, as the last run has planned it: without the nodes that no rule fits."""
    counts: dict[str, int]
    """How many nodes there are of each decision, such as `START`, LEAVE included."""
    states: dict[str, str]
    """The states of the remediations that the last run has waited for, by the names of their nodes."""
    left_to_people: list[str]
    """The names of the nodes at which a person has to look. The plan says why."""
