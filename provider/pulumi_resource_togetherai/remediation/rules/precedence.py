"""Which of several active remediations goes on where only some may: the same answer, whoever asks.

There is no lock server. Every process looks at what is active after its POST, orders it in the same way, and withdraws
its own if that does not come first. What has begun comes first, because it cannot be cancelled any more; then what was
started earlier; then the smaller id. A proposal takes no node away until it is approved, so it stands in nobody's way;
once approved it counts from its approval.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation

Precedence = tuple[bool, datetime, str]
_NEVER = datetime.max.replace(tzinfo=UTC)


def started_at(record: Remediation) -> datetime:
    """When it was started, or approved. One whose time the API does not tell counts as started after all others."""
    return record.review_time or record.create_time or _NEVER


def precedence(record: Remediation) -> Precedence:
    """The place of an active remediation: the smaller one goes on."""
    return (record.cancellable, started_at(record), record.id)


class Active:
    """The remediations that are active at one moment: those of a node, or of its whole cluster."""

    def __init__(self, records: Iterable[Remediation]) -> None:
        self._records = [
            record for record in records if not record.terminal and record.state != RemediationState.PENDING_APPROVAL
        ]

    @cached_property
    def _by_instance(self) -> dict[str, list[Remediation]]:
        found = defaultdict[str, list[Remediation]](list)
        for record in sorted(self._records, key=precedence):
            found[record.instance_id].append(record)
        return found

    @cached_property
    def _places(self) -> Sequence[Precedence]:
        return sorted(map(precedence, self._records))

    def rivals(self, record: Remediation) -> list[Remediation]:
        """The others of the same node, in their order."""
        return [other for other in self._by_instance.get(record.instance_id, ()) if other.id != record.id]

    def ahead_on_the_node(self, record: Remediation) -> Remediation | None:
        """The remediation of the same node that goes on in place of this one; None if this one goes on."""
        first = next(iter(self.rivals(record)), None)
        return first if first is not None and precedence(first) < precedence(record) else None

    def ahead_in_the_cluster(self, record: Remediation) -> int:
        """How many remediations of the cluster come before this one."""
        return bisect_left(self._places, precedence(record))


def may_have_been_withdrawn(record: Remediation) -> bool:
    """Whether it was cancelled before it began, and not by a review."""
    return record.state == RemediationState.CANCELLED and not record.start_time and not record.reviewed_by


def was_withdrawn(record: Remediation, known: Iterable[Remediation], *, one_per_node: bool, limit: int | None) -> bool:
    """Whether a remediation was cancelled because it did not come first among all that was active when it ended, as
    `known` tells. `limit` is the most that may be active in the cluster.

    The records are the only memory that all processes share: a run may be killed between the cancel and the next POST.
    """
    ended = record.end_time
    if not may_have_been_withdrawn(record) or ended is None:
        return False
    as_it_was = record.model_copy(update={"state": RemediationState.PENDING, "end_time": None})
    then = Active([as_it_was, *(_as_of(other, ended) for other in known if _was_active(other, record, ended))])
    if one_per_node and then.ahead_on_the_node(as_it_was):
        return True
    return limit is not None and then.ahead_in_the_cluster(as_it_was) >= limit


def _was_active(other: Remediation, record: Remediation, moment: datetime) -> bool:
    if other.id == record.id or other.state == RemediationState.PENDING_APPROVAL:
        return False
    return started_at(other) <= moment and (other.end_time is None or other.end_time >= moment)


def _as_of(other: Remediation, moment: datetime) -> Remediation:
    begun = other.start_time is not None and other.start_time <= moment
    state = RemediationState.RUNNING if begun else RemediationState.PENDING
    return other.model_copy(update={"state": state, "end_time": None})


@dataclass(frozen=True)
class Loss:
    """Why a remediation that has not begun is withdrawn."""

    winner: Remediation | None
    """The remediation of the same node that goes on; None if ours is one too many for its cluster."""
    ahead: int = 0
    """How many of its cluster come before it."""
