"""What the API says of each node of a cluster: the node, its health, and its remediations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from pulumi_resource_togetherai.api.asked import folded, same_id
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.listed import Unreadable
from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode, LinkedAlert, Remediation
from pulumi_resource_togetherai.clusters.nodes import Field, Name, instances_of, names
from pulumi_resource_togetherai.clusters.precedence import precedence, started_at
from pulumi_resource_togetherai.functions.health import Health, health, in_phase_since

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """One node, or what is under way on a node that the cluster does not list at the moment."""

    node: GpuWorkerNode | None
    """None for a node that is not listed, as while its VM is being replaced."""
    records: Sequence[Remediation]
    """The remediations of every instance that is or was this node, each once."""
    unreadable: Sequence[Unreadable] = ()
    """Those of them that cannot be read."""

    @cached_property
    def name(self) -> str:
        """The name that stays, where the API knows one; empty for a node that has none at all."""
        if self.node is not None:
            return next((name.text for name in names(self.node)), "")
        latest = max(self.records, key=lambda record: (started_at(record), record.id), default=None)
        if latest is None:
            return self.unreadable[0].instance_id or ""
        return latest.instance_name or latest.instance_id

    @cached_property
    def health(self) -> Health:
        """What the node's status says."""
        return health(self.node.status) if self.node is not None else Health.UNKNOWN

    @property
    def unhealthy_since(self) -> datetime | None:
        """Since when a node that does not work has been so; None if it is not known."""
        return in_phase_since(self.node) if self.node is not None else None

    @cached_property
    def under_way(self) -> Sequence[Remediation]:
        """The remediations that have been approved and have not ended, in the order in which they go on if not all of
        them may."""
        active = (record for record in self.records if not record.terminal)
        return sorted((one for one in active if one.state != RemediationState.PENDING_APPROVAL), key=precedence)

    @property
    def under_repair(self) -> bool:
        """Whether something is under way, or may be."""
        return bool(self.under_way) or any(not one.ended for one in self.unreadable)

    @cached_property
    def waiting(self) -> Sequence[Remediation]:
        """The remediations that wait for approval, the latest first."""
        waiting = (record for record in self.records if record.state == RemediationState.PENDING_APPROVAL)
        return sorted(waiting, key=lambda record: (started_at(record), record.id), reverse=True)

    @cached_property
    def proposal(self) -> Remediation | None:
        """What the platform proposes for the present instance; the latest if there are several."""
        instance = (self.node.instance_id if self.node else None) or ""
        return next((record for record in self.waiting if same_id(record.instance_id, instance)), None)

    @cached_property
    def alerts(self) -> Sequence[LinkedAlert]:
        """The alerts that fire, as the proposal names them. What an earlier remediation names may be long over."""
        linked = (self.proposal.linked_alerts or ()) if self.proposal else ()
        return [alert for alert in linked if alert.resolved_at is None]

    @cached_property
    def ended(self) -> Sequence[Remediation]:
        """The remediations that have ended, the last one first."""
        ended = (record for record in self.records if record.terminal)
        return sorted(ended, key=lambda record: (ended_at(record) or _LONG_AGO, record.id), reverse=True)

    @cached_property
    def tried(self) -> Sequence[Remediation]:
        """Those of them that did something to the node, the last one first."""
        return [record for record in self.ended if _did_something(record)]

    @property
    def last_decided(self) -> Remediation | None:
        """The last one to end by a person's will or the platform's work: that a fault went away by itself does not
        count, that somebody cancelled or rejected a remediation does."""
        by_itself = RemediationState.AUTO_RESOLVED
        return next((one for one in self.ended if one.state != by_itself or _did_something(one)), None)

    def last_ended(self, before: datetime | None = None) -> Remediation | None:
        """The last remediation that has ended, or that had when another one was created."""
        return next((one for one in self.ended if before is None or (ended_at(one) or _LONG_AGO) <= before), None)


def ended_at(record: Remediation) -> datetime | None:
    """When a remediation ended; where the API does not say, the last time that it does say of it."""
    return record.end_time or record.update_time or record.start_time or record.create_time


def _did_something(record: Remediation) -> bool:
    """Whether a remediation that has ended was begun. One that ended in a state that this version does not know may
    have been."""
    never_begun = record.state in (RemediationState.CANCELLED, RemediationState.AUTO_RESOLVED)
    return not never_begun or record.start_time is not None


def every_node(cluster: Cluster, records: Iterable[Remediation], unreadable: Iterable[Unreadable] = ()) -> list[Seen]:
    """Every node of the cluster with its remediations, and every instance of no listed node on which something is under
    way, or may be, in the order of their names. `unreadable`: those of which the instance can be read.

    `instances_of` says which instances were a node, from the whole cluster and all records. Here it sees, for each
    node, only what is linked to it by a chain of names and instances, which is all that its answer depends on: so the
    work grows with the number of records, not with that number times the number of nodes.
    """
    found = [seen for group in _groups(cluster, records, unreadable) for seen in group.nodes()]
    return sorted(found, key=lambda seen: (seen.name, seen.node is None, *_ids(seen)))


def _ids(seen: Seen) -> tuple[str, ...]:
    return ((seen.node.instance_id or "") if seen.node else "", *sorted(record.id for record in seen.records))


class _Group:
    """Nodes and remediations that share names or instances."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.live = list[GpuWorkerNode]()
        self.gone = list[GpuWorkerNode]()
        self.records = dict[str, Remediation]()
        self.unreadable = list[Unreadable]()

    def nodes(self) -> Iterator[Seen]:
        """Each node once, however often the API lists it, and then what belongs to none."""
        alone = self._cluster.model_copy(update={"gpu_worker_nodes": self.live, "deleted_gpu_worker_nodes": self.gone})
        by_instance = defaultdict[str, list[Remediation]](list)
        for record in self.records.values():
            by_instance[folded(record.instance_id)].append(record)
        listed, of_nodes = set[str](), set[str]()
        for node in sorted(self.live, key=_less_reason_to_repair):
            itself = {folded(name.text) for name in names(node) if name.field in (Field.NODE_ID, Field.INSTANCE_ID)}
            if itself & listed:
                continue
            listed |= itself
            instances = [folded(each) for each in instances_of(alone, node, self.records.values())]
            of_nodes.update(instances)
            yield Seen(
                node, [record for each in instances for record in by_instance.get(each, ())], self._of(instances)
            )
        # What is said of the instance of a node that has left is of no node that is there.
        known = of_nodes | {folded(gone.instance_id) for gone in self.gone if gone.instance_id}
        unclear = {folded(one.instance_id) for one in self.unreadable if one.instance_id} - known
        for instance in sorted({*by_instance, *unclear} - of_nodes):
            left = by_instance.get(instance, [])
            if instance in unclear or any(not record.terminal for record in left):
                yield Seen(None, left, self._of([instance]))

    def _of(self, instances: Collection[str]) -> list[Unreadable]:
        return [one for one in self.unreadable if one.instance_id and folded(one.instance_id) in instances]


def _less_reason_to_repair(node: GpuWorkerNode) -> tuple[bool, str, str]:
    """Of two entries of one node, that counts which is less of a reason to repair it, in whichever order they come."""
    return health(node.status) is Health.UNHEALTHY, node.status, node.model_dump_json()


def _groups(cluster: Cluster, records: Iterable[Remediation], unreadable: Iterable[Unreadable]) -> list[_Group]:
    parents = dict[tuple[str, str], tuple[str, str]]()

    def root(token: tuple[str, str]) -> tuple[str, str]:
        while (parent := parents.setdefault(token, token)) != token:
            parents[token] = parents[parent]
            token = parent
        return token

    def linked(tokens: Sequence[tuple[str, str]]) -> tuple[str, str]:
        first = root(tokens[0])
        for other in tokens[1:]:
            parents[root(other)] = first
        return first

    nodes = [*cluster.gpu_worker_nodes, *cluster.deleted_gpu_worker_nodes]
    known = list(records)
    first_of_nodes = [linked(_tokens_of_node(node, index)) for index, node in enumerate(nodes)]
    first_of_records = [linked(_tokens_of_record(record)) for record in known]
    groups = dict[tuple[str, str], _Group]()

    def group(first: tuple[str, str]) -> _Group:
        return groups.setdefault(root(first), _Group(cluster))

    live = len(cluster.gpu_worker_nodes)
    for index, (node, first) in enumerate(zip(nodes, first_of_nodes, strict=True)):
        (group(first).live if index < live else group(first).gone).append(node)
    for record, first in zip(known, first_of_records, strict=True):
        group(first).records.setdefault(folded(record.id), record)
    for one in unreadable:
        group(Name(Field.INSTANCE_ID, one.instance_id or "").key).unreadable.append(one)
    return list(groups.values())


def _tokens_of_node(node: GpuWorkerNode, index: int) -> list[tuple[str, str]]:
    """What can link a node to others; its place in the list if it has no name at all."""
    latest = node.latest_remediation
    repaired = [Name(Field.INSTANCE_ID, latest.instance_id).key] if latest else []
    return [*(name.key for name in names(node)), *repaired] or [("place", str(index))]


def _tokens_of_record(record: Remediation) -> list[tuple[str, str]]:
    called = [Name(Field.INSTANCE_NAME, record.instance_name.strip()).key] if record.instance_name else []
    return [Name(Field.INSTANCE_ID, record.instance_id).key, *called]
