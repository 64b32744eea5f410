"""The simulated platform: nodes, remediations and what happens to them. No HTTP.

Nothing runs in the background: before an operation `catch_up` makes happen what was due, after it `commit` saves what
changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from pulumi_resource_togetherai.api.enums import (
    CANCELLABLE_STATES,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from pulumi_resource_togetherai.api.models import LinkedAlert, Remediation
from pulumi_resource_togetherai.simulator.agenda import Agenda
from pulumi_resource_togetherai.simulator.chance import Chance
from pulumi_resource_togetherai.simulator.clock import Anchor, Clock
from pulumi_resource_togetherai.simulator.errors import Refusal, failed_precondition, invalid_argument, not_found
from pulumi_resource_togetherai.simulator.fleet import Cluster, Node, new_clusters
from pulumi_resource_togetherai.simulator.health import HealthChecks
from pulumi_resource_togetherai.simulator.job import Job, Moment
from pulumi_resource_togetherai.simulator.lifecycle import next_step
from pulumi_resource_togetherai.simulator.registry import Registry
from pulumi_resource_togetherai.simulator.settings import Behaviour, Settings
from pulumi_resource_togetherai.simulator.store import MemoryStore, Store

ALL = "-"
"""In place of an instance id: every instance of the cluster."""


class World(BaseModel):
    """What the platform has to remember beside its clusters and jobs."""

    seed: int
    started: datetime
    jobs: int = 0
    """Remediations ever created."""
    events: int = 0
    """Scenario events that have happened."""


class Platform:
    """The state of the simulated service and its rules. Every method raises `Refusal` when the API would refuse."""

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
        """`clusters` of `instances` each, unless the store holds a state already: then that goes on, and of the
        `settings` only those that are given explicitly replace the saved ones."""
        self.clock = clock or Clock()
        self.store = store or MemoryStore()
        self.settings = settings or Settings()
        self.agenda = Agenda(self.clock)
        self.registry = Registry()
        self._wakes: dict[int, datetime] = {}
        self.revision = 0
        """Grows with every change, so that a watcher knows when to look again."""
        self._changed_jobs: dict[int, Job] = {}
        self._forgotten: set[int] = set()
        self._changed_documents: set[str] = set()
        saved = self.store.load()
        self.restored = "world" in saved.documents
        """Whether this goes on from a saved state."""
        if self.restored:
            self._restore(saved.documents, saved.jobs, settings)
        else:
            now = self.clock.now()
            self.world = World(seed=seed, started=now)
            self.clusters = {cluster.cluster_id: cluster for cluster in new_clusters(clusters, instances, now)}
            self._changed_documents |= {"world", "clock", "settings"}
            self._changed_documents |= {f"cluster/{cluster_id}" for cluster_id in self.clusters}
        self.chance = Chance(self.world.seed)
        self._nodes = {
            (cluster.cluster_id, instance_id): node
            for cluster in self.clusters.values()
            for node in cluster.nodes
            for instance_id in node.instance_ids
        }
        for job in self.registry.by_id.values():
            self.plan(job)
        self.health = HealthChecks(self)
        """What proposes remediations."""
        self.commit()

    def _restore(self, documents: Mapping[str, str], jobs: Sequence[Job], settings: Settings | None) -> None:
        speed = self.clock.anchor.speed
        self.clock.resume(Anchor.model_validate_json(documents["clock"]))
        self.clock.set_speed(speed)
        self.world = World.model_validate_json(documents["world"])
        said = settings.model_dump(include=settings.model_fields_set) if settings else {}
        self.settings = Settings.model_validate_json(documents["settings"]).model_copy(update=said)
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
        """The simulated time; while catching up, that of the thing that is happening."""
        return self.agenda.now

    def catch_up(self) -> None:
        """Makes happen all that was due by now."""
        self.agenda.catch_up()

    def commit(self) -> None:
        """Saves what changed. To be called before each answer."""
        if not (self._changed_jobs or self._changed_documents or self._forgotten):
            return
        self.revision += 1
        documents = {name: self._document(name).model_dump_json() for name in self._changed_documents}
        self.store.save(documents, list(self._changed_jobs.values()), list(self._forgotten))
        self._changed_jobs.clear()
        self._changed_documents.clear()
        self._forgotten.clear()

    def changed(self, document: str) -> None:
        """Notes that `world`, `clock`, `settings` or `cluster/<id>` has to be saved."""
        self._changed_documents.add(document)

    def _document(self, name: str) -> BaseModel:
        match name:
            case "world":
                return self.world
            case "clock":
                return self.clock.anchor
            case "settings":
                return self.settings
            case _:
                return self.clusters[name.removeprefix("cluster/")]

    def advance(self, seconds: float) -> None:
        """Jumps ahead by `seconds` of simulated time, and what was due on the way happens."""
        self.clock.advance(seconds)
        self.changed("clock")
        self.catch_up()

    def set_speed(self, speed: float) -> None:
        """From now on `speed` simulated seconds pass per real second."""
        self.clock.set_speed(speed)
        self.changed("clock")

    # Looking

    def cluster(self, cluster_id: str) -> Cluster:
        """The cluster of this id."""
        if cluster := self.clusters.get(cluster_id):
            return cluster
        raise not_found(f"cluster {cluster_id} not found")

    def node(self, cluster_id: str, instance_id: str) -> Node:
        """The node that holds this instance now."""
        self.cluster(cluster_id)
        node = self._nodes.get((cluster_id, instance_id))
        if node is None:
            raise not_found(f"instance {instance_id} not found in cluster {cluster_id}")
        if node.instance_id != instance_id:
            raise not_found(f"instance {instance_id} no longer exists in cluster {cluster_id}")
        return node

    def job(self, cluster_id: str, instance_id: str, remediation_id: str) -> Job:
        """The remediation of this id, of this instance."""
        self.cluster(cluster_id)
        job = self.registry.by_id.get(remediation_id)
        if job is None or (job.remediation.cluster_id, job.remediation.instance_id) != (cluster_id, instance_id):
            raise not_found(f"remediation {remediation_id} not found for instance {instance_id}")
        return job

    def job_by_id(self, remediation_id: str) -> Job:
        """The remediation of this id, wherever it is."""
        if job := self.registry.by_id.get(remediation_id):
            return job
        raise not_found(f"remediation {remediation_id} not found")

    def jobs(self, cluster_id: str, instance_id: str = ALL) -> Sequence[Job]:
        """The remediations of an instance (former ones too) or of the whole cluster, oldest first."""
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

    # What clients do

    def create(
        self,
        cluster_id: str,
        instance_id: str,
        *,
        mode: RemediationMode,
        reason: str | None,
        key: str | None,
        requested_by: str,
    ) -> tuple[Job, bool]:
        """Starts a remediation; the second value is False when `key` led to one that was there."""
        self.cluster(cluster_id)
        reading = self.settings.idempotency
        if key is None or reading == "ignore":
            key = None
        elif existing := self._repeated(cluster_id, instance_id, key):
            if reading == "conflict":
                raise Refusal("ALREADY_EXISTS", f"a remediation with remediation_id {key} already exists")
            return existing, False
        self.node(cluster_id, instance_id)
        limit = self.settings.active_limit
        if limit is not None and len(self.active_jobs(cluster_id, instance_id)) >= limit:
            raise failed_precondition(f"instance {instance_id} has {limit} active remediation(s) already")
        job = self.start(
            cluster_id,
            instance_id,
            state=RemediationState.PENDING,
            mode=mode,
            trigger=RemediationTrigger.MANUAL,
            reason=reason,
            key=key,
            requested_by=requested_by,
        )
        return job, True

    def _repeated(self, cluster_id: str, instance_id: str, key: str) -> Job | None:
        if existing := self.registry.with_key(cluster_id, instance_id, key):
            return existing
        if self.settings.idempotency == "id" and key in self.registry.by_id:
            raise Refusal("ALREADY_EXISTS", f"remediation {key} exists already, for another instance")
        return None

    def approve(self, job: Job, *, by: str, comment: str | None, mode: RemediationMode | None) -> None:
        """Accepts a proposal, in another `mode` if given."""
        self._require(job, {RemediationState.PENDING_APPROVAL}, "approved")
        if mode == RemediationMode.HOST_POWER_CYCLE:
            raise invalid_argument("mode", f"{mode} cannot be chosen when approving; create such a remediation instead")
        if mode is not None:
            job.remediation.mode = mode
        self._review(job, by, comment)
        self.enter(job, RemediationState.PENDING, note=f"approved by {by}")

    def reject(self, job: Job, *, by: str, comment: str | None) -> None:
        """Dismisses a proposal."""
        self._require(job, {RemediationState.PENDING_APPROVAL}, "rejected")
        self._review(job, by, comment)
        self.enter(job, RemediationState.CANCELLED, note=f"rejected by {by}")

    def cancel(self, job: Job, *, by: str) -> None:
        """Stops a remediation that has not begun."""
        self._require(job, CANCELLABLE_STATES, "cancelled")
        self.enter(job, RemediationState.CANCELLED, note=f"cancelled by {by}")

    def _require(self, job: Job, states: Iterable[RemediationState], done: str) -> None:
        if job.remediation.state not in states:
            allowed = " or ".join(sorted(states))
            raise failed_precondition(
                f"remediation {job.remediation.id} is {job.remediation.state}; only {allowed} can be {done}"
            )

    def _review(self, job: Job, by: str, comment: str | None) -> None:
        job.remediation.reviewed_by = by
        job.remediation.review_time = self.now
        job.remediation.review_comment = comment

    # What the platform does, or is told to do from outside

    def behave(self, cluster_id: str, instance_id: str, behaviour: Behaviour) -> None:
        """Sets what becomes of the instance's remediations, those under way included."""
        self.node(cluster_id, instance_id).behaviour = behaviour
        self.changed(f"cluster/{cluster_id}")
        for job in self.active_jobs(cluster_id, instance_id):
            self.plan(job)

    def change_settings(self, settings: Settings) -> None:
        """Replaces the settings; remediations under way go by the new ones."""
        self.settings = settings
        self.changed("settings")
        for cluster in self.clusters.values():
            for job in self.active_jobs(cluster.cluster_id):
                self.plan(job)
        self.health.plan()

    def force(self, job: Job, state: RemediationState, error_message: str | None = None) -> None:
        """Puts a remediation into a state, as if somebody or something else had done it."""
        self.enter(job, state, error_message=error_message, note="from outside")

    def expire(self, job: Job) -> None:
        """Forgets a remediation: its history has expired."""
        self.registry.remove(job)
        self._wakes.pop(job.number, None)
        self._changed_jobs.pop(job.number, None)
        self._forgotten.add(job.number)

    # The course of a remediation

    def start(
        self,
        cluster_id: str,
        instance_id: str,
        *,
        state: RemediationState,
        mode: RemediationMode,
        trigger: RemediationTrigger,
        reason: str | None,
        requested_by: str,
        key: str | None = None,
        alerts: list[LinkedAlert] | None = None,
        clears_after: float | None = None,
    ) -> Job:
        now = self.now
        self.world.jobs += 1
        self.changed("world")
        own_id = self.chance.uuid("remediation", self.world.jobs)
        remediation = Remediation(
            id=key if key is not None and self.settings.idempotency == "id" else own_id,
            cluster_id=cluster_id,
            instance_id=instance_id,
            instance_name=self.node(cluster_id, instance_id).name,
            mode=mode,
            trigger=trigger,
            state=state,
            reason=reason,
            requested_by=requested_by,
            create_time=now,
            update_time=now,
            linked_alerts=alerts,
            passive_health_check_event_id=alerts[0].passive_health_check_alert_id if alerts else None,
        )
        job = Job(
            number=self.world.jobs,
            remediation=remediation,
            entered=now,
            key=key,
            alert_clears=None if clears_after is None else now + timedelta(seconds=clears_after),
            timeline=[Moment(time=now, state=state, note=f"requested by {requested_by}")],
        )
        self.registry.add(job)
        self._changed_jobs[job.number] = job
        self.plan(job)
        return job

    def plan(self, job: Job) -> None:
        """Puts the job's next change on the agenda, in place of what was planned for it before."""
        node = self._nodes[job.remediation.cluster_id, job.remediation.instance_id]
        step = next_step(job, node.behaviour, self.settings, self.chance)
        if step is None:
            self._wakes.pop(job.number, None)
            return
        wake = max(step.when, self.now)
        self._wakes[job.number] = wake

        def happen() -> None:
            # A later plan may have taken this one's place.
            if self._wakes.get(job.number) == wake:
                self.enter(job, step.state, error_message=step.error_message)

        self.agenda.at(wake, happen)

    def enter(self, job: Job, state: RemediationState, *, error_message: str | None = None, note: str = "") -> None:
        now, record = self.now, job.remediation
        node = self._nodes[record.cluster_id, record.instance_id]
        if state == RemediationState.RUNNING and node.instance_id != record.instance_id:
            state, error_message = RemediationState.FAILED, f"instance {record.instance_id} no longer exists"
        record.state = state
        record.end_time = None
        record.error_message = error_message
        job.entered = now
        job.timeline.append(Moment(time=now, state=state, note=note or error_message or ""))
        if state == RemediationState.RUNNING:
            record.start_time = now
        if record.terminal:
            record.end_time = now
            node.last_end = now
            if state in (RemediationState.SUCCEEDED, RemediationState.AUTO_RESOLVED):
                self.resolve_alerts(job)
            self.changed(f"cluster/{record.cluster_id}")
        self.registry.sort(job)
        self.touched(job)
        self.plan(job)
        if state == RemediationState.SUCCEEDED and node.instance_id == record.instance_id:
            self._repaired(node, record)

    def _repaired(self, node: Node, record: Remediation) -> None:
        self.clusters[record.cluster_id].repair(node, record.mode, self.now)
        if node.instance_id == record.instance_id:
            return
        if node.instance_id is not None:
            self._nodes[record.cluster_id, node.instance_id] = node
        for job in self.active_jobs(record.cluster_id, record.instance_id):
            if job.remediation.state == RemediationState.PENDING_APPROVAL:
                self.enter(job, RemediationState.AUTO_RESOLVED, note="the instance is gone")

    def resolve_alerts(self, job: Job) -> None:
        for alert in job.remediation.linked_alerts or ():
            alert.resolved_at = alert.resolved_at or self.now

    def touched(self, job: Job) -> None:
        job.changed(self.now)
        self._changed_jobs[job.number] = job
