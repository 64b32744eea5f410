"""A node by any name that the API knows for it, and the instances that were this node: pure functions over a cluster.

The API wants an instance id, and a repair may replace the instance. People, alerts and Slurm use the names that stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from enum import StrEnum
from heapq import nlargest

from pulumi_resource_togetherai.api.asked import folded, same_id
from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode, Remediation
from pulumi_resource_togetherai.sanitize import quoted

CLOSEST = 3
"""How many names are offered in place of one that nothing answers to."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Field(StrEnum):
    """What a name can be, in the API's words, in the order in which a match is reported."""

    NODE_ID = "node_id"
    HOST_NAME = "host_name"
    SLURM_WORKER_HOSTNAME = "slurm_worker_hostname"
    INSTANCE_NAME = "instance_name"
    INSTANCE_ID = "instance_id"


_HOSTS = frozenset({Field.HOST_NAME, Field.SLURM_WORKER_HOSTNAME})


@dataclass(frozen=True)
class Name:
    """One name of a node."""

    field: Field
    text: str

    @property
    def key(self) -> tuple[Field, str]:
        """The name as it is compared: host names and UUIDs without regard to case, others exactly."""
        return self.field, _compared(self.text, self.field)

    def __str__(self) -> str:
        return f"{quoted(self.text)} ({self.field})"


@dataclass(frozen=True)
class Found:
    """The one node that answers to a name."""

    node: GpuWorkerNode
    by: Field
    """Which of its names it is."""
    live: bool = True
    """Whether the node is in the cluster. If not, it has left, and no node that is there answers to the name."""
    former: bool = False
    """Whether it is a name that the node had, and has no more: that of a VM or a host which a repair replaced."""


@dataclass(frozen=True)
class Ambiguous:
    """Several nodes answer to a name."""

    nodes: tuple[Found, ...]


@dataclass(frozen=True)
class Unknown:
    """No node answers to a name."""

    closest: tuple[Name, ...]
    """The names of the cluster's nodes that are most like it, the closest first."""


def find(cluster: Cluster, name: str) -> Found | Ambiguous | Unknown:
    """Which node answers to a name. One that is in the cluster, marked for deletion or not, goes before those that had
    the name when they left it. Of these one whose node id is in the cluster with another VM is still there; of those
    that are not, the last one to leave counts."""
    live = _distinct(_answering(cluster.gpu_worker_nodes, name, live=True))
    gone = _answering(cluster.deleted_gpu_worker_nodes, name, live=False)
    live = live or _distinct(still for left in gone for still in _still_there(cluster, left))
    if len(live) > 1:
        return Ambiguous(tuple(live))
    found = live[0] if live else max(gone, key=lambda one: one.node.deleted_at or _LONG_AGO, default=None)
    return found or Unknown(closest(name, (each for node in cluster.gpu_worker_nodes for each in names(node))))


def node_of(cluster: Cluster, instance_id: str) -> GpuWorkerNode | None:
    """The node that holds an instance, or held it: the live one goes before those that have left. None if the cluster
    says of none that it does."""
    nodes = (*cluster.gpu_worker_nodes, *cluster.deleted_gpu_worker_nodes)
    return next((node for node in nodes if node.instance_id and same_id(node.instance_id, instance_id)), None)


def holds(cluster: Cluster, instance_id: str) -> bool:
    """Whether an instance is in one of the cluster's nodes now."""
    return any(node.instance_id and same_id(node.instance_id, instance_id) for node in cluster.gpu_worker_nodes)


def names(node: GpuWorkerNode) -> tuple[Name, ...]:
    """Every name that the API knows for a node. `instance_name` stands in its latest remediation, nowhere else."""
    latest = node.latest_remediation
    written: Mapping[Field, str | None] = {
        Field.NODE_ID: node.node_id,
        Field.HOST_NAME: node.host_name,
        Field.SLURM_WORKER_HOSTNAME: node.slurm_worker_hostname,
        Field.INSTANCE_NAME: latest.instance_name if latest else None,
        Field.INSTANCE_ID: node.instance_id,
    }
    return tuple(Name(field, text.strip()) for field, text in written.items() if text and text.strip())


def instances_of(cluster: Cluster, node: GpuWorkerNode, records: Iterable[Remediation] = ()) -> tuple[str, ...]:
    """Every instance that is or was this node, as far as the API says, the present one first: what the cluster's live
    and deleted nodes of one of its names hold or were last repaired in, and what the `records` (remediations of the
    cluster) name alike. A remediation of any of them is one of this node; compare with `same_id`.

    A name that another live node bears as well proves nothing, and what is another live node's instance now is not this
    node's.
    """
    mine = [node, *(other for other in cluster.gpu_worker_nodes if other is not node and _same(node, other))]
    others = [other for other in cluster.gpu_worker_nodes if not any(other is one for one in mine)]
    elsewhere, theirs = {folded(other.instance_id) for other in others if other.instance_id}, _lasting(others)
    ours = _lasting(mine) - theirs
    mine += [left for left in cluster.deleted_gpu_worker_nodes if _lasting([left]) & ours]
    held = [
        *(one.instance_id for one in mine),
        *(one.latest_remediation.instance_id for one in mine if one.latest_remediation),
    ]
    ids = {folded(each) for each in held if each} - elsewhere

    named = [record for record in records if record.instance_name]
    ours |= _lasting(mine) | {_called(record) for record in named if folded(record.instance_id) in ids}
    ours -= theirs | {_called(record) for record in named if folded(record.instance_id) in elsewhere}
    earlier = (record.instance_id for record in named if _called(record) in ours)
    found = dict[str, str]()
    for each in (*held, *earlier):
        if each and each.strip() and folded(each) not in elsewhere:
            found.setdefault(folded(each), each)
    return tuple(found.values())


def problem(cluster_id: str, name: str | None, found: Ambiguous | Unknown) -> str:
    """Why a name does not lead to one node of a cluster, and what to write instead, for people. `name`: None where
    it may be secret."""
    asked = f'"{quoted(name)}"' if name is not None else "this name"
    if isinstance(found, Ambiguous):
        nodes = " and ".join(
            f"{described(each.node)} by its {'former ' * each.former}{each.by}" for each in found.nodes
        )
        return (
            f"{len(found.nodes)} nodes of cluster {cluster_id} answer to {asked}: {nodes}; write a name that only "
            f"one of them has{_instead(found)}"
        )
    if not found.closest:
        return f"no node of cluster {cluster_id} answers to {asked}; the cluster has no GPU worker nodes"
    return (
        f"no node of cluster {cluster_id} answers to {asked}; the closest names are "
        f"{', '.join(map(str, found.closest))}"
    )


def described(node: GpuWorkerNode) -> str:
    """A node for people: by the names that tell it from others."""
    known = {name.field: quoted(name.text) for name in names(node)}
    shown = [f"{field} {known[field]}" for field in (Field.NODE_ID, Field.HOST_NAME) if field in known]
    return f"{', '.join(shown) or 'a node without a name'} (instance {known.get(Field.INSTANCE_ID, 'unknown')})"


def closest(written: str, known: Iterable[Name]) -> tuple[Name, ...]:
    """The names that are most like what was written, the closest first, each text once."""
    distinct = {name.text: name for name in reversed(list(known))}
    return tuple(distinct[text] for text in nearest(written, distinct))


def nearest(written: str, texts: Iterable[str]) -> list[str]:
    """The texts that are most like what was written, without regard to case, the closest first."""
    matcher = SequenceMatcher(b=written.strip().casefold())

    def likeness(text: str) -> float:
        matcher.set_seq1(text.casefold())
        return matcher.ratio()

    return nlargest(CLOSEST, sorted(texts), key=likeness)


def _compared(text: str, field: Field) -> str:
    return text.casefold() if field in _HOSTS else folded(text)


def _answering(nodes: Iterable[GpuWorkerNode], name: str, *, live: bool) -> list[Found]:
    """The nodes that answer to a name, each by the first of its names that it is."""
    asked = {field: _compared(name.strip(), field) for field in Field}
    by = (
        (node, next((each.field for each in names(node) if each.key == (each.field, asked[each.field])), None))
        for node in nodes
    )
    return [Found(node, field, live) for node, field in by if field]


def _still_there(cluster: Cluster, left: Found) -> list[Found]:
    """The live node of the same node id as one that has left: a repair has given it another VM, or another host."""
    node_id = left.node.node_id
    return [
        Found(node, left.by, former=True)
        for node in cluster.gpu_worker_nodes
        if node_id and node.node_id and same_id(node.node_id, node_id)
    ]


def _instead(found: Ambiguous) -> str:
    """A name of each of several nodes that none of the others has; empty if one of them has none."""
    texts = [{name.text.casefold(): name for name in reversed(names(each.node))} for each in found.nodes]
    own = [
        next(
            (name for text, name in mine.items() if not any(text in other for other in texts if other is not mine)),
            None,
        )
        for mine in texts
    ]
    return f": {' or '.join(map(str, own))}" if all(own) else ""


def _distinct(found: Iterable[Found]) -> list[Found]:
    """Without the repetitions of a node that the API lists twice."""
    return list({names(each.node): each for each in found}.values())


def _same(node: GpuWorkerNode, other: GpuWorkerNode) -> bool:
    """Whether two entries of the live list are one node: by its id or its instance, or where an entry lacks the node's
    id, by another name."""
    if node.instance_id and other.instance_id and folded(node.instance_id) == folded(other.instance_id):
        return True
    if node.node_id and other.node_id:
        return folded(node.node_id) == folded(other.node_id)
    return bool(_lasting([node]) & _lasting([other]))


def _lasting(nodes: Iterable[GpuWorkerNode]) -> set[tuple[Field, str]]:
    """The names that outlive an instance, as they are compared."""
    return {name.key for node in nodes for name in names(node) if name.field != Field.INSTANCE_ID}


def _called(record: Remediation) -> tuple[Field, str]:
    return Name(Field.INSTANCE_NAME, (record.instance_name or "").strip()).key
