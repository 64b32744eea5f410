"""The view of a cluster: what this process knows of its remediations.

It alone sends reads, and it alone decides what to believe; everybody else asks it. Answers are evidence: they may come
from a replica that lags, be cut off, or lack what is there. So every record that comes in passes through `believe`,
every list says whether it may lack something, and what one way to ask does not show is asked for in the others.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from pulumi_resource_togetherai.api import models
from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, Incomplete, NotFound, Refused
from pulumi_resource_togetherai.api.listed import Listed, Unreadable
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.announced import Announced
from pulumi_resource_togetherai.clusters.batch import Answers, Batch
from pulumi_resource_togetherai.clusters.believe import believe, contradicts
from pulumi_resource_togetherai.clusters.estimate import Estimates
from pulumi_resource_togetherai.clusters.limit import ConcurrencyLimit
from pulumi_resource_togetherai.clusters.memory import Memory
from pulumi_resource_togetherai.clusters.nodes import holds, instances_of, node_of
from pulumi_resource_togetherai.clusters.one_node import OneNode
from pulumi_resource_togetherai.clusters.precedence import Active
from pulumi_resource_togetherai.clusters.watch import Watcher
from pulumi_resource_togetherai.clusters.ways import Way, Ways
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.fields import seconds

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

RECENT = 60.0
"""How old, in seconds, an answer may be that a preview uses, so that a preview of many nodes asks only once."""
SETTLING = 6
"""For how many poll intervals to look for what a POST may have started: before it is sent again after an unknown
outcome, and before it is compared with others. The request may still be in transit, and the answers may lag."""
PROOF = 12
"""For how many poll intervals every answer must have lacked a remediation before it counts as gone."""


class Ref(NamedTuple):
    """A remediation's ids within its cluster."""

    instance_id: str
    remediation_id: str

    @classmethod
    def of(cls, which: Remediation | Ref) -> Ref:
        """The ids of a record."""
        return which if isinstance(which, Ref) else cls(which.instance_id, which.id)


class View:
    """What is known of one cluster. Every coroutine raises ApiError."""

    def __init__(self, client: Client, config: ProviderConfig, cluster_id: str, note: Callable[[str], object]) -> None:
        """`note` takes a line for those who debug."""
        self._client = client
        self._id = cluster_id
        self._note = note
        self.interval = interval = seconds(config.poll_interval)
        """The longest time between two polls, in seconds."""
        self.settling = SETTLING * interval
        """For how long, in seconds, to look for what a POST may have started."""
        self.proof = PROOF * interval
        """For how long, in seconds, every answer must have lacked a remediation before it counts as gone."""
        self._ways = Ways(note)
        self._memory = Memory()
        self._shown_by = dict[str, Way]()
        """The way that showed a remediation which the first way did not, by its id."""
        at_least = min(interval / 5, 1.0)
        self._clusters = Batch[str, models.Cluster](self._cluster, _one_by_one, min_interval=at_least)
        self._lists = Batch[str, Listed](self._everything, _one_by_one, min_interval=at_least)
        self._nodes = Batch[str, Listed](self._node, self._all_nodes, min_interval=at_least)
        self._records = Batch[Ref, Remediation](self._record, self._all_records, min_interval=at_least)
        self._ended = Batch[Ref, Remediation](self._record_by_id, self._those_ended, min_interval=at_least)
        self._active: tuple[float, Listed] | None = None
        """The active remediations as they were last listed, and when that was asked for, on the event loop's clock."""
        self.locks = defaultdict[str, asyncio.Lock](asyncio.Lock)
        """The lock of each instance, by its id; see `operation/instance_lock`."""
        self.announced = Announced()
        """What previews have announced about its nodes."""
        self.one_node = OneNode()
        """Which of its instances are one node, as far as somebody has asked."""
        self.estimates = Estimates()
        """How long remediations take here."""
        self.watcher = Watcher(self)
        """Notifies those who wait for a remediation of its changes."""
        self.limit = ConcurrencyLimit(self, config.max_concurrent_per_cluster)
        """How many may be under repair at once, and the queue for it."""
        self._lag_noted = False

    @property
    def id(self) -> str:
        """The cluster's id."""
        return self._id

    def now(self) -> datetime:
        """The present time by the API's clock."""
        return self._client.now()

    @property
    def sent(self) -> int:
        """How many requests this process has sent about the cluster."""
        return self._client.sent(self._id)

    # --- questions ---

    async def cluster(self, *, preview: bool = False) -> models.Cluster:
        """The cluster with its nodes."""
        return await self._clusters.look(self._id, max_age=RECENT if preview else 0.0)

    async def _cluster(self, cluster_id: str) -> models.Cluster:
        # What has replaced a VM that this answer lacks may be missing in an older list.
        self._lists.forget()
        return await self._client.get_cluster(cluster_id)

    async def names(self) -> models.Cluster:
        """The cluster as it was at some time in this process: what its nodes are called does not change."""
        return await self._clusters.look(self._id, max_age=float("inf"))

    async def node(self, instance_id: str, *, preview: bool = False) -> Listed:
        """An instance's remediations, newest first. A remediation that replaced the VM outlives the instance's id, so
        for an unknown instance the cluster's list is searched. Raises NotFound for an unknown cluster."""
        listed = await self._nodes.look(instance_id, max_age=RECENT if preview else 0.0)
        return self._as_known_now(listed) if preview else listed

    async def of_the_same_node(self, instance_id: str, records: Listed, *, preview: bool = False) -> Listed:
        """The remediations of the other instances that are or were the node of an instance. `records`: those of the
        instance itself."""
        return await self.of_former(await self._others(instance_id, records, preview=preview), preview=preview)

    async def of_former(self, instances: Collection[str], *, preview: bool = False) -> Listed:
        """The remediations of instances that are gone, as far as the API still lists them. Nothing more is started of
        them, so a list of the cluster that is a minute old serves, together with what is active: all share both."""
        if not instances:
            return Listed()
        try:
            listed = (await self.everything(preview=True)).of_any(instances)
            if not preview and not listed.cut_off:
                active = (await self.active(since=asyncio.get_running_loop().time() - self.interval)).of_any(instances)
                under_way = {folded(record.id) for record in active}
                if any(not record.terminal and folded(record.id) not in under_way for record in listed):  # it has ended
                    listed = (await self.everything()).of_any(instances)
                listed = active.beside(listed)
        except (CredentialRefused, Incomplete, NotFound, Refused):
            return await self._of_each(instances, preview=preview)
        return await self._of_each(instances, preview=preview) if listed.cut_off else listed

    async def _others(
        self, instance_id: str, records: Iterable[Remediation] = (), *, preview: bool = False
    ) -> list[str]:
        """The other instances that are or were the node of an instance, as far as the cluster says. That is asked once
        in a run, since what a live instance replaced does not change. If there is no answer within a poll interval, or
        not for this key, nothing is known of others."""
        if preview or not self.one_node.knows(instance_id):
            found: Iterable[str] = ()
            with suppress(ApiError, TimeoutError):
                async with asyncio.timeout(self.interval):
                    cluster = await (self.cluster(preview=True) if preview else self.names())
                    if not holds(cluster, instance_id):
                        cluster = await self.cluster(preview=True)
                node = node_of(cluster, instance_id)
                found = instances_of(cluster, node, records) if node is not None else ()
            self.one_node.learn((instance_id, *found))
        return self.one_node.others(instance_id)

    async def _of_each(self, instances: Iterable[str], *, preview: bool = False) -> Listed:
        """By the list of each: the API may not serve that of an instance that is gone."""

        async def of(other: str) -> Listed:
            try:
                return await self.node(other, preview=preview)
            except (CredentialRefused, NotFound, Refused):
                return Listed()

        return reduce(Listed.beside, await asyncio.gather(*map(of, instances)), Listed())

    async def remediation(self, which: Remediation | Ref, *, preview: bool = False) -> Remediation:
        """A remediation as it is now. Raises NotFound if no way to ask shows it now, which proves nothing yet."""
        return self._newest(await self._records.look(Ref.of(which), max_age=RECENT if preview else 0.0))

    async def confirmed(self, record: Remediation) -> Remediation:
        """A remediation of which the first that was seen is its end. Its own path has to show it, or, where the API
        does not serve the paths of its instance any more, the cluster's list. Raises NotFound if they do not."""
        ref = Ref.of(record)
        if not self._ways.open(Way.BY_ID):
            return await self.remediation(ref)
        try:
            return await self._record_by_id(ref)
        except NotFound as lacking:
            try:
                await self._client.list_remediations(self._id, ref.instance_id)
            except NotFound:
                return await self.remediation(ref)
            raise lacking

    async def glance(self, record: Remediation) -> Remediation:
        """The same by the cheapest way alone."""
        ref = Ref.of(record)
        way = self._shown_by.get(ref.remediation_id, Way.BY_ID)
        if self._ways.open(way):
            try:
                if found := await self._ask(way, ref):
                    return found
            except ApiError as error:
                if not self._ways.refused(way, error):
                    raise
        return await self.remediation(ref)

    async def ended(self, record: Remediation) -> Remediation:
        """The same of one that is not listed as active any more, so that it has probably ended."""
        return await self._ended.look(Ref.of(record))

    async def record_with_active(self, record: Remediation) -> tuple[Remediation | None, Active]:
        """A remediation as it is now, None if the list lacks it, and what is active beside it: on its node, or in the
        whole cluster where `maxConcurrentPerCluster` is set."""
        beside = await self._beside(record)
        found = next((one for one in beside if folded(one.id) == folded(record.id)), None)
        return found, Active(beside, self.one_node.key)

    async def _beside(self, record: Remediation) -> Listed:
        """By one request: the list of the instance, or of what is active where its node had other instances too."""
        if self.limit.most is not None:
            return await self.active()
        if others := await self._others(record.instance_id):
            try:
                return await self.active()
            except (CredentialRefused, Incomplete, NotFound, Refused):
                return (await self.node(record.instance_id)).beside(await self._of_each(others))
        return await self.node(record.instance_id)

    async def active(self, *, since: float | None = None) -> Listed:
        """What is active in the cluster, by a list that was asked for after `since`, on the event loop's clock; by one
        that is asked for now if that is None."""
        if since is not None and self._active is not None and self._active[0] > since:
            return self._still_active(self._active[1])
        return await self._list_active(float("inf"))

    async def poll_active(self, worth: int) -> Listed:
        """What is active in the cluster. Raises Incomplete if that takes more requests than it is worth."""
        return await self._list_active(worth)

    def leave_active_lists_alone(self, because: str, worth: int) -> None:
        """Does without the lists that `poll_active` answers from, for some minutes, where it is worth no more."""
        way = Way.ACTIVE if self._ways.open(Way.ACTIVE, worth=worth) else Way.OF_CLUSTER
        self._ways.close(way, because, worth=worth)

    def leave_no_way_alone(self) -> None:
        """Has every way tried again, before something counts as gone because none shows it."""
        self._ways.try_all_again()

    async def everything(self, *, preview: bool = False) -> Listed:
        """Every remediation of the cluster, newest first."""
        listed = await self._lists.look(self._id, max_age=RECENT if preview else 0.0)
        return self._as_known_now(listed) if preview else listed

    # --- what is believed ---

    def believed(self, record: Remediation) -> Remediation:
        """A remediation as far as it is known, given a record of it. What our own requests were answered counts too."""
        known = self._memory.get(record.id)
        now = believe(known, record)
        self._memory.keep(now)
        self.estimates.note([now], self._client.now())
        return now

    def _absorbed(self, listed: Listed) -> Listed:
        """A list as it is believed: newer where more is known, without what contradicts that."""
        records, unreadable = list[Remediation](), list[Unreadable](listed.unreadable)
        for record in listed:
            known = self._memory.get(record.id)
            if known is not None and contradicts(known, record):
                problem = f"remediation {record.id} appears as that of another instance or mode than before"
                self._note(f"cluster {self._id}: {problem}")
                unreadable += [Unreadable(one.instance_id, problem) for one in (record, known)]
                continue
            now = believe(known, record)
            self._memory.keep(now)
            records.append(now)
        self.estimates.note(records, self._client.now())
        return Listed(records, unreadable, cut_off=listed.cut_off)

    def _still_active(self, listed: Iterable[Remediation]) -> Listed:
        """Those of a list that are active as far as is known by now."""
        return Listed(now for record in listed if not (now := self._newest(record)).terminal)

    def _as_known_now(self, listed: Listed) -> Listed:
        """A list that was believed when it came in, as it is believed by now."""
        return Listed(map(self._newest, listed), listed.unreadable, cut_off=listed.cut_off)

    def _newest(self, record: Remediation) -> Remediation:
        """A record that was believed when it came in, as it is believed by now."""
        return self._memory.get(record.id) or record

    def lagged(self, which: Remediation, seconds: float) -> None:
        """Takes in that answers showed a remediation only so long after the API had started it."""
        if not self._lag_noted:
            self._lag_noted = True
            self._note(
                f"cluster {self._id}: reads lag behind writes: answers lacked remediation {which.id}, which had been "
                f"started, and showed it only some {seconds:.1f} s later"
            )

    # --- one remediation ---

    async def _record(self, ref: Ref) -> Remediation:
        """Asks in one way after the other until one shows it."""
        lacking: NotFound | None = None
        first = self._shown_by.get(ref.remediation_id, Way.BY_ID)
        for way in (first, *(way for way in (Way.BY_ID, Way.OF_NODE, Way.OF_CLUSTER) if way is not first)):
            if not self._ways.open(way):
                continue
            try:
                found = await self._ask(way, ref)
            except NotFound as error:
                lacking = lacking or error
                self._ways.refused(way, error)
            except ApiError as error:
                if not self._ways.refused(way, error):
                    raise
            else:
                if found is not None:
                    if way is not Way.BY_ID:
                        self._shown_by[ref.remediation_id] = way
                    return found
        raise lacking or _lacking(self._id, ref)

    async def _ask(self, way: Way, ref: Ref) -> Remediation | None:
        if way is Way.BY_ID:
            return await self._record_by_id(ref)
        instance = (ref.instance_id,) if way is Way.OF_NODE else ()
        listed = self._absorbed(await self._client.list_remediations(self._id, *instance)).of(ref.instance_id)
        found = next((one for one in listed if folded(one.id) == folded(ref.remediation_id)), None)
        if found is None and listed.incomplete:
            raise Incomplete(
                "list remediations", f"the list may lack remediation {ref.remediation_id}: {listed.incomplete}"
            )
        return found

    async def _record_by_id(self, ref: Ref) -> Remediation:
        return self.believed(await self._client.get_remediation(self._id, *ref))

    async def _all_records(self, refs: Sequence[Ref], worth: int) -> Answers[Ref, Remediation] | None:
        listed = await self._list_all(worth, complete=False)
        return None if listed is None else _by_ref(listed)

    async def _those_ended(self, refs: Sequence[Ref], worth: int) -> Answers[Ref, Remediation] | None:
        if not self._ways.open(Way.ENDED, worth=worth):
            return None
        wanted = {ref.remediation_id for ref in refs}
        try:
            ended = await self._client.list_ended_remediations(self._id, wanted, most_pages=worth)
        except ApiError as error:
            if self._ways.refused(Way.ENDED, error):
                return None
            raise
        if ended.cut_off:
            self._ways.close(Way.ENDED, ended.cut_off, worth=worth)
        return _by_ref(self._absorbed(ended))

    # --- one node ---

    async def _node(self, instance_id: str) -> Listed:
        listed, error = Listed(), None
        if self._ways.open(Way.OF_NODE):
            try:
                listed = self._absorbed(await self._client.list_remediations(self._id, instance_id))
            except ApiError as why:
                if not (isinstance(why, NotFound) or self._ways.refused(Way.OF_NODE, why)):
                    raise
                error = why
            else:
                if not listed.incomplete:
                    return listed
        if self._ways.open(Way.OF_CLUSTER):
            try:
                wide = (await self.everything()).of(instance_id)
            except ApiError as why:
                if not self._ways.refused(Way.OF_CLUSTER, why):
                    raise
            else:
                return listed if error is None and wide.incomplete else wide
        if error is not None:
            raise error
        return listed

    async def _all_nodes(self, instances: Sequence[str], worth: int) -> Answers[str, Listed] | None:
        listed = await self._list_all(worth, complete=True)
        if listed is None:
            return None

        def answer(instance_id: str) -> Listed | None:
            found = listed.of(instance_id)
            return None if found.incomplete else found

        return answer

    # --- the whole cluster ---

    async def _everything(self, cluster_id: str) -> Listed:
        return self._absorbed(await self._client.list_remediations(cluster_id))

    async def _list_all(self, worth: int, *, complete: bool) -> Listed | None:
        """The cluster's list, if the API serves it in no more requests than it is worth."""
        pages = max(1, worth // 2 if complete else worth)
        if not self._ways.open(Way.OF_CLUSTER, worth=pages):
            return None
        try:
            listed = await self._client.list_remediations(self._id, most_pages=pages, complete=complete)
        except ApiError as error:
            if self._ways.refused(Way.OF_CLUSTER, error):
                return None
            raise
        if listed.cut_off:
            self._ways.close(Way.OF_CLUSTER, listed.cut_off, worth=pages)
        return self._absorbed(listed)

    async def _list_active(self, worth: float) -> Listed:
        """What is active, as cheaply as the API tells it. Raises ApiError also if that is not in so many pages."""
        asked_at, error = asyncio.get_running_loop().time(), None
        if self._ways.open(Way.ACTIVE, worth=worth):
            pages = {} if worth == float("inf") else {"most_pages": int(worth)}
            try:
                listed = self._absorbed(await self._client.list_active_remediations(self._id, **pages))
            except ApiError as why:
                if not self._ways.refused(Way.ACTIVE, why):
                    raise
                error = why
            else:
                if not listed.cut_off:
                    self._active = asked_at, listed
                    return self._still_active(listed)
                self._ways.close(Way.ACTIVE, listed.cut_off, worth=worth)
        if worth == float("inf"):
            listed = await self.everything()
        else:
            listed = await self._list_all(int(worth), complete=False)
        if listed is not None and not listed.cut_off:
            self._active = asked_at, self._still_active(listed)
            return self._active[1]
        raise error or Incomplete("list remediations", f"cluster {self._id} does not list what is active in one list")


async def _one_by_one(_ids: Sequence[str], _worth: int) -> None:
    """A view is of one cluster: there is nothing to fetch beside the one that is asked for."""


def _lacking(cluster_id: str, ref: Ref) -> NotFound:
    return NotFound(
        "get remediation",
        f"remediation {ref.remediation_id} of instance {ref.instance_id} is not in the lists of cluster {cluster_id}",
        http_status=404,
    )


def _by_ref(listed: Listed) -> Answers[Ref, Remediation]:
    by_id = {(folded(record.instance_id), folded(record.id)): record for record in listed}
    return lambda ref: by_id.get((folded(ref.instance_id), folded(ref.remediation_id)))


class Clusters(defaultdict[str, View]):
    """The clusters that this process works with, by id."""

    def __init__(self, client: Client, config: ProviderConfig, note: Callable[[str], object]) -> None:
        """`note` takes a line for those who debug."""
        super().__init__()
        self._client = client
        self._config = config
        self._note = note
        self._said = set[str]()

    def first(self, what: str) -> bool:
        """Whether this is the first time that somebody is about to say so: it concerns all, is said once and noted."""
        first = what not in self._said
        self._said.add(what)
        if first:
            self._note(what)
        return first

    def __missing__(self, cluster_id: str) -> View:
        view = self[cluster_id] = View(self._client, self._config, cluster_id, self._note)
        return view
