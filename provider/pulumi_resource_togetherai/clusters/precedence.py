"""Precedence: which of several active remediations continue if not all of them may. Every process gets the same answer.

There is no lock server. After its POST, every process lists the active remediations, sorts them by the same rule, and
withdraws its own if that one does not come first. Remediations that have begun come first, because they can no longer
be cancelled; then the one that was started earlier; then the one with the smaller id. A proposal does not occupy a node
until it is approved, so it blocks nothing; from then on its approval is its start.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation

Precedence = tuple[bool, datetime, str]
_NEVER = datetime.max.replace(tzinfo=UTC)


def started_at(record: Remediation) -> datetime:
    """When it was started, or approved. If the API does not say when, it counts as started after all others."""
    return record.review_time or record.create_time or _NEVER


def precedence(record: Remediation) -> Precedence:
    """The sort key of an active remediation: the smallest one continues."""
    return (record.cancellable, started_at(record), record.id)


class Active:
    """The remediations that are active at one moment: those of a node, or of its whole cluster."""

    def __init__(self, records: Iterable[Remediation], node_of: Callable[[str], str] = folded) -> None:
        """`node_of` says which node an instance is of: the same text for each instance of a node."""
        self._node_of = node_of
        self._records = [
            record for record in records if not record.terminal and record.state != RemediationState.PENDING_APPROVAL
        ]

    @cached_property
    def _by_node(self) -> dict[str, list[Remediation]]:
        found = defaultdict[str, list[Remediation]](list)
        for record in sorted(self._records, key=precedence):
            found[self._node_of(record.instance_id)].append(record)
        return found

    @cached_property
    def _places(self) -> Sequence[Precedence]:
        """The place of each node: that of the first of its remediations."""
        return sorted(precedence(of_node[0]) for of_node in self._by_node.values())

    def rivals(self, record: Remediation) -> list[Remediation]:
        """The others of the same node, in their order."""
        of_node = self._by_node.get(self._node_of(record.instance_id), ())
        return [other for other in of_node if other.id != record.id]

    def ahead_on_the_node(self, record: Remediation) -> Remediation | None:
        """The remediation of the same node that continues in place of this one; None if this one continues."""
        first = next(iter(self.rivals(record)), None)
        return first if first is not None and precedence(first) < precedence(record) else None

    def nodes_ahead(self, record: Remediation) -> int:
        """How many other nodes of the cluster have a remediation that comes before this one."""
        own = self.ahead_on_the_node(record) is not None
        return bisect_left(self._places, precedence(record)) - own


@dataclass(frozen=True)
class Loss:
    """Why a remediation that has not begun is withdrawn."""

    winner: Remediation | None
    """The remediation of the same node that continues; None if ours exceeded the cluster's limit."""
    ahead: int = 0
    """How many other nodes of its cluster come before it."""


@dataclass(frozen=True)
class Rules:
    """Which of the active remediations of a cluster have to give way."""

    one_per_node: bool
    """Whether a remediation gives way to another one of its node."""
    limit: int | None
    """How many nodes of the cluster may be under repair at once; None for any number."""

    def loss(self, record: Remediation, active: Active) -> Loss | None:
        """Why a remediation has to give way; None if it continues."""
        if not record.cancellable:
            return None
        if self.one_per_node and (winner := active.ahead_on_the_node(record)):
            return Loss(winner)
        if self.limit is not None and (ahead := active.nodes_ahead(record)) >= self.limit:
            return Loss(None, ahead)
        return None

    def was_withdrawn(
        self, record: Remediation, known: Iterable[Remediation], node_of: Callable[[str], str] = folded
    ) -> bool:
        """Whether a remediation was cancelled because it had to give way to those in `known` that were active when it
        ended. `node_of` says which node an instance is of.

        The records are the only memory that all processes share: a run may be killed between the cancel and the next
        POST.
        """
        ended = record.end_time
        if not may_have_been_withdrawn(record) or ended is None:
            return False
        as_it_was = record.model_copy(update={"state": RemediationState.PENDING, "end_time": None})
        others = (_as_of(other, ended) for other in known if _was_active(other, record, ended))
        return self.loss(as_it_was, Active([as_it_was, *others], node_of)) is not None


def may_have_been_withdrawn(record: Remediation) -> bool:
    """Whether it was cancelled before it began, and not by a review."""
    return record.state == RemediationState.CANCELLED and not record.start_time and not record.reviewed_by


def _was_active(other: Remediation, record: Remediation, moment: datetime) -> bool:
    if other.id == record.id or other.state == RemediationState.PENDING_APPROVAL:
        return False
    return started_at(other) <= moment and (other.end_time is None or other.end_time >= moment)


def _as_of(other: Remediation, moment: datetime) -> Remediation:
    begun = other.start_time is not None and other.start_time <= moment
    state = RemediationState.RUNNING if begun else RemediationState.PENDING
    return other.model_copy(update={"state": state, "end_time": None})
