"""What reads are answered from: the world itself, or a replica of it that lags behind."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar, Unpack

from togetherai_simulator.errors import not_found
from togetherai_simulator.fleet import Cluster, Node
from togetherai_simulator.job import Job
from togetherai_simulator.world import ALL, Beginning, World

VERSIONS = 50
"""How many versions of one thing are kept at most."""
ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Since when a version holds that was there before versions were kept."""

Thing = TypeVar("Thing")


class Versions(Generic[Thing]):
    """Things as they were a while ago. Each version is a copy, with the time from which it holds."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, list[tuple[datetime, Thing]]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def keep(self, key: Hashable, since: datetime, version: Thing, *, behind: timedelta) -> None:
        """Adds a version, and drops those that nobody can ask for who is at most so far `behind`."""
        versions = self._kept.setdefault(key, [])
        if versions and versions[-1][0] == since:
            versions.pop()
        versions.append((since, version))
        while len(versions) > 1 and versions[1][0] <= since - behind:
            # If the lag grows later, somebody may ask for more than is kept after all: then this one has to do.
            versions[:2] = [(ALWAYS, versions[1][1])]
        if len(versions) > VERSIONS:
            del versions[1]

    def at(self, key: Hashable, moment: datetime, present: Thing) -> Thing | None:
        """The version at a moment; None if there was none yet. What has no versions is as it is at `present`."""
        if key not in self._kept:
            return present
        return next((version for since, version in reversed(self._kept[key]) if since <= moment), None)

    def drop(self, key: Hashable) -> None:
        """Forgets a thing."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Forgets all."""
        self._kept.clear()


class ReplicatedWorld(World):
    """A world that remembers, as far as its dialect's reads lag, how its remediations and nodes were."""

    def __init__(self, **beginning: Unpack[Beginning]) -> None:
        super().__init__(**beginning)
        self.past_jobs: Versions[Job] = Versions()
        self.past_nodes: Versions[Node] = Versions()
        self._random = self.randomness.of("replicas")
        self.replicate()

    def replicate(self) -> None:
        """Begins to remember, or stops. Call it when the dialect has changed: all replicas are up to date then."""
        if not self._behind:
            self.past_jobs.clear()
            self.past_nodes.clear()
            return
        for cluster in self.clusters.values():
            # What has ended hardly ever changes, so it needs no version.
            for job in self.active_jobs(cluster.cluster_id):
                if job.number not in self.past_jobs:
                    self.past_jobs.keep(job.number, ALWAYS, _copy_job(job), behind=self._behind)
            for node in cluster.nodes:
                key = (cluster.cluster_id, node.number)
                if key not in self.past_nodes:
                    self.past_nodes.keep(key, ALWAYS, node.model_copy(), behind=self._behind)

    @property
    def _behind(self) -> timedelta:
        dialect = self.settings.dialect
        return timedelta(seconds=max(dialect.get_lag, dialect.list_lag, dialect.cluster_lag))

    def changed_job(self, job: Job) -> None:
        super().changed_job(job)
        if behind := self._behind:
            self.past_jobs.keep(job.number, self.now, _copy_job(job), behind=behind)

    def moved(self, cluster_id: str, node: Node) -> None:
        super().moved(cluster_id, node)
        if behind := self._behind:
            self.past_nodes.keep((cluster_id, node.number), self.now, node.model_copy(), behind=behind)

    def forget(self, job: Job) -> None:
        super().forget(job)
        self.past_jobs.drop(job.number)

    def replica(self, lag: float) -> Replica:
        """The replica that answers the next read, if this kind of read lags so many seconds at most."""
        replicas = self.settings.dialect.replicas
        if lag and replicas > 1:
            lag *= self._random.randrange(replicas) / (replicas - 1)
        return Replica(self, self.now - timedelta(seconds=lag) if lag else None)


class Replica:
    """The world as it was at a moment, or as it is if that is None. Every method raises `Refusal`, as the world's do.

    Only changes come late: what the platform has forgotten is gone at once.
    """

    def __init__(self, world: ReplicatedWorld, moment: datetime | None) -> None:
        self._world = world
        self._moment = moment

    def job(self, cluster_id: str, instance_id: str, remediation_id: str) -> Job:
        """The remediation of this id, of this instance."""
        for job in self._as_of([self._world.job(cluster_id, instance_id, remediation_id)]):
            return job
        raise not_found(f"remediation {remediation_id} not found for instance {instance_id}")

    def jobs(self, cluster_id: str, instance_id: str = ALL) -> Sequence[Job]:
        """The remediations of an instance or of the whole cluster, oldest first."""
        jobs = self._world.jobs(cluster_id, instance_id)
        return jobs if self._moment is None else list(self._as_of(jobs))

    def active_jobs(self, cluster_id: str) -> Sequence[Job]:
        """The remediations of the cluster that have not ended, oldest first."""
        if self._moment is None:
            return self._world.active_jobs(cluster_id)
        return [job for job in self.jobs(cluster_id) if not job.remediation.terminal]

    def nodes(self, cluster: Cluster) -> Sequence[Node]:
        """The nodes of a cluster."""
        if self._moment is None:
            return cluster.nodes
        past = self._world.past_nodes
        return [past.at((cluster.cluster_id, node.number), self._moment, node) or node for node in cluster.nodes]

    def _as_of(self, jobs: Sequence[Job]) -> Iterator[Job]:
        for job in jobs:
            past = job if self._moment is None else self._world.past_jobs.at(job.number, self._moment, job)
            if past is not None:
                yield past


def _copy_job(job: Job) -> Job:
    return job.model_copy(update={"remediation": job.remediation.model_copy(deep=True)})
