"""How a remediation goes on by itself, as a pure function: the next state and when it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from togetherai_simulator.alerts import ERROR_MESSAGES
from togetherai_simulator.job import Job
from togetherai_simulator.randomness import Randomness
from togetherai_simulator.settings import Behaviour, Outcome, Settings


@dataclass(frozen=True)
class Step:
    """A change of state that will happen."""

    when: datetime
    state: RemediationState
    error_message: str | None = None


def next_step(job: Job, behaviour: Behaviour, settings: Settings, randomness: Randomness) -> Step | None:
    """The next change of the job's state; None if the job waits for somebody or has ended."""
    outcome = behaviour.outcome or _at_random(job, settings, randomness)

    def after(phase: str, state: RemediationState, error_message: str | None = None) -> Step:
        own: float | None = getattr(behaviour, phase)
        seconds: float = getattr(settings, phase) if own is None else own
        if own is None and settings.spread:
            seconds *= randomness.of(phase, job.number).uniform(1 - settings.spread, 1 + settings.spread)
        return Step(job.entered + timedelta(seconds=seconds), state, error_message)

    match job.remediation.state:
        case RemediationState.PENDING_APPROVAL:
            clears = job.alert_clears
            if outcome == "auto_resolve":
                clears = clears or job.entered + timedelta(seconds=settings.alert_clears)
            return Step(clears, RemediationState.AUTO_RESOLVED) if clears else None
        case RemediationState.PENDING if outcome == "hold":
            return None
        case RemediationState.PENDING if outcome == "auto_resolve":
            return after("pending", RemediationState.AUTO_RESOLVED)
        case RemediationState.PENDING if job.remediation.mode == RemediationMode.HOST_AWARE:
            return after("pending", RemediationState.QUARANTINING)
        case RemediationState.PENDING:
            return after("pending", RemediationState.RUNNING)
        case RemediationState.QUARANTINING:
            return after("quarantining", RemediationState.QUARANTINED)
        case RemediationState.QUARANTINED:
            return after("quarantined", RemediationState.RUNNING)
        case RemediationState.RUNNING if outcome == "never":
            return None
        case RemediationState.RUNNING if outcome == "fail":
            message = behaviour.error_message or randomness.of("error", job.number).choice(ERROR_MESSAGES)
            return after("running", RemediationState.FAILED, message)
        case RemediationState.RUNNING:
            return after("running", RemediationState.SUCCEEDED)
        case _:
            return None


def _at_random(job: Job, settings: Settings, randomness: Randomness) -> Outcome:
    if settings.failure_rate and randomness.of("outcome", job.number).random() < settings.failure_rate:
        return "fail"
    return "succeed"
