"""What the API calls the clusters and the nodes that a table names: one look at each cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pulumi
from table import Node

from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode
from pulumi_resource_togetherai.dynamic import get_cluster
from pulumi_resource_togetherai.sanitize import quoted


def resolve(nodes: Iterable[Node], config: Mapping[str, str]) -> list[Node]:
    """The same nodes, with the ids of their clusters and every name that the API has for them; `config` is Pulumi's.
    What nothing answers to stays as it is: the preview says more about it. Raises ValueError for a cluster that is not
    there, and for two rows about one node, unless both say since when: those are faults of it, of which the last one
    counts."""
    pulumi.runtime.set_all_config(dict(config))
    clusters = dict[str, _Names]()
    found = dict[tuple[str, object], Node]()
    for node in nodes:
        if node.cluster not in clusters:
            clusters[node.cluster] = _look(node.cluster)
        cluster = clusters[node.cluster]
        at, names = cluster.of(node.written)
        known = replace(node, cluster=cluster.id, names=names)
        other = found.get((cluster.id, at))
        if other is not None and not (other.since and known.since):
            raise ValueError(
                f"{quoted(other.written)} and {quoted(node.written)} are one node of cluster {cluster.id}; leave one "
                "of them out"
            )
        if other is None or _later(known, other):
            found[cluster.id, at] = known
    return list(found.values())


def _later(node: Node, other: Node) -> bool:
    return node.since is not None and other.since is not None and node.since > other.since


def _look(written: str) -> _Names:
    try:
        return _Names(get_cluster(written))
    except pulumi.RunError as error:
        raise ValueError(f"cluster {quoted(written)}: {error}") from error


class _Names:
    """The names of a cluster's nodes."""

    def __init__(self, cluster: Cluster) -> None:
        self.id = cluster.cluster_id
        self._all = [_names(node) for node in cluster.gpu_worker_nodes]
        self._by_name = defaultdict[str, list[int]](list)
        for index, names in enumerate(self._all):
            for name in names:
                self._by_name[name].append(index)

    def of(self, written: str) -> tuple[object, frozenset[str]]:
        """Which node a name is of, and all of its names; the name alone if it is not one node's."""
        name = written.casefold()
        match self._by_name.get(name):
            case [index]:
                return index, self._all[index]
            case _:
                return name, frozenset({name})


def _names(node: GpuWorkerNode) -> frozenset[str]:
    latest = node.latest_remediation
    names = (node.node_id, node.host_name, node.slurm_worker_hostname, node.instance_id)
    return frozenset(name.casefold() for name in (*names, latest.instance_name if latest else None) if name)
