"""The wording of messages about any remediation. Each one names the remediation, its instance and its cluster."""

from __future__ import annotations

import math
from datetime import datetime

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.estimate import Estimate
from pulumi_resource_togetherai.clusters.marker import origin
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.sanitize import BREAK, quoted


def node(cluster_id: str, instance_id: str) -> str:
    """A node, by the instance that is in it."""
    return f"instance {instance_id} of cluster {cluster_id}"


def node_named(cluster_id: str, written: str) -> str:
    """A node, by the name that a program gives it."""
    return f"node {quoted(written)} of cluster {cluster_id}"


def name(record: Remediation) -> str:
    """A remediation, its mode and its node."""
    mode = quoted(record.mode.short)
    return f"remediation {record.id} ({mode}) of instance {record.instance_id} in cluster {record.cluster_id}"


def repair(record: Remediation) -> str:
    """A remediation by what it does to which node: what people look for first."""
    return f"{quoted(record.mode.short)} of instance {record.instance_id}"


def which(record: Remediation) -> str:
    """A remediation that has been spoken of, by its id."""
    return f"remediation {record.id} in cluster {record.cluster_id}"


def told(happened: str, *more: str) -> str:
    """A message of several lines: what happened, and below it what is recorded and what to do, a line for each."""
    return BREAK.join((happened, *(line for line in more if line)))


def whose(record: Remediation) -> str:
    """A remediation with its state and where it comes from."""
    return f"{name(record)}, {state(record)}, started by {quoted(origin(record))}"


def by_id(record: Remediation) -> str:
    """A remediation of a node that has been named, with its state and where it comes from."""
    mode = quoted(record.mode.short)
    return f"remediation {record.id} ({mode}), {state(record)}, started by {quoted(origin(record))}"


def state(record: Remediation) -> str:
    """A remediation's state, which a newer server may have named."""
    return quoted(record.state)


def ended(record: Remediation) -> str:
    """How a remediation ended, to follow its name: `FAILED`, `was CANCELLED`."""
    return f"{'was ' if record.state == RemediationState.CANCELLED else ''}{state(record)}"


def holder(record: Remediation, now: datetime) -> str:
    """One of several that are under way: what it does to which node, for how long, and whose it is."""
    node_name = quoted(record.instance_name or record.instance_id)
    return f"{node_name} ({state(record)} {took(record, now)}, {quoted(origin(record))})"


def import_id(record: Remediation) -> str:
    """The id to import a remediation with."""
    return f"{record.cluster_id}/{record.instance_id}/{record.id}"


def age(record: Remediation, now: datetime) -> str:
    """How long ago an ended remediation ended."""
    return duration_text(now - record.end_time) if record.end_time else "some time"


def took(record: Remediation, now: datetime) -> str:
    """How long a remediation took, or has taken so far."""
    return duration_text((record.end_time or now) - record.create_time) if record.create_time else "an unknown time"


def progress(record: Remediation, now: datetime, estimate: Estimate | None = None) -> str:
    """One line about a remediation's progress and, if known, how long remediations of its mode take.

    A terminal cuts lines off at their end: what changes comes first, then the name, and ids last.
    """
    told = f"{record.state} after {took(record, now)}" if record.terminal else f"{record.state} {took(record, now)}"
    known = record.state != RemediationState.PENDING_APPROVAL and not record.terminal
    if estimate is not None and known and not record.review_time:
        told += f" of about {duration_text(math.ceil(estimate.within))}"
    node_name = quoted(record.instance_name or record.instance_id)
    line = f"{told}, {quoted(record.mode.short)} {node_name} ({record.id.partition('-')[0]})"
    if record.state == RemediationState.PENDING_APPROVAL:
        line += f"; approve it with `tg clusters remediations approve {record.id}` or in the web console"
    elif estimate is not None and known:
        within = duration_text(math.ceil(estimate.within)) + (" of their approval" if record.review_time else "")
        line += f"; 9 in 10 of this cluster's {record.mode.short} end within {within} ({estimate.ended} seen)"
    return line
