"""What to believe of a remediation that was seen before. Answers are evidence: reads may come from a replica that lags,
so an older record may follow a newer one, and not every answer is right."""

from __future__ import annotations

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.enums import UNSPECIFIED_MODE, RemediationState
from pulumi_resource_togetherai.api.models import Remediation

_ORDER = {state: number for number, state in enumerate(RemediationState)}
"""The states in the order in which a remediation goes through them."""
_IDENTITY = ("id", "cluster_id", "instance_id")


def contradicts(known: Remediation, seen: Remediation) -> bool:
    """Whether an answer cannot be about the remediation that is known. Only a proposal's mode may still change."""
    if not all(same_id(getattr(known, name), getattr(seen, name)) for name in _IDENTITY):
        return True
    changed = seen.mode != known.mode and UNSPECIFIED_MODE not in (seen.mode, known.mode)
    return changed and known.state != RemediationState.PENDING_APPROVAL


def believe(known: Remediation | None, seen: Remediation) -> Remediation:
    """A remediation, given what was believed of it and what an answer shows.

    An end is never taken back. Of two active records the one that was updated later counts, else the one in the later
    state. A field that is gone is kept. An answer that contradicts what is known counts for nothing.
    """
    if known is None:
        return seen
    if contradicts(known, seen):
        return known
    newer, older = (seen, known) if _is_newer(seen, known) else (known, seen)
    if newer is known and (older.state != known.state or older.update_time == known.update_time is not None):
        return known
    return _with_fields_of(older, newer)


def _is_newer(seen: Remediation, known: Remediation) -> bool:
    if known.terminal or seen.terminal:
        return not known.terminal
    if known.update_time and seen.update_time and known.update_time != seen.update_time:
        return seen.update_time > known.update_time
    if seen.state in _ORDER and known.state in _ORDER:
        return _ORDER[seen.state] > _ORDER[known.state]
    return seen.state != known.state


def _with_fields_of(older: Remediation, newer: Remediation) -> Remediation:
    """The newer record, with the values that only the older one has."""
    kept = {
        name: value
        for name in Remediation.model_fields
        if getattr(newer, name) is None and (value := getattr(older, name)) is not None
    }
    if newer.mode == UNSPECIFIED_MODE:
        kept["mode"] = older.mode
    return newer.model_copy(update=kept) if kept else newer
