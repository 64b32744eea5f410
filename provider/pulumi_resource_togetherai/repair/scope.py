"""Which nodes a policy is about: `nodes` and `exclude`, in which people name nodes as they know them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode
from pulumi_resource_togetherai.clusters.nodes import Ambiguous, Field, Found, Unknown, find, names, problem
from pulumi_resource_togetherai.repair.rules import Policy

Key = tuple[Field, str]


@dataclass(frozen=True)
class Scope:
    """The nodes that a policy is about."""

    only: Set[Key] | None
    """What the nodes are that it names; None for every node."""
    excluded: Set[Key]
    """What the nodes are that it excludes."""
    unclear: str = ""
    """Why it is not known which nodes to leave alone, so that nothing may be started; empty if it is known."""
    warnings: Sequence[str] = ()
    """The names in `nodes` that lead to no node, or to several."""

    def includes(self, node: GpuWorkerNode) -> bool:
        """Whether the policy is about a node."""
        itself = set(_itself(node))
        return not itself & self.excluded and (self.only is None or bool(itself & self.only))


def scope_of(cluster: Cluster, policy: Policy) -> Scope:
    """The nodes of a cluster that a policy is about.

    A name in `exclude` to which nothing answers may be a slip, and the node that was meant would be repaired; so
    nothing is. A name of several nodes excludes all of them.
    """
    cluster_id = cluster.cluster_id
    wanted = {name: find(cluster, name) for name in policy.nodes or ()}
    unwanted = {name: find(cluster, name) for name in policy.exclude or ()}
    lost = [problem(cluster_id, name, found) for name, found in unwanted.items() if isinstance(found, Unknown)]
    vain = [problem(cluster_id, name, found) for name, found in wanted.items() if not isinstance(found, Found)]
    gone = [name for name, found in wanted.items() if isinstance(found, Found) and not found.live]
    return Scope(
        only=None if policy.nodes is None else {key for found in wanted.values() for key in _keys(found)},
        excluded={key for found in unwanted.values() for key in _keys(found, several=True)},
        unclear=f"`exclude` names a node that is not there: {lost[0]}" if lost else "",
        warnings=[
            *(f"`nodes`: {why}" for why in vain),
            *(f'`nodes`: the node that answers to "{name}" has left cluster {cluster_id}' for name in gone),
        ],
    )


def _keys(found: Found | Ambiguous | Unknown, *, several: bool = False) -> Iterator[Key]:
    if isinstance(found, Found) and found.live:
        yield from _itself(found.node)
    elif isinstance(found, Ambiguous) and several:
        for each in found.nodes:
            yield from _itself(each.node)


def _itself(node: GpuWorkerNode) -> list[Key]:
    """What tells a node from others: its ids; its other names if it has none."""
    known = names(node)
    ids = [name.key for name in known if name.field in (Field.NODE_ID, Field.INSTANCE_ID)]
    return ids or [name.key for name in known]
