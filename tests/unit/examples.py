"""Remediations and declarations to test with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
URN = "urn:pulumi:prod::training::togetherai:index:Remediation::node-7"


def declared(**changes: Any) -> RemediationInputs:
    """What a program declares, with changes."""
    plain: dict[str, Any] = {"clusterId": "c1", "instanceId": "i7", "mode": "REBOOT_VM"}
    return RemediationInputs.model_validate(plain | changes)


def identity(urn: str = URN, **changes: Any) -> Identity:
    """Whose remediation it is."""
    return Identity(urn, declared(**changes))


def started(identifier: str, ago: float, state: str = "PENDING", **changes: Any) -> Remediation:
    """A remediation of the declared node that was started so many seconds ago."""
    made = record(state, id=identifier)
    return made.model_copy(update={"create_time": NOW - timedelta(seconds=ago)} | changes)


def record(state: str, *, ended: timedelta | None = None, **changes: Any) -> Remediation:
    """A remediation of the declared node; `ended` is how long ago."""
    plain: dict[str, Any] = {
        "id": "3f0c6b7e-0000-4000-8000-000000000001",
        "cluster_id": "c1",
        "instance_id": "i7",
        "mode": "REMEDIATION_MODE_REBOOT_VM",
        "trigger": "REMEDIATION_TRIGGER_MANUAL",
        "state": state,
        "create_time": NOW - (ended or timedelta()) - timedelta(minutes=5),
        "end_time": NOW - ended if ended is not None else None,
    }
    return Remediation.model_validate(plain | changes)
