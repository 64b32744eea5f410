"""Repairs every node of a cluster that is not healthy. `pulumi preview` says which, and what would happen to each."""

import pulumi

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.dynamic import Remediation, get_cluster, get_instances
from pulumi_resource_togetherai.functions.health import Health

config = pulumi.Config()
cluster = get_cluster(config.require("cluster")).cluster_id
incident = config.require("incident")

for node in get_instances(cluster):
    name = node.host_name or node.node_id or node.instance_id
    latest = node.latest_remediation
    failed = latest is not None and latest.state == RemediationState.FAILED
    if node.health is Health.UNKNOWN:
        # It may well be healthy: an unknown word is no reason to repair a node.
        pulumi.log.warn(f'{name} is left out, because "{node.status}" is no known status')
    elif name and (node.health is Health.UNHEALTHY or (node.health is Health.HEALTHY and failed)):
        repair = Remediation(
            name,
            cluster_id=cluster,
            node=name,
            mode="REBOOT_VM",
            reason=f"{incident}: the node is not healthy",
            # The same node again, in another incident.
            triggers={"incident": incident},
            # Somebody may be repairing it already: wait for that.
            if_active="ADOPT",
            # A node that is healthy again leaves the program; that is no reason to cancel anything.
            opts=pulumi.ResourceOptions(retain_on_delete=True),
        )
        pulumi.export(name, repair.state)
