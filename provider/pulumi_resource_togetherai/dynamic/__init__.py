"""Adapter 2: the resources as `pulumi.dynamic` ones, for Python programs with no plugin to install.

from pulumi_resource_togetherai.dynamic import Remediation

Remediation("node-7", cluster_id="cluster-1", instance_id="cluster-1-node-7", mode="REBOOT_VM")

The lookups are plain functions:

get_remediations("cluster-1", state=["PENDING_APPROVAL"])
"""

from pulumi_resource_togetherai.dynamic.lookups import (
    get_cluster,
    get_clusters,
    get_instances,
    get_node,
    get_remediation,
    get_remediation_stats,
    get_remediations,
)
from pulumi_resource_togetherai.dynamic.repair import ClusterRepair
from pulumi_resource_togetherai.dynamic.resource import Remediation
from pulumi_resource_togetherai.dynamic.review import RemediationReview
from pulumi_resource_togetherai.dynamic.rolling import RollingRemediation

__all__ = [
    "ClusterRepair",
    "Remediation",
    "RemediationReview",
    "RollingRemediation",
    "get_cluster",
    "get_clusters",
    "get_instances",
    "get_node",
    "get_remediation",
    "get_remediation_stats",
    "get_remediations",
]
