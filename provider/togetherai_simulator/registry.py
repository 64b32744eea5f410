"""Every remediation that the platform remembers, by id, key, cluster and instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from togetherai_simulator.job import Job


class Registry:
    """The jobs. Lists are oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[str, Job] = {}
        self._by_key: dict[tuple[str, str, str], Job] = {}
        self._by_cluster: defaultdict[str, list[Job]] = defaultdict(list)
        self._by_instance: defaultdict[tuple[str, str], list[Job]] = defaultdict(list)
        self._active: defaultdict[str, dict[int, Job]] = defaultdict(dict)

    def add(self, job: Job) -> None:
        """Adds a job that is newer than all others."""
        record = job.remediation
        self.by_id[record.id] = job
        self._by_cluster[record.cluster_id].append(job)
        self._by_instance[record.cluster_id, record.instance_id].append(job)
        if job.key is not None:
            self._by_key[record.cluster_id, record.instance_id, job.key] = job
        self.sort(job)

    def sort(self, job: Job) -> None:
        """Call this after each change of a job's state: it counts the job among the active or the ended ones."""
        active = self._active[job.remediation.cluster_id]
        if job.remediation.terminal:
            active.pop(job.number, None)
        else:
            active[job.number] = job

    def remove(self, job: Job) -> None:
        """Forgets a job, and the key that it was created with."""
        record = job.remediation
        del self.by_id[record.id]
        self._by_cluster[record.cluster_id].remove(job)
        self._by_instance[record.cluster_id, record.instance_id].remove(job)
        self._active[record.cluster_id].pop(job.number, None)
        if job.key is not None:
            self._by_key.pop((record.cluster_id, record.instance_id, job.key), None)

    def of_cluster(self, cluster_id: str) -> Sequence[Job]:
        """The jobs of a cluster."""
        return self._by_cluster.get(cluster_id, ())

    def of_instance(self, cluster_id: str, instance_id: str) -> Sequence[Job]:
        """The jobs of an instance."""
        return self._by_instance.get((cluster_id, instance_id), ())

    def active(self, cluster_id: str) -> list[Job]:
        """The jobs of a cluster that have not ended."""
        return sorted(self._active[cluster_id].values(), key=lambda job: job.number)

    def with_key(self, cluster_id: str, instance_id: str, key: str) -> Job | None:
        """The job that was created for this instance with this key."""
        return self._by_key.get((cluster_id, instance_id, key))
