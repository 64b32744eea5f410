"""How long remediations took, computed from their records by pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import quantiles

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.api.plausible import EARLIEST, SKEW
from pulumi_resource_togetherai.clusters.precedence import started_at
from pulumi_resource_togetherai.functions.results import ModeStats, OutcomeStats, Percentiles, RemediationStats


def stats_of(records: Iterable[Remediation], *, unreadable: int, window: float, now: datetime) -> RemediationStats:
    """The statistics of the remediations that ended within the last `window` seconds, by mode and outcome."""
    since = now - timedelta(seconds=min(window, (now - EARLIEST).total_seconds()))
    modes = defaultdict[str, dict[str, list[Remediation]]](lambda: defaultdict(list))
    for record in records:
        # If a record has no end time, its last change counts, or else now: so `left_out` shows that it is missing.
        if record.terminal and (record.end_time or record.update_time or now) >= since:
            modes[record.mode][record.state].append(record)
    by_mode = {mode: _of_mode(modes[mode], now) for mode in sorted(modes)}
    return RemediationStats(
        since=since, count=sum(mode.count for mode in by_mode.values()), unreadable=unreadable, modes=by_mode
    )


def phases(record: Remediation, now: datetime) -> dict[str, float] | None:
    """How long each phase of an ended remediation took, in seconds, by its name in OutcomeStats, without the phases
    that it did not go through. None if its times cannot be right."""
    created, reviewed, began, ended = record.create_time, record.review_time, record.start_time, record.end_time
    known = [time for time in (created, reviewed, began, ended) if time is not None]
    if created is None or ended is None or known != sorted(known) or ended > now + SKEW:
        return None
    spans = {
        "approval": (created, reviewed),
        "queue": (started_at(record), began),
        "repair": (began, ended),
        "total": (created, ended),
    }
    return {name: (end - begin).total_seconds() for name, (begin, end) in spans.items() if begin and end}


def percentiles(lengths: Sequence[float]) -> Percentiles | None:
    """The percentiles of some lengths, as `statistics.quantiles` computes them with `method="inclusive"`: linear
    between the two nearest lengths, never below the shortest or above the longest. None if there are no lengths."""
    if not lengths:
        return None
    cuts = quantiles(lengths if len(lengths) > 1 else [*lengths, *lengths], n=100, method="inclusive")
    p50, p90, p99 = (round(cuts[percent - 1], 3) for percent in (50, 90, 99))
    return Percentiles(count=len(lengths), p50=p50, p90=p90, p99=p99)


def _of_mode(outcomes: dict[str, list[Remediation]], now: datetime) -> ModeStats:
    succeeded, failed = (
        len(outcomes.get(state, ())) for state in (RemediationState.SUCCEEDED, RemediationState.FAILED)
    )
    return ModeStats(
        count=sum(map(len, outcomes.values())),
        success_share=succeeded / (succeeded + failed) if succeeded or failed else None,
        outcomes={state: _of_outcome(outcomes[state], now) for state in sorted(outcomes)},
    )


def _of_outcome(records: Sequence[Remediation], now: datetime) -> OutcomeStats:
    right = [lengths for record in records if (lengths := phases(record, now)) is not None]
    by_phase = {
        name: percentiles([lengths[name] for lengths in right if name in lengths])
        for name in ("approval", "queue", "repair", "total")
    }
    return OutcomeStats.model_validate({"count": len(records), "left_out": len(records) - len(right), **by_phase})
