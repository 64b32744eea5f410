"""How long remediations took: what is counted, in which phases, and what is left out."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.functions.results import OutcomeStats, Percentiles, RemediationStats
from pulumi_resource_togetherai.functions.stats import percentiles, phases, stats_of
from tests.unit.examples import NOW, record

DAY = 24 * 3600.0
REBOOT, VM_ONLY = "REMEDIATION_MODE_REBOOT_VM", "REMEDIATION_MODE_VM_ONLY"


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def one(state: str = "SUCCEEDED", *, created: float = 400, ended: float = 100, **changes: Any) -> Remediation:
    """A remediation that was created, and ended, so many seconds ago."""
    times: dict[str, Any] = {"create_time": ago(created), "end_time": ago(ended)}
    return record(state, **(times | changes))


def stats(*records: Remediation, window: float = DAY, unreadable: int = 0) -> RemediationStats:
    return stats_of(records, unreadable=unreadable, window=window, now=NOW)


def outcome(told: RemediationStats, state: str = "SUCCEEDED", mode: str = REBOOT) -> OutcomeStats:
    return told.modes[mode].outcomes[state]


def test_a_manual_remediation_waits_from_its_creation_and_is_repaired_from_its_start():
    assert phases(one(start_time=ago(350)), NOW) == {"queue": 50, "repair": 250, "total": 300}


def test_a_proposal_waits_for_its_approval_first():
    reviewed = one(review_time=ago(380), start_time=ago(350))
    assert phases(reviewed, NOW) == {"approval": 20, "queue": 30, "repair": 250, "total": 300}


def test_what_was_rejected_never_waited_for_the_platform():
    assert phases(one("CANCELLED", review_time=ago(100)), NOW) == {"approval": 300, "total": 300}


@pytest.mark.parametrize(
    "times",
    [
        {"create_time": None},
        {"end_time": None},
        {"end_time": ago(401)},
        {"start_time": ago(99)},
        {"start_time": ago(401)},
        {"review_time": ago(300), "start_time": ago(350)},
        {"end_time": NOW + timedelta(minutes=6)},
    ],
    ids=["no creation", "no end", "end first", "start last", "start first", "start before approval", "end to come"],
)
def test_times_that_cannot_be_right_are_left_out_and_counted(times: dict[str, Any]):
    wrong: dict[str, Any] = {"update_time": ago(100)} | times
    told = outcome(stats(one(start_time=ago(350)), one(**wrong)))
    assert (told.count, told.left_out) == (2, 1)
    assert told.total is not None
    assert (told.total.count, told.total.p99) == (1, 300)


def test_a_clock_of_the_api_that_is_a_little_ahead_is_no_lie():
    assert phases(one(end_time=NOW + timedelta(minutes=4)), NOW) is not None


def test_where_all_are_left_out_no_length_is_told():
    told = outcome(stats(one(end_time=None)))
    assert (told.count, told.left_out, told.total) == (1, 1, None)


def test_what_ended_counts_under_its_mode_and_its_outcome():
    told = stats(
        one(),
        one("FAILED"),
        one("CANCELLED"),
        one("AUTO_RESOLVED", mode=VM_ONLY),
        one("RUNNING", end_time=None),
        one("EXPLODED"),
        one("DREAMING", end_time=None),
    )
    assert told.count == 5
    counts = {mode: {state: of.count for state, of in one.outcomes.items()} for mode, one in told.modes.items()}
    assert counts == {
        REBOOT: {"SUCCEEDED": 1, "FAILED": 1, "CANCELLED": 1, "EXPLODED": 1},
        VM_ONLY: {"AUTO_RESOLVED": 1},
    }


def test_success_is_a_share_of_what_was_carried_out():
    told = stats(one(), one(), one(), one("FAILED"), one("CANCELLED"), one("CANCELLED", mode=VM_ONLY))
    assert told.modes[REBOOT].success_share == 0.75
    assert told.modes[VM_ONLY].success_share is None


def test_the_window_is_about_the_end():
    told = stats(one(created=2 * DAY, ended=DAY - 1), one(created=2 * DAY, ended=DAY + 1))
    assert (told.count, told.since) == (1, ago(DAY))


def test_without_an_end_the_last_change_decides_else_it_is_in_sight():
    assert stats(one(end_time=None, update_time=ago(DAY + 1))).count == 0
    assert outcome(stats(one(end_time=None))).left_out == 1


def test_a_window_of_centuries_is_all_there_is():
    told = stats(one(), window=1e15)
    assert (told.count, told.since.year) == (1, 2020)


def test_what_cannot_be_read_is_counted_by_itself():
    told = stats(one(), unreadable=3)
    assert (told.count, told.unreadable) == (1, 3)


def test_percentiles_are_linear_and_stay_within_what_was_seen():
    assert percentiles([]) is None
    assert percentiles([7]) == Percentiles(count=1, p50=7, p90=7, p99=7)
    assert percentiles([0, 10]) == Percentiles(count=2, p50=5, p90=9, p99=9.9)
    assert percentiles(range(101)) == Percentiles(count=101, p50=50, p90=90, p99=99)


moments = st.none() | st.floats(min_value=-600, max_value=2 * DAY).map(ago)
remediations = st.builds(
    one,
    st.sampled_from(["SUCCEEDED", "FAILED", "CANCELLED", "AUTO_RESOLVED", "RUNNING", "PENDING_APPROVAL", "NEW"]),
    mode=st.sampled_from([REBOOT, VM_ONLY, "REMEDIATION_MODE_OF_TOMORROW"]),
    create_time=moments,
    review_time=moments,
    start_time=moments,
    end_time=moments,
    update_time=moments,
)
"""Remediations of any times, most of which cannot be right."""


@given(st.lists(remediations, max_size=30), st.randoms(use_true_random=False))
def test_whatever_the_times_are_everything_is_counted_once_and_no_length_is_invented(
    records: list[Remediation], order: random.Random
):
    told = stats(*records)
    for mode, of_mode in told.modes.items():
        assert of_mode.count == sum(each.count for each in of_mode.outcomes.values()) > 0
        assert of_mode.success_share is None or 0 <= of_mode.success_share <= 1
        for state, of_state in of_mode.outcomes.items():
            seen = [one for one in records if (one.mode, one.state) == (mode, state) and one.terminal]
            in_window = [one for one in seen if (one.end_time or one.update_time or NOW) >= told.since]
            assert of_state.count == len(in_window)
            lengths = [found for one in in_window if (found := phases(one, NOW)) is not None]
            assert of_state.left_out == len(in_window) - len(lengths)
            for name in ("approval", "queue", "repair", "total"):
                those = [found[name] for found in lengths if name in found]
                figures: Percentiles | None = getattr(of_state, name)
                assert (figures.count if figures else 0) == len(those)
                if figures:
                    in_order = [min(those), figures.p50, figures.p90, figures.p99, max(those)]
                    assert all(first <= then + 1e-3 for first, then in pairwise(in_order))
                    assert min(those) >= 0
    assert told.count == sum(each.count for each in told.modes.values())
    shuffled = list(records)
    order.shuffle(shuffled)
    assert stats(*shuffled) == told


@given(remediations)
def test_the_phases_of_a_repair_add_up_to_all_of_it(record: Remediation):
    lengths = phases(record, NOW)
    if lengths and "repair" in lengths:
        parts = lengths.get("approval", 0.0) + lengths["queue"] + lengths["repair"]
        assert parts == pytest.approx(lengths["total"], abs=1e-3)
