"""Repairs every node of a cluster that is not healthy. `pulumi preview` says which, and what would happen to each."""

import pulumi

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import GpuWorkerNode
from pulumi_resource_togetherai.dynamic import Remediation, get_instances

config = pulumi.Config()
cluster = config.require("cluster")
incident = config.require("incident")


def healthy(node: GpuWorkerNode) -> bool:
    """A node that works, and whose last repair did not fail."""
    latest = node.latest_remediation
    return node.status == "Ready" and (latest is None or latest.state != RemediationState.FAILED)


for node in get_instances(cluster):
    if node.instance_id and not healthy(node):
        repair = Remediation(
            node.instance_id,
            cluster_id=cluster,
            instance_id=node.instance_id,
            mode="REBOOT_VM",
            reason=f"{incident}: the node is not healthy",
            # The same node again, in another incident.
            triggers={"incident": incident},
            # Somebody may be repairing it already: wait for that.
            if_active="ADOPT",
            # A node that is healthy again leaves the program; that is no reason to cancel anything.
            opts=pulumi.ResourceOptions(retain_on_delete=True),
        )
        pulumi.export(node.instance_id, repair.state)
