"""The simulated platform: what clients, the platform itself and the control API can do in the world. No HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from pulumi_resource_togetherai.api.enums import (
    CANCELLABLE_STATES,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from togetherai_simulator.course import Course
from togetherai_simulator.errors import Refusal, failed_precondition, invalid_argument
from togetherai_simulator.health import HealthChecks
from togetherai_simulator.job import Job
from togetherai_simulator.replicas import ReplicatedWorld
from togetherai_simulator.settings import Behaviour, Settings
from togetherai_simulator.world import Beginning


class Platform(ReplicatedWorld):
    """The simulated service and its rules. Every method raises `Refusal` if the API would refuse."""

    def __init__(self, **beginning: Unpack[Beginning]) -> None:
        super().__init__(**beginning)
        self._course = Course(self)
        self.health = HealthChecks(self, self._course)
        """The health checks, which propose remediations."""
        self.commit()

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
        """Starts a remediation. The second value is False if `key` belongs to an existing one."""
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
        job = self._course.start(
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
        self._course.enter(job, RemediationState.PENDING, note=f"approved by {by}")

    def reject(self, job: Job, *, by: str, comment: str | None) -> None:
        """Dismisses a proposal."""
        self._require(job, {RemediationState.PENDING_APPROVAL}, "rejected")
        self._review(job, by, comment)
        self._course.enter(job, RemediationState.CANCELLED, note=f"rejected by {by}")

    def cancel(self, job: Job, *, by: str) -> None:
        """Stops a remediation that has not begun."""
        self._require(job, CANCELLABLE_STATES, "cancelled")
        self._course.enter(job, RemediationState.CANCELLED, note=f"cancelled by {by}")

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

    # What the platform does by itself, or by order of the control API

    def behave(self, cluster_id: str, instance_id: str, behaviour: Behaviour) -> None:
        """Sets how the instance's remediations go, those under way included."""
        self.node(cluster_id, instance_id).behaviour = behaviour
        self.changed(f"cluster/{cluster_id}")
        for job in self.active_jobs(cluster_id, instance_id):
            self._course.plan(job)

    def change_settings(self, settings: Settings) -> None:
        """Replaces the settings. They also apply to the remediations that are under way."""
        self.settings = settings
        self.changed("settings")
        self.replicate()
        for cluster in self.clusters.values():
            for job in self.active_jobs(cluster.cluster_id):
                self._course.plan(job)
        self.health.plan()

    def force(self, job: Job, state: RemediationState, error_message: str | None = None) -> None:
        """Puts a remediation into a state, as if somebody or something else had done it."""
        self._course.enter(job, state, error_message=error_message, note="from outside")

    def expire(self, job: Job) -> None:
        """Forgets a remediation: its history has expired."""
        self._course.expire(job)
