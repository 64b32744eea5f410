"""The course of remediations: how they begin, which state follows which, and what that does to the node."""

from __future__ import annotations

from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.models import LinkedAlert, Remediation
from togetherai_simulator.fleet import REPLACING_MODES, Node
from togetherai_simulator.job import Job, Moment
from togetherai_simulator.lifecycle import next_step
from togetherai_simulator.world import World


class Course:
    """Moves the remediations of a world from state to state. A pure function decides the next one: see `lifecycle`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wakes: dict[int, datetime] = {}
        for job in world.registry.by_id.values():
            self.plan(job)

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
        """Makes a remediation. If it is a proposal, its alert clears after `clears_after` seconds; None is never."""
        now = self._world.now
        self._world.counters.jobs += 1
        self._world.changed("world")
        own_id = self._world.randomness.uuid("remediation", self._world.counters.jobs)
        remediation = Remediation(
            id=key if key is not None and self._world.settings.idempotency == "id" else own_id,
            cluster_id=cluster_id,
            instance_id=instance_id,
            instance_name=self._world.node(cluster_id, instance_id).name,
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
            number=self._world.counters.jobs,
            remediation=remediation,
            entered=now,
            key=key,
            alert_clears=None if clears_after is None else now + timedelta(seconds=clears_after),
            timeline=[Moment(time=now, state=state, note=f"requested by {requested_by}")],
        )
        self._world.registry.add(job)
        self._world.changed_job(job)
        self.plan(job)
        return job

    def plan(self, job: Job) -> None:
        """Puts the job's next change on the schedule, in place of the one that was planned before."""
        node = self._world.node_of(job.remediation)
        step = next_step(job, node.behaviour, self._world.settings, self._world.randomness)
        if step is None:
            self._wakes.pop(job.number, None)
            return
        wake = max(step.when, self._world.now)
        self._wakes[job.number] = wake

        def happen() -> None:
            # A later plan may have replaced this one.
            if self._wakes.get(job.number) == wake:
                self.enter(job, step.state, error_message=step.error_message)

        self._world.schedule.at(wake, happen)

    def enter(self, job: Job, state: RemediationState, *, error_message: str | None = None, note: str = "") -> None:
        """Puts a remediation into a state, with all consequences."""
        now, record = self._world.now, job.remediation
        node = self._world.node_of(record)
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
            self._world.changed(f"cluster/{record.cluster_id}")
        self._world.registry.sort(job)
        self.touched(job)
        self.plan(job)
        at_once = self._world.settings.replaces_at_once and record.mode in REPLACING_MODES
        if state == (RemediationState.RUNNING if at_once else RemediationState.SUCCEEDED) and (
            node.instance_id == record.instance_id
        ):
            self._repaired(node, record)

    def _repaired(self, node: Node, record: Remediation) -> None:
        self._world.clusters[record.cluster_id].repair(node, record.mode, self._world.now)
        self._world.changed(f"cluster/{record.cluster_id}")
        if node.instance_id == record.instance_id:
            return
        self._world.moved(record.cluster_id, node)
        for job in self._world.active_jobs(record.cluster_id, record.instance_id):
            if job.remediation.state == RemediationState.PENDING_APPROVAL:
                self.enter(job, RemediationState.AUTO_RESOLVED, note="the instance is gone")

    def resolve_alerts(self, job: Job) -> None:
        """Resolves the alerts that are linked to a remediation."""
        for alert in job.remediation.linked_alerts or ():
            alert.resolved_at = alert.resolved_at or self._world.now

    def touched(self, job: Job) -> None:
        """Records that a remediation has changed."""
        job.changed(self._world.now)
        self._world.changed_job(job)

    def expire(self, job: Job) -> None:
        """Forgets a remediation: its history has expired."""
        self._wakes.pop(job.number, None)
        self._world.forget(job)
