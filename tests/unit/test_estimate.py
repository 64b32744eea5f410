"""How long remediations of a cluster take, learned in passing, and what the waiting line says of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.estimate import Estimate, Estimates
from pulumi_resource_togetherai.clusters.messages import progress
from tests.unit.examples import NOW, record

REBOOT = RemediationMode.REBOOT_VM


def took(minutes: float, state: str = "SUCCEEDED", **changes: Any) -> Remediation:
    """A remediation that ended just now after so many minutes; or goes on for so long."""
    end = None if state in ("PENDING", "RUNNING") else NOW
    own: dict[str, Any] = {"id": f"{state}-{minutes}", "create_time": NOW - timedelta(minutes=minutes), "end_time": end}
    return record(state, **(own | changes))


def usual(*records: Remediation) -> Estimate | None:
    past = Estimates()
    past.note(records, NOW)
    return past.estimate(REBOOT)


def of(minutes: Iterable[float]) -> list[Remediation]:
    return [took(each) for each in minutes]


def test_of_ten_that_ended_nine_took_no_longer():
    assert usual(*of(range(1, 11))) == Estimate(within=9 * 60, ended=10)
    assert usual(*of(range(1, 101))) == Estimate(within=90 * 60, ended=100)


def test_nothing_is_said_of_fewer_than_ten():
    assert usual() is None
    assert usual(*of(range(1, 10))) is None


def test_a_failure_ends_too_and_what_was_cancelled_or_not_needed_tells_nothing():
    ended = of(range(1, 10))
    assert usual(*ended, took(10, "FAILED")) == Estimate(within=9 * 60, ended=10)
    assert usual(*ended, took(10, "CANCELLED")) is None
    assert usual(*ended, took(10, "AUTO_RESOLVED")) is None
    assert usual(*ended, took(10, "VANISHED")) is None


def test_each_mode_is_by_itself():
    assert usual(*of(range(1, 10)), took(10, mode="REMEDIATION_MODE_HOST_AWARE")) is None


def test_the_quickest_of_many_that_were_started_together_do_not_speak_for_the_others():
    started = [took(5, "RUNNING", id=str(number)) for number in range(40)]
    assert usual(*of(range(1, 6)), *of([2.5, 3.5, 4.5, 4.6, 4.7]), *started) is None


def test_what_goes_on_for_a_while_only_does_not_hold_back_what_is_known():
    assert usual(*of(range(1, 11)), *[took(0.5, "RUNNING", id=str(number)) for number in range(5)]) == Estimate(
        9 * 60, 10
    )


def test_what_goes_on_for_long_makes_the_estimate_longer():
    known = of(range(1, 21))
    assert usual(*known) == Estimate(18 * 60, 20)
    assert usual(*known, took(19.5, "RUNNING")) == Estimate(19 * 60, 20)


def test_what_waited_for_an_approval_counts_from_the_approval():
    hours: dict[str, Any] = {"create_time": NOW - timedelta(hours=9)}
    approved = [
        took(0, id=str(minutes), review_time=NOW - timedelta(minutes=minutes), **hours) for minutes in range(1, 11)
    ]
    assert usual(*approved) == Estimate(9 * 60, 10)
    assert usual(*of(range(1, 11)), took(0, "PENDING_APPROVAL", **hours, end_time=None)) == Estimate(9 * 60, 10)


@pytest.mark.parametrize(
    "times",
    [
        {"end_time": None},
        {"create_time": None},
        {"create_time": NOW + timedelta(seconds=1)},
        {"create_time": NOW - timedelta(days=31)},
    ],
    ids=["no end", "no start", "ended before it began", "long ago"],
)
def test_times_that_cannot_be_right_and_old_ones_do_not_count(times: dict[str, Any]):
    assert usual(*of(range(1, 10)), took(10, **times)) is None


def test_a_list_that_lags_behind_takes_no_end_back():
    past = Estimates()
    past.note(of(range(1, 11)), NOW)
    past.note([took(1, "RUNNING", id="SUCCEEDED-10")], NOW)
    assert past.estimate(REBOOT) == Estimate(9 * 60, 10)


def test_what_is_seen_later_changes_what_is_said():
    past = Estimates()
    past.note(of(range(1, 10)), NOW)
    assert past.estimate(REBOOT) is None
    past.note([took(10, "RUNNING", id="it")], NOW)
    assert past.estimate(REBOOT) is None
    past.note([took(11, id="it")], NOW)
    assert past.estimate(REBOOT) == Estimate(9 * 60, 10)


lengths = st.floats(min_value=1, max_value=10_000, allow_nan=False)


@given(ended=st.lists(lengths, max_size=60), going_on=st.lists(lengths, max_size=60))
def test_an_estimate_is_a_seen_length_no_shorter_than_without_running_ones(ended: list[float], going_on: list[float]):
    ends = [took(minutes, id=f"e{number}") for number, minutes in enumerate(ended)]
    others = [took(minutes, "RUNNING", id=f"r{number}") for number, minutes in enumerate(going_on)]
    alone, together = usual(*ends), usual(*others, *reversed(ends))
    if alone is None:
        assert len(ended) < 10
        assert together is None
        return
    seen = [(NOW - one.create_time).total_seconds() for one in ends if one.create_time]
    assert sum(length <= alone.within for length in seen) >= 0.9 * len(seen)
    assert sum(length < alone.within for length in seen) < 0.9 * len(seen)
    if together is not None:
        assert together.within in seen
        assert together.within >= alone.within


def test_the_waiting_line_says_how_long_those_of_the_mode_take():
    line = progress(took(4, "RUNNING"), NOW, Estimate(within=719.2, ended=23))
    assert line.startswith("RUNNING 4m of about 12m, REBOOT_VM ")
    assert line.endswith("; 9 in 10 of this cluster's REBOOT_VM end within 12m (23 seen)")


def test_the_waiting_line_of_what_was_approved_says_from_when_it_counts():
    line = progress(took(4, "RUNNING", review_time=NOW), NOW, Estimate(within=720, ended=23))
    assert line.startswith("RUNNING 4m, REBOOT_VM ")
    assert line.endswith("end within 12m of their approval (23 seen)")


@pytest.mark.parametrize("state", ["PENDING_APPROVAL", "SUCCEEDED"])
def test_the_line_of_a_proposal_or_an_ended_one_says_nothing(state: str):
    known = took(4, state)
    assert progress(known, NOW, Estimate(within=720, ended=23)) == progress(known, NOW)


def test_without_enough_history_the_line_is_as_ever():
    known = took(4, "RUNNING", id="05c4e32e-04b7", instance_name="node-3")
    assert progress(known, NOW) == "RUNNING 4m, REBOOT_VM node-3 (05c4e32e)"


def test_the_line_of_an_ended_one_keeps_outcome_and_time():
    known = took(4, "FAILED", id="05c4e32e-04b7", instance_name="node-3")
    assert progress(known, NOW) == "FAILED after 4m, REBOOT_VM node-3 (05c4e32e)"
