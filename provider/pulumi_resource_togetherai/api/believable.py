"""Checks each answer of the API against the question, and against what is possible at all.

Without these checks the provider could take the record of another remediation for the one that it asked for. A record
whose times run backwards shows a defect somewhere, and is no ground to delete a VM or to call a repair done.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.harmless import quoted

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""The earliest time that is believed: the service did not exist before."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""The latest time that is believed."""
USABLE_ID = re.compile(r"(?!\.{1,2}$)[^\s/]{1,256}")
"""An id that can stand in a path and in the resource's id."""
SKEW = timedelta(minutes=5)
"""How far apart the clocks of the API's own servers may be."""
CLOCK_REASON = timedelta(days=3653)
"""How far the API's clock may be from this machine's. If it is further, the provider cannot know which one is wrong."""


def other_than_asked(record: Remediation, cluster_id: str, instance_id: str | None, remediation_id: str | None) -> str:
    """What is wrong with an answer to a question about a remediation; empty if the answer is about that remediation.
    Pass None for an id that the question does not name."""
    told = (record.cluster_id, record.instance_id, record.id)
    asked = (cluster_id, instance_id or record.instance_id, remediation_id or record.id)
    if told == asked:
        return ""
    wanted = f"remediation {remediation_id} of " if remediation_id else ""
    of_instance = f"instance {instance_id} in " if instance_id else ""
    return (
        f"asked about {wanted}{of_instance}cluster {cluster_id}, it answered with remediation {quoted(record.id)} of "
        f"instance {quoted(record.instance_id)} in cluster {quoted(record.cluster_id)}. The provider does not use "
        "this answer"
    )


def beyond_reason(record: Remediation) -> str:
    """What is wrong with a record's id or times; empty if nothing is."""
    if not USABLE_ID.fullmatch(record.id):
        return f'its id "{quoted(record.id)}" is not an id'
    times = {name: getattr(record, name) for name in ("create_time", "review_time", "start_time", "end_time")}
    for name, time in times.items():
        if time is not None and not EARLIEST <= time <= LATEST:
            return f"its {name} is {time:%Y-%m-%d}"
    for earlier, later in (("create_time", "start_time"), ("create_time", "end_time"), ("start_time", "end_time")):
        first, second = times[earlier], times[later]
        if first is not None and second is not None and second < first - SKEW:
            return f"its {later} is before its {earlier}"
    return ""


def believable_now(told: datetime, ours: datetime) -> datetime:
    """The time to judge ages by: the API's, or the earlier of the two if one of them must be wrong. By the earlier one
    an ended remediation seems more recent than it is, and that starts nothing."""
    return told if abs(told - ours) <= CLOCK_REASON else min(told, ours)


def problem(error: ValidationError | RecursionError) -> str:
    """The first thing that is wrong with a body, and where."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors(include_input=False, include_url=False)[0]
    where = quoted(".".join(str(part) for part in first["loc"]))
    return f"{where}: {quoted(first['msg'])}" if where else quoted(first["msg"])
