"""How long remediations of a cluster take, learned from answers to requests that are made anyway."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import started_at

SHARE = 0.9
"""9 in 10."""
ENOUGH = 10
"""How many must have ended before there is an estimate. Of fewer than 10, 9 in 10 would mean all of them, and the next
one may well take longer."""
WINDOW = timedelta(days=30)
"""How long ago a remediation may have been started to count: platforms change."""


@dataclass(frozen=True)
class Estimate:
    """Within what time 9 in 10 end."""

    within: float
    """In seconds, from the start, or from the approval where one was needed."""
    ended: int
    """How many ends this is taken from."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """How long a remediation took, or has taken as far as it was seen, in seconds."""

    length: float
    ended: bool

    @classmethod
    def of(cls, record: Remediation, now: datetime) -> _Seen | None:
        """None for one that is not under way, was cancelled or not needed, or has times that cannot be right."""
        ended = record.state in (RemediationState.SUCCEEDED, RemediationState.FAILED)
        if record.state == RemediationState.PENDING_APPROVAL or (record.terminal and not ended):
            return None
        start, until = started_at(record), record.end_time if ended else now
        if until is None or not now - WINDOW <= start <= until:
            return None
        return cls((until - start).total_seconds(), ended)


class Estimates:
    """What one process has seen of a cluster's remediations."""

    def __init__(self) -> None:
        self._seen = defaultdict[RemediationMode, dict[str, _Seen]](dict)
        self._estimates: dict[RemediationMode, Estimate | None] = {}

    def note(self, records: Iterable[Remediation], now: datetime) -> None:
        """Takes in what an answer shows. An ended remediation never becomes active again; a list that says so is out of
        date."""
        for record in records:
            known = self._seen[record.mode].get(record.id)
            if not (known and known.ended) and (seen := _Seen.of(record, now)):
                self._seen[record.mode][record.id] = seen
        self._estimates.clear()

    def estimate(self, mode: RemediationMode) -> Estimate | None:
        """The time within which 9 in 10 remediations of a mode end; None if too few have been seen."""
        if mode not in self._estimates:
            self._estimates[mode] = _estimate_of(self._seen[mode].values())
        return self._estimates[mode]


def _estimate_of(seen: Collection[_Seen]) -> Estimate | None:
    """By Kaplan and Meier: a remediation that is still running counts as longer than it has taken so far. If fifty were
    started together and ten have ended, those ten are the quickest and do not show how long the others take."""
    ended = sum(one.ended for one in seen)
    if ended < ENOUGH:
        return None
    left, going_on = 1.0, len(seen)
    for one in sorted(seen, key=lambda one: (one.length, not one.ended)):
        if one.ended:
            left *= 1 - 1 / going_on
            if left <= 1 - SHARE or math.isclose(left, 1 - SHARE):
                return Estimate(one.length, ended)
        going_on -= 1
    return None
