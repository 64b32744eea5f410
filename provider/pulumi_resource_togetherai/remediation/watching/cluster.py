"""What all operations of one process share about a cluster, so that many of them cost few requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api import models
from pulumi_resource_togetherai.api.enums import ACTIVE_STATES, RemediationState
from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation.rules.estimate import Estimates
from pulumi_resource_togetherai.remediation.rules.precedence import Active
from pulumi_resource_togetherai.remediation.watching.coalescing import Answers, Coalescer
from pulumi_resource_togetherai.remediation.watching.concurrency import ConcurrencyLimit
from pulumi_resource_togetherai.remediation.watching.watcher import Watcher

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

RECENT = 60.0
"""How old, in seconds, an answer may be that a preview uses, so that a preview of many nodes asks only once."""

_Key = tuple[str, str]
"""An instance's id and a remediation's."""


class Cluster:
    """Looks and waits in one cluster."""

    def __init__(self, client: Client, config: ProviderConfig, cluster_id: str) -> None:
        self._client = client
        self._id = cluster_id
        interval = seconds(config.poll_interval)
        min_interval = min(interval / 5, 1.0)
        self._clusters = Coalescer[str, models.Cluster](client.get_cluster, self._whole, min_interval=min_interval)
        self._histories = Coalescer[str, Listed](self._history, self._all_histories, min_interval=min_interval)
        self._records = Coalescer[_Key, Remediation](self._record, self._all_records, min_interval=min_interval)
        self._ended = Coalescer[_Key, Remediation](self._record, self._those_ended, min_interval=min_interval)
        self._limit = config.max_concurrent_per_cluster
        self.claims = defaultdict[str, asyncio.Lock](asyncio.Lock)
        """The lock of each instance, by its id; see `steps/instance_lock`."""
        self.estimates = Estimates()
        """How long remediations take here."""
        self.watcher = Watcher(client, cluster_id, self._look, self.standing, self.estimates, interval=interval)
        """Notifies those who wait for a remediation of its changes."""
        self.limit = ConcurrencyLimit(
            client, cluster_id, self.watcher, config.max_concurrent_per_cluster, interval=interval
        )
        """How many may be under repair at once, and the queue for it."""

    async def get(self, *, preview: bool = False) -> models.Cluster:
        """The cluster with its nodes. Raises ApiError."""
        return await self._clusters.look(self._id, at_most_old=RECENT if preview else 0.0)

    async def history(self, instance_id: str, *, preview: bool = False) -> Listed:
        """An instance's remediations, newest first. A remediation that replaced the VM outlives the instance's id, so
        for an unknown instance the cluster's list is searched. Raises ApiError, NotFound for an unknown cluster
        included."""
        return await self._histories.look(instance_id, at_most_old=RECENT if preview else 0.0)

    async def remediation(self, instance_id: str, remediation_id: str, *, preview: bool = False) -> Remediation:
        """A remediation as it is now. Raises ApiError."""
        return await self._records.look((instance_id, remediation_id), at_most_old=RECENT if preview else 0.0)

    async def standing(self, record: Remediation) -> tuple[Remediation, Active]:
        """A remediation as it is now, and what is active beside it: on its node, or in the whole cluster where
        `maxConcurrentPerCluster` is set. Raises ApiError."""
        if self._limit is None:
            beside = await self.history(record.instance_id)
        else:
            beside = await self._list(states=ACTIVE_STATES)
        seen = next((one for one in beside if one.id == record.id), None)
        return seen or await self.remediation(record.instance_id, record.id), Active(beside)

    async def all_records(self) -> Listed:
        """Every remediation of the cluster, newest first. Raises ApiError."""
        return await self._list()

    async def _look(self, record: Remediation) -> Remediation:
        """A remediation that is not listed as active any more, as it is now."""
        return await self._ended.look((record.instance_id, record.id))

    async def _whole(self, _ids: Sequence[str]) -> Answers[str, models.Cluster]:
        cluster = await self._client.get_cluster(self._id)
        return lambda _id: cluster

    async def _history(self, instance_id: str) -> Listed:
        try:
            return await self._list(instance_id)
        except NotFound:
            return (await self._list()).of(instance_id)

    async def _all_histories(self, _ids: Sequence[str]) -> Answers[str, Listed]:
        return (await self._list()).of

    async def _record(self, key: _Key) -> Remediation:
        instance_id, remediation_id = key
        record = await self._client.get_remediation(self._id, instance_id, remediation_id)
        self.estimates.note([record], self._client.now())
        return record

    async def _all_records(self, _keys: Sequence[_Key]) -> Answers[_Key, Remediation]:
        return _by_key(await self._list())

    async def _those_ended(self, keys: Sequence[_Key]) -> Answers[_Key, Remediation]:
        ended = await self._client.list_ended_remediations(self._id, {record_id for _, record_id in keys})
        self.estimates.note(ended, self._client.now())
        return _by_key(ended)

    async def _list(self, *instance_id: str, states: Sequence[RemediationState] = ()) -> Listed:
        """The remediations of an instance, or of the whole cluster."""
        listed = await self._client.list_remediations(self._id, *instance_id, states=states)
        self.estimates.note(listed, self._client.now())
        return listed


def _by_key(listed: Listed) -> Answers[_Key, Remediation]:
    return {(record.instance_id, record.id): record for record in listed}.get


class Clusters(defaultdict[str, Cluster]):
    """The clusters that this process works with, by id."""

    def __init__(self, client: Client, config: ProviderConfig) -> None:
        super().__init__()
        self._client = client
        self._config = config

    def __missing__(self, cluster_id: str) -> Cluster:
        cluster = self[cluster_id] = Cluster(self._client, self._config, cluster_id)
        return cluster
