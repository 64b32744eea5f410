"""The simulated world: clusters, nodes, remediations and the time. No HTTP, and no rules of what happens.

Nothing runs in the background: before an operation `catch_up` makes everything happen that was due, and after it
`commit` saves what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from pydantic import BaseModel

from pulumi_resource_togetherai.api.models import Remediation
from togetherai_simulator.clock import Anchor, Clock
from togetherai_simulator.errors import not_found
from togetherai_simulator.fleet import Cluster, Node, new_clusters
from togetherai_simulator.job import Job
from togetherai_simulator.randomness import Randomness
from togetherai_simulator.registry import Registry
from togetherai_simulator.schedule import Schedule
from togetherai_simulator.settings import Settings
from togetherai_simulator.store import MemoryStore, Store

ALL = "-"
"""In place of an instance id: every instance of the cluster."""


class Counters(BaseModel):
    """What the world must save besides the clusters and jobs."""

    seed: int
    started: datetime
    jobs: int = 0
    """Remediations ever created."""
    events: int = 0
    """Scenario events that have happened."""


class Beginning(TypedDict, total=False):
    """What a world begins with: the arguments of `World`, for those that are made of one."""

    clock: Clock | None
    clusters: int
    instances: int
    settings: Settings | None
    seed: int
    store: Store | None


class World:
    """The state of the world. Every method raises `Refusal` if the API would refuse."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        clusters: int = 1,
        instances: int = 4,
        settings: Settings | None = None,
        seed: int = 0,
        store: Store | None = None,
    ) -> None:
        """Makes `clusters` of `instances` each. If the store holds a state, the world goes on with that state instead,
        and only the `settings` that are given explicitly replace the saved ones."""
        self.clock = clock or Clock()
        self.store = store or MemoryStore()
        self.settings = settings or Settings()
        self.schedule = Schedule(self.clock)
        self.registry = Registry()
        self.revision = 0
        """Grows with every commit of changes, so that the console page knows when to fetch them."""
        self._changed_jobs: dict[int, Job] = {}
        self._forgotten: set[int] = set()
        self._changed_documents: set[str] = set()
        saved = self.store.load()
        self.restored = "world" in saved.documents
        """Whether the world goes on with a saved state."""
        if self.restored:
            self._restore(saved.documents, saved.jobs, settings)
        else:
            now = self.clock.now()
            self.counters = Counters(seed=seed, started=now)
            self.clusters = {cluster.cluster_id: cluster for cluster in new_clusters(clusters, instances, now)}
            self._changed_documents |= {"world", "clock", "settings"}
            self._changed_documents |= {f"cluster/{cluster_id}" for cluster_id in self.clusters}
        self.randomness = Randomness(self.counters.seed)
        self._nodes = {
            (cluster.cluster_id, instance_id): node
            for cluster in self.clusters.values()
            for node in cluster.nodes
            for instance_id in node.instance_ids
        }

    def _restore(self, documents: Mapping[str, str], jobs: Sequence[Job], settings: Settings | None) -> None:
        speed = self.clock.anchor.speed
        self.clock.resume(Anchor.model_validate_json(documents["clock"]))
        self.clock.set_speed(speed)
        self.counters = Counters.model_validate_json(documents["world"])
        said = settings.model_dump(exclude_unset=True) if settings else {}
        self.settings = Settings.model_validate_json(documents["settings"]).with_changes(said)
        restored = [
            Cluster.model_validate_json(body) for name, body in documents.items() if name.startswith("cluster/")
        ]
        self.clusters = {cluster.cluster_id: cluster for cluster in sorted(restored, key=lambda item: item.number)}
        self._changed_documents |= {"clock", "settings"}
        for job in jobs:
            self.registry.add(job)

    # Time

    @property
    def now(self) -> datetime:
        """The simulated time; during `catch_up`, the time of the thing that happens."""
        return self.schedule.now

    def catch_up(self) -> None:
        """Makes everything happen that was due by now."""
        self.schedule.catch_up()

    def commit(self) -> None:
        """Saves what changed. Call it before each answer."""
        if not (self._changed_jobs or self._changed_documents or self._forgotten):
            return
        self.revision += 1
        documents = {name: self._document(name).model_dump_json() for name in self._changed_documents}
        self.store.save(documents, list(self._changed_jobs.values()), list(self._forgotten))
        self._changed_jobs.clear()
        self._changed_documents.clear()
        self._forgotten.clear()

    def changed(self, document: str) -> None:
        """Marks `world`, `clock`, `settings` or `cluster/<id>` to be saved by the next `commit`."""
        self._changed_documents.add(document)

    def changed_job(self, job: Job) -> None:
        """Marks a remediation to be saved by the next `commit`."""
        self._changed_jobs[job.number] = job

    def forget(self, job: Job) -> None:
        """Forgets a remediation."""
        self.registry.remove(job)
        self._changed_jobs.pop(job.number, None)
        self._forgotten.add(job.number)

    def _document(self, name: str) -> BaseModel:
        match name:
            case "world":
                return self.counters
            case "clock":
                return self.clock.anchor
            case "settings":
                return self.settings
            case _:
                return self.clusters[name.removeprefix("cluster/")]

    def advance(self, seconds: float) -> None:
        """Jumps ahead by `seconds` of simulated time, and makes everything happen that was due in that time."""
        self.clock.advance(seconds)
        self.changed("clock")
        self.catch_up()

    def set_speed(self, speed: float) -> None:
        """From now on `speed` simulated seconds pass per real second."""
        self.clock.set_speed(speed)
        self.changed("clock")

    # Lookups

    def cluster(self, cluster_id: str) -> Cluster:
        """The cluster of this id."""
        if cluster := self.clusters.get(cluster_id):
            return cluster
        raise not_found(f"cluster {cluster_id} not found")

    def node(self, cluster_id: str, instance_id: str) -> Node:
        """The node that holds this instance now."""
        node = self.ever_node(cluster_id, instance_id)
        if node.instance_id != instance_id:
            raise not_found(f"instance {instance_id} no longer exists in cluster {cluster_id}")
        return node

    def ever_node(self, cluster_id: str, instance_id: str) -> Node:
        """The node that holds this instance, or held it."""
        self.cluster(cluster_id)
        node = self._nodes.get((cluster_id, instance_id))
        if node is None:
            raise not_found(f"instance {instance_id} not found in cluster {cluster_id}")
        return node

    def node_of(self, record: Remediation) -> Node:
        """The node that a remediation is about, whether its instance is still there or not."""
        return self._nodes[record.cluster_id, record.instance_id]

    def moved(self, cluster_id: str, node: Node) -> None:
        """Records that a node has a new instance."""
        if node.instance_id is not None:
            self._nodes[cluster_id, node.instance_id] = node

    def job(self, cluster_id: str, instance_id: str, remediation_id: str) -> Job:
        """The remediation of this id, of this instance."""
        self.cluster(cluster_id)
        job = self.registry.by_id.get(remediation_id)
        if job is None or (job.remediation.cluster_id, job.remediation.instance_id) != (cluster_id, instance_id):
            raise not_found(f"remediation {remediation_id} not found for instance {instance_id}")
        return job

    def job_by_id(self, remediation_id: str) -> Job:
        """The remediation of this id, of any instance."""
        if job := self.registry.by_id.get(remediation_id):
            return job
        raise not_found(f"remediation {remediation_id} not found")

    def jobs(self, cluster_id: str, instance_id: str = ALL) -> Sequence[Job]:
        """The remediations of an instance (even of a former one) or of the whole cluster, oldest first."""
        self.cluster(cluster_id)
        if instance_id == ALL:
            return self.registry.of_cluster(cluster_id)
        if (cluster_id, instance_id) not in self._nodes:
            raise not_found(f"instance {instance_id} not found in cluster {cluster_id}")
        return self.registry.of_instance(cluster_id, instance_id)

    def active_jobs(self, cluster_id: str, instance_id: str = ALL) -> list[Job]:
        """The remediations of the instance, or of the whole cluster, that have not ended, oldest first."""
        active = self.registry.active(cluster_id)
        return [job for job in active if instance_id in (ALL, job.remediation.instance_id)]
