"""Where a node is that a program names: the instance that its name leads to, and the remediations of every instance
that is or was the node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound, Refused
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.nodes import Found, described, find, instances_of, problem
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.sanitize import quoted


class NotServed(ApiError):
    """The API does not list the remediations of all instances of a cluster, without which a node's name is not
    enough."""

    def __init__(self, cluster_id: str, why: NotFound | Refused | CredentialRefused) -> None:
        self.for_this_key = isinstance(why, CredentialRefused)
        """Whether it is the API key that may not read it: another one may."""
        super().__init__(
            "list remediations",
            f"cluster {cluster_id}: it does not list the remediations of all instances, without which a node's name is "
            f"not enough ({why}); write `instanceId` in place of `node`",
        )


@dataclass(frozen=True)
class Where:
    """Where a node is."""

    instance_id: str
    """The instance that the name leads to; the name itself if it leads to none."""
    instances: tuple[str, ...] = ()
    """Every instance that is or was the node, as far as the API says."""
    astray: str = ""
    """Why the name leads to no instance."""


def where(cluster: Cluster, name: str, records: Listed) -> Where:
    """Where the node of a cluster is that answers to a name. `records`: what is known of the cluster's remediations."""
    found = find(cluster, name)
    if not isinstance(found, Found):
        return Where(name, astray=problem(cluster.cluster_id, name, found))
    instances = instances_of(cluster, found.node, records)
    if not found.live:
        gone = f"{described(found.node)}, which answered to {quoted(name)}, has left cluster {cluster.cluster_id}"
        return Where(name, instances, gone)
    if not found.node.instance_id:
        return Where(name, instances, f"{described(found.node)} of cluster {cluster.cluster_id} holds no instance now")
    return Where(found.node.instance_id, instances)


async def instance_named(view: View, name: str) -> str:
    """The instance that a node's name led to at some time in this run; the name itself if that is none. Raises
    ApiError."""
    return where(await view.names(), name, Listed()).instance_id


async def remediations_named(
    view: View, name: str, *, or_else: Callable[[Remediation], bool] | None = None, preview: bool = False
) -> tuple[Listed, Where]:
    """The remediations of every instance that is or was the node of that name, as far as the API says, newest first,
    with those that `or_else` is true of; and where the node is. Raises ApiError: NotServed where the API has no list
    of all instances."""
    cluster = await view.cluster(preview=True)
    try:
        everything = await view.everything(preview=True)
    except (NotFound, Refused, CredentialRefused) as error:
        if error.http_status == 401:
            raise
        raise NotServed(view.id, error) from error
    place = where(cluster, name, everything)
    view.one_node.learn(place.instances)
    listed = everything.of_any(place.instances, or_else=or_else)
    if preview:
        return listed, place
    # All share what was asked for a minute ago at most. What may have been started since is asked for each.
    now = Listed() if place.astray else await view.node(place.instance_id)
    former = await view.of_former(
        [each for each in place.instances if place.astray or not same_id(each, place.instance_id)]
    )
    return now.beside(former).beside(listed), place
