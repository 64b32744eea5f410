"""What to write in place of an instance that the cluster does not have."""

from __future__ import annotations

from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.clusters.nodes import Found, find
from pulumi_resource_togetherai.remediation.rules.identity import Identity


def no_such_instance(identity: Identity, cluster: Cluster) -> str:
    """That the cluster does not have the instance that a program names, and what to write: a program often names a
    node where an instance is asked for."""
    asked = identity.inputs.instance_id or ""
    unknown = f"cluster {cluster.cluster_id} has no instance {asked}"
    found = find(cluster, asked)
    if isinstance(found, Found) and found.live and found.node.instance_id:
        what = "it was replaced: its node holds" if found.former else "that names a node, whose instance is"
        by_name = "name the node under `nodes`" if identity.is_of_a_rolling else "write the name as `node`"
        return f"{unknown}: {what} {found.node.instance_id} now. Write this id, or {by_name}"
    return (
        f"{unknown}. If a remediation replaced it, its successor has another id; `tg clusters retrieve` lists the nodes"
    )
