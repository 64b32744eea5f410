"""A cluster by its id or its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.errors import ApiError, NotFound, NotSendable, Refused
from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.clusters.nodes import nearest
from pulumi_resource_togetherai.sanitize import quoted

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client


class NotNamed(ApiError):
    """A name that does not lead to one cluster."""


async def cluster_named(client: Client, written: str) -> Cluster:
    """The cluster with an id, or else the one with a name. An id is one request, GET /compute/clusters/{cluster_id}; a
    name is two more: GET /compute/clusters comes between. Raises ApiError: NotNamed if none has the name, or two."""
    try:
        return await client.get_cluster(written)
    except (NotFound, Refused, NotSendable) as unknown:
        try:
            clusters = await client.list_clusters()
        except (NotFound, Refused) as unlisted:  # an API that serves no list: what it said of the id is the answer
            raise unknown from unlisted
    return await client.get_cluster(_chosen(clusters, written).cluster_id)


def _chosen(clusters: list[Cluster], written: str) -> Cluster:
    named = {each.cluster_id: each for each in clusters if each.cluster_name == written}
    if len(named) == 1:
        return next(iter(named.values()))
    # What was written is not shown: it may be secret, and what asks cannot always tell.
    if named:
        raise NotNamed("find cluster", f"{len(named)} clusters have this name: {', '.join(named)}; write the id of one")
    shown = {each.cluster_name or each.cluster_id: each.cluster_id for each in clusters}
    shown |= {each.cluster_id: each.cluster_id for each in clusters}
    close = ", ".join(_described(text, shown[text]) for text in nearest(written, shown))
    instead = f"the closest are {close}" if close else "the API key sees no clusters at all"
    raise NotNamed("find cluster", f"no cluster has this id or name; {instead}")


def _described(name: str, cluster_id: str) -> str:
    return quoted(name) if same_id(name, cluster_id) else f"{quoted(name)} ({cluster_id})"
