"""The platform's health checks: they notice faults of nodes and propose remediations for them."""

from __future__ import annotations

from datetime import timedelta

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.models import LinkedAlert
from togetherai_simulator.alerts import FAULTS, SEVERITY, FaultKind, fault_for, raise_alert
from togetherai_simulator.course import Course
from togetherai_simulator.errors import failed_precondition
from togetherai_simulator.fleet import Breakage, Cluster, Node
from togetherai_simulator.job import Job, Moment
from togetherai_simulator.world import World

WORSENS_AFTER = 120
"""How long after the proposal a fault gets worse, if it does, in seconds."""


class HealthChecks:
    """Proposes remediations: on demand, and when a random fault comes."""

    def __init__(self, world: World, course: Course) -> None:
        self._world = world
        self._course = course
        for cluster in world.clusters.values():
            for job in world.active_jobs(cluster.cluster_id):
                self._plan_worse(job)
        self.plan()

    def plan(self) -> None:
        """Puts each node's next fault on the schedule. Call it again after a change of the settings."""
        for cluster in self._world.clusters.values():
            for node in cluster.nodes:
                self._plan_fault(cluster, node)

    def propose(
        self,
        cluster_id: str,
        instance_id: str,
        *,
        fault: FaultKind | None = None,
        mode: RemediationMode | None = None,
        reason: str | None = None,
        clears_after: float | None = None,
        force: bool = False,
    ) -> Job:
        """The platform notices a fault and proposes a remediation, by default the one that fits the fault.

        If a proposal waits already, the platform adds the alert to it, and a worse fault raises its mode. For a while
        after a remediation has ended the platform proposes none, unless `force`. After `clears_after` seconds the fault
        goes away by itself.
        """
        node = self._world.node(cluster_id, instance_id)
        waiting = [
            job
            for job in self._world.active_jobs(cluster_id, instance_id)
            if job.remediation.state == RemediationState.PENDING_APPROVAL
        ]
        pause = timedelta(seconds=self._world.settings.proposal_pause)
        if not waiting and not force and node.last_end and self._world.now < node.last_end + pause:
            raise failed_precondition(
                f"nothing is proposed for {instance_id} until {node.last_end + pause:%H:%M:%S}: a remediation ended "
                f"less than {self._world.settings.proposal_pause:g} s ago (say force to propose all the same)"
            )
        earlier = len(waiting[-1].remediation.linked_alerts or ()) if waiting else 0
        name = ("alert", cluster_id, instance_id, self._world.counters.jobs, earlier)
        random = self._world.randomness.of(*name)
        kind = fault or fault_for(mode, random)
        mode = mode or FAULTS[kind].mode
        alert = raise_alert(
            kind,
            alert_id=self._world.randomness.uuid(*name),
            cluster_id=cluster_id,
            instance_id=instance_id,
            now=self._world.now,
            random=random,
        )
        if waiting:
            self._worsen(waiting[-1], mode, alert)
            return waiting[-1]
        job = self._course.start(
            cluster_id,
            instance_id,
            state=RemediationState.PENDING_APPROVAL,
            mode=mode,
            trigger=RemediationTrigger.AUTOMATED,
            reason=reason or FAULTS[kind].title,
            requested_by="system",
            alerts=[alert],
            clears_after=clears_after,
        )
        alert.node_remediation_intent_id = job.remediation.id
        self._course.touched(job)
        return job

    def _worsen(self, job: Job, mode: RemediationMode, alert: LinkedAlert) -> None:
        alert.node_remediation_intent_id = job.remediation.id
        job.remediation.linked_alerts = [*(job.remediation.linked_alerts or []), alert]
        job.alert_clears = job.worsens = None
        if SEVERITY.index(mode) > SEVERITY.index(job.remediation.mode):
            note = f"mode raised from {job.remediation.mode.short} to {mode.short}"
            job.remediation.mode = mode
        else:
            note = f"further alert: {alert.alert_name}"
        job.timeline.append(Moment(time=self._world.now, state=job.remediation.state, note=note))
        self._course.touched(job)
        self._course.plan(job)

    def clear_alerts(self, cluster_id: str, instance_id: str) -> None:
        """The instance's faults go away: its alerts resolve, and a waiting proposal becomes AUTO_RESOLVED."""
        self._world.node(cluster_id, instance_id)
        for job in self._world.active_jobs(cluster_id, instance_id):
            if job.remediation.state == RemediationState.PENDING_APPROVAL:
                self._course.enter(job, RemediationState.AUTO_RESOLVED, note="the alert cleared")
            elif job.remediation.linked_alerts:
                self._course.resolve_alerts(job)
                self._course.touched(job)

    def break_node(self, cluster_id: str, instance_id: str, *, cured_by: RemediationMode | None = None) -> None:
        """The node that holds the instance, or held it, does not work any more, and the platform proposes nothing."""
        node = self._world.ever_node(cluster_id, instance_id)
        node.broken = Breakage(since=self._world.now, cured_by=cured_by or RemediationMode.REBOOT_VM)
        self._world.changed(f"cluster/{cluster_id}")

    def mend_node(self, cluster_id: str, instance_id: str) -> None:
        """The node works again, without any repair."""
        self._world.ever_node(cluster_id, instance_id).broken = None
        self._world.changed(f"cluster/{cluster_id}")

    def _plan_fault(self, cluster: Cluster, node: Node) -> None:
        """Puts the node's next fault on the schedule. Times between faults are exponentially distributed."""
        mean = self._world.settings.fault_every
        if not mean or node.instance_id is None or not node.auto_remediation_enabled:
            node.next_fault = None
            return
        if node.next_fault is None:
            random = self._world.randomness.of("fault", cluster.cluster_id, node.number, node.faults)
            node.next_fault = self._world.now + timedelta(seconds=random.expovariate(1 / mean))
            self._world.changed(f"cluster/{cluster.cluster_id}")
        when = node.next_fault

        def happen() -> None:
            if node.next_fault == when:
                self._fault(cluster, node)

        self._world.schedule.at(when, happen)

    def _fault(self, cluster: Cluster, node: Node) -> None:
        random = self._world.randomness.of("fault-kind", cluster.cluster_id, node.number, node.faults)
        node.faults += 1
        node.next_fault = None
        self._plan_fault(cluster, node)
        if node.instance_id is None or self._world.active_jobs(cluster.cluster_id, node.instance_id):
            return
        pause = timedelta(seconds=self._world.settings.proposal_pause)
        if node.last_end and self._world.now < node.last_end + pause:
            return
        transient = random.random() < self._world.settings.transient_rate
        job = self.propose(
            cluster.cluster_id,
            node.instance_id,
            fault=random.choice(list(FAULTS)),
            clears_after=self._world.settings.alert_clears if transient else None,
        )
        if not transient and random.random() < self._world.settings.worsening_rate:
            job.worsens = self._world.now + timedelta(seconds=WORSENS_AFTER)
            self._plan_worse(job)

    def _plan_worse(self, job: Job) -> None:
        when = job.worsens
        if when is None:
            return

        def happen() -> None:
            if job.worsens == when and job.remediation.state == RemediationState.PENDING_APPROVAL:
                self.propose(job.remediation.cluster_id, job.remediation.instance_id, fault="gpu_lost")

        self._world.schedule.at(max(when, self._world.now), happen)
