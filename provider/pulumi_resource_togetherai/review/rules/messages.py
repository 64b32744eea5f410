"""The wording of messages about a proposed remediation and its review."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.api.models import LinkedAlert, Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.review.rules.inputs import Decision
from pulumi_resource_togetherai.sanitize import quoted


def done(decision: Decision) -> str:
    """A decision as what was done."""
    return "approved" if decision is Decision.APPROVE else "rejected"


def details(record: Remediation, now: datetime) -> str:
    """A proposal with the evidence for it: its alerts, its reason and its age."""
    parts = [messages.name(record)]
    parts += [f"alert {_alert(alert)}" for alert in record.linked_alerts or ()]
    if record.reason:
        parts.append(f"reason: {quoted(record.reason)}")
    if record.create_time:
        parts.append(f"proposed {duration_text(now - record.create_time)} ago")
    return "; ".join(parts)


def reviewer(record: Remediation) -> str:
    """Who reviewed a remediation, with the comment."""
    by = f" by {quoted(record.reviewed_by)}" if record.reviewed_by else ""
    return f"{by} ({quoted(record.review_comment)})" if record.review_comment else by


def _alert(alert: LinkedAlert) -> str:
    line = alert.annotation.summary_line if alert.annotation else ""
    resolved = ", resolved" if alert.resolved_at else ""
    name = quoted(alert.alert_name)
    return f"{name}: {quoted(line)}{resolved}" if line else f"{name}{resolved}"
