"""The rules, as functions of what a resource declares. Each returns one line that says what is wrong, or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

REMEDIATIONS = ("togetherai:index:Remediation", "pulumi-python:dynamic/togetherai:Remediation")
REVIEWS = ("togetherai:index:RemediationReview", "pulumi-python:dynamic/togetherai:RemediationReview")
CLUSTER_REPAIR = "togetherai:index:ClusterRepair"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_remediation(kind: str) -> bool:
    """Whether a resource of this type starts a remediation. A type may be nested in that of a component."""
    return kind.rpartition("$")[2] in REMEDIATIONS


def mode_of(kind: str, properties: Mapping[str, Any]) -> str | None:
    """The mode, in short, that a resource would run: a remediation's, or that which an approval chooses."""
    approves = kind.rpartition("$")[2] in REVIEWS and properties.get("decision") == "APPROVE"
    if not (is_remediation(kind) or approves):
        return None
    mode = properties.get("mode") or properties.get("expectedMode")
    return str(mode).removeprefix("REMEDIATION_MODE_") if mode else None


def reason_missing(kind: str, properties: Mapping[str, Any]) -> str | None:
    """A remediation needs a reason."""
    if is_remediation(kind) and not str(properties.get("reason") or "").strip():
        return "a remediation needs a `reason`: say which incident it belongs to"
    return None


def limit_missing(kind: str, properties: Mapping[str, Any]) -> str | None:
    """A cluster is repaired by a policy only up to a limit. `properties` may lack what is not known yet."""
    if kind.rpartition("$")[2] == CLUSTER_REPAIR and properties.get("maxUnhealthy") is None:
        return "a ClusterRepair needs `maxUnhealthy`: say how many unhealthy nodes are a person's business, such as 20%"
    return None


def mode_not_allowed(mode: str | None, stack: str, allowed: Mapping[str, Sequence[str]]) -> str | None:
    """Only the modes that are allowed for the stack; those under `*` for a stack that is not named."""
    modes = allowed.get(stack, allowed.get("*"))
    if mode is None or modes is None or mode in modes:
        return None
    return f"{mode} is not allowed in stack {stack}; allowed: {', '.join(modes)}"


def too_many(new: Sequence[str], most: int) -> str | None:
    """No more remediations in one update than that. `new` are the names of those that would be started."""
    if len(new) <= most:
        return None
    return f"{len(new)} remediations would start in one update, and at most {most} may: {', '.join(sorted(new))}"


def power_cycle_out_of_hours(mode: str | None, now: datetime, hours: Mapping[str, Any]) -> str | None:
    """No HOST_POWER_CYCLE outside working hours. `now` has a time zone."""
    if mode != "HOST_POWER_CYCLE" or hours["anytime"]:
        return None
    here = now.astimezone(ZoneInfo(hours["timeZone"]))
    begin, end = time.fromisoformat(hours["from"]), time.fromisoformat(hours["to"])
    if DAYS[here.weekday()] in hours["days"] and begin <= here.time() < end:
        return None
    when = f"{DAYS[here.weekday()]} {here:%H:%M} {hours['timeZone']}"
    return (
        f"no HOST_POWER_CYCLE at {when}: only {', '.join(hours['days'])} from {hours['from']} to {hours['to']}, "
        "or with `anytime: true`"
    )
