"""Approves every reboot that the platform proposes for a cluster, and rejects its other proposals."""

import pulumi

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.dynamic import RemediationReview, get_cluster, get_remediations

cluster = get_cluster(pulumi.Config().require("cluster")).cluster_id

for proposal in get_remediations(cluster, state=["PENDING_APPROVAL"], order_by="createTime"):
    reboot = proposal.mode == RemediationMode.REBOOT_VM
    review = RemediationReview(
        proposal.id,
        cluster_id=cluster,
        instance_id=proposal.instance_id,
        remediation_id=proposal.id,
        decision="APPROVE" if reboot else "REJECT",
        comment="a reboot may go ahead" if reboot else "a person has to look at this",
        # The platform may raise a proposal's mode while it waits: a reboot that became more is not approved.
        expected_mode=proposal.mode,
        # A proposal that was decided leaves the program; that is no reason to take the approval back.
        opts=pulumi.ResourceOptions(retain_on_delete=True),
    )
    pulumi.export(proposal.instance_id, review.state)
