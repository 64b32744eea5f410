"""Each lookup: the requests that it sends, and the result that it builds from their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_resource_togetherai.api.asked import ALL_INSTANCES
from pulumi_resource_togetherai.api.errors import AnswerUnreadable, NotFound
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode, Remediation
from pulumi_resource_togetherai.clusters.named import NotNamed, cluster_named
from pulumi_resource_togetherai.clusters.nodes import Found, find, instances_of, problem
from pulumi_resource_togetherai.clusters.view import Clusters, Ref
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.functions import results
from pulumi_resource_togetherai.functions.arguments import (
    GetCluster,
    GetClusters,
    GetInstances,
    GetNode,
    GetRemediation,
    GetRemediations,
    GetRemediationStats,
)
from pulumi_resource_togetherai.functions.health import health, nodes_that_count
from pulumi_resource_togetherai.functions.order import Order
from pulumi_resource_togetherai.functions.results import Instance, Instances, Remediations, RemediationStats
from pulumi_resource_togetherai.functions.stats import stats_of

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client


async def get_remediation(client: Client, asked: GetRemediation) -> Remediation:
    """One remediation, as it is now."""
    view = Clusters(client, ProviderConfig(), note=lambda _: None)[asked.cluster_id]
    return await view.remediation(Ref(asked.instance_id, asked.remediation_id))


async def get_remediations(client: Client, asked: GetRemediations) -> Remediations:
    """The remediations that pass every filter, in the order asked for."""
    if asked.node is not None:
        return Remediations(remediations=Order.parse(asked.order_by).of(await _of_node(client, asked))[: asked.limit])
    try:
        listed = await _listed(client, asked, asked.instance_id or ALL_INSTANCES)
    except NotFound:
        # If a remediation replaced the VM, the API no longer knows the old instance id, but the cluster still lists the
        # remediation.
        history = await client.list_remediations(asked.cluster_id) if asked.instance_id else list[Remediation]()
        if not any(record.instance_id == asked.instance_id for record in history):
            raise
        wide = await _listed(client, asked, ALL_INSTANCES)
        listed = [record for record in wide if record.instance_id == asked.instance_id]
    return Remediations(remediations=Order.parse(asked.order_by).of(listed)[: asked.limit])


async def _of_node(client: Client, asked: GetRemediations) -> list[Remediation]:
    """The remediations of a node. Every remediation of the cluster may say which instances were this node."""
    cluster = await client.get_cluster(asked.cluster_id)
    found = find(cluster, asked.node or "")
    if not isinstance(found, Found):
        raise NotNamed("find node", problem(cluster.cluster_id, None, found))
    everything = await _listed(client, GetRemediations(cluster_id=asked.cluster_id), ALL_INSTANCES)
    filters = ((asked.state, "state"), (asked.mode, "mode"), (asked.trigger, "trigger"))
    return [
        record
        for record in everything.of_any(instances_of(cluster, found.node, everything))
        if all(not wanted or getattr(record, name) in wanted for wanted, name in filters)
    ]


async def get_remediation_stats(client: Client, asked: GetRemediationStats) -> RemediationStats:
    """How long the cluster's remediations took. Sends no filter: a terminal state may be new to this version."""
    everything = GetRemediations(cluster_id=asked.cluster_id)
    listed = await _listed(client, everything, ALL_INSTANCES, complete=False)
    return stats_of(listed, unreadable=len(listed.unreadable), window=seconds(asked.window), now=client.now())


async def _listed(client: Client, asked: GetRemediations, instance_id: str, *, complete: bool = True) -> Listed:
    listed = await client.list_remediations(
        asked.cluster_id,
        instance_id,
        states=asked.state or (),
        modes=asked.mode or (),
        triggers=asked.trigger or (),
        complete=complete,
    )
    if listed.unreadable and not listed:
        raise AnswerUnreadable(
            "list remediations",
            "none of the remediations that the API lists can be read; the first problem: "
            f"{listed.unreadable[0].problem}",
        )
    return listed


async def get_instances(client: Client, asked: GetInstances) -> Instances:
    """The GPU worker nodes that are part of a cluster."""
    cluster = await client.get_cluster(asked.cluster_id)
    return Instances(instances=[Instance.model_validate(_with_health(node)) for node in nodes_that_count(cluster)])


async def get_cluster(client: Client, asked: GetCluster) -> Cluster:
    """A cluster with its nodes."""
    return _shown(await cluster_named(client, asked.cluster))


async def get_clusters(client: Client, _: GetClusters) -> results.Clusters:
    """The clusters that the key may see."""
    return results.Clusters(clusters=[_shown(cluster) for cluster in await client.list_clusters()])


async def get_node(client: Client, asked: GetNode) -> results.Node:
    """The node of a cluster that answers to a name."""
    cluster = await cluster_named(client, asked.cluster)
    found = find(cluster, asked.node)
    if not isinstance(found, Found):
        raise NotNamed("find node", problem(cluster.cluster_id, None, found))
    if not found.live:
        left = f" at {found.node.deleted_at.isoformat()}" if found.node.deleted_at else ""
        raise NotNamed(
            "find node",
            f"the node that this name ({found.by}) is of has left cluster {cluster.cluster_id}{left}, and no node that "
            "is there answers to it; getInstances lists those that are",
        )
    return results.Node.model_validate(_with_health(found.node) | {"cluster_id": cluster.cluster_id})


def _with_health(node: GpuWorkerNode) -> dict[str, Any]:
    return node.model_dump() | {"health": health(node.status)}


def _shown(cluster: Cluster) -> Cluster:
    """A cluster without what this version does not describe: the answer holds the kubeconfig, which is a credential and
    would end up in the stack."""
    return Cluster.model_validate({name: getattr(cluster, name) for name in Cluster.model_fields})
