"""What the end of a wait means for the resource, and what its user reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.rules.outcome import gave_way, problem
from tests.unit.examples import NOW, declared, record


def ended(state: str, **changes: Any) -> Remediation:
    return record(state, ended=timedelta(), **changes)


KEPT = "The stack keeps it as unfinished."
NOT_KEPT = "The stack keeps no record of it, but the next `pulumi up` finds it again by its key."
REPLACE = ", or run `pulumi up --replace` with this resource's URN"


@pytest.mark.parametrize(
    ("state", "bad"),
    [
        ("SUCCEEDED", False),
        ("AUTO_RESOLVED", False),
        ("FAILED", True),
        ("CANCELLED", True),
        ("TIMED_OUT", True),
    ],
)
def test_only_what_did_its_work_or_was_not_needed_ended_well(state: str, bad: bool):
    assert ended_badly(ended(state)) is bad
    assert not ended_badly(record("RUNNING"))
    assert (problem(Watch(ended(state), Stop.ENDED), declared(), NOW, kept=True) is not None) is bad
    assert problem(Watch(ended(state), Stop.ENDED), declared(acceptFailure=True), NOW, kept=True) is None


@pytest.mark.parametrize(
    ("found", "happened", "again"),
    [
        (ended("FAILED", error_message="no spare"), "FAILED after 5m: no spare. ", "`, or set `retryFailed: true`"),
        (ended("FAILED"), "FAILED after 5m: no reason given. ", "`, or set `retryFailed: true`"),
        (ended("CANCELLED"), "was CANCELLED after 5m. ", "`"),
        (
            ended("CANCELLED", reviewed_by="ana", review_comment="no"),
            "was CANCELLED by ana (no) after 5m. ",
            "`",
        ),
        (ended("TIMED_OUT"), "ended as TIMED_OUT after 5m, which this version", "`"),
        (ended("TIMED_OUT", error_message="odd"), "ended as TIMED_OUT (odd) after 5m, which this version", "`"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_bad_end_says_what_is_recorded_and_how_to_run_it_again(
    found: Remediation, happened: str, again: str, kept: bool
):
    said = problem(Watch(found, Stop.ENDED), declared(), NOW, kept=kept)
    assert said is not None
    assert said.startswith(f"{messages.name(found)} {happened}")
    assert said.endswith(
        f"{KEPT if kept else NOT_KEPT} It does not run again by itself. To run it again: change `triggers{again}"
        f"{REPLACE if kept else ''}. To drop it: remove it from the program."
    )


@pytest.mark.parametrize(
    ("stop", "happened"),
    [
        (Stop.TIMEOUT, "timed out waiting for "),
        (Stop.INTERRUPTED, "stopped waiting for "),
        (Stop.GONE, "the API no longer knows "),
        (Stop.NO_ACCESS, "can no longer see "),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_wait_without_an_end_is_a_problem_whatever_end_is_accepted(stop: Stop, happened: str, kept: bool):
    said = problem(Watch(record("RUNNING"), stop), declared(acceptFailure=True), NOW, kept=kept)
    assert said is not None
    assert said.startswith(f"{happened}{messages.name(record('RUNNING'))}")
    if stop is not Stop.GONE:
        assert said.endswith(f"{KEPT if kept else NOT_KEPT} `pulumi up` waits for it again and posts nothing.")


def test_what_gave_way_names_the_one_that_came_first_if_it_was_one():
    winner = record("RUNNING", id="winner")
    assert f"another remediation came first: {messages.whose(winner)}. {KEPT}" in gave_way(record("CANCELLED"), winner)
    assert f"because others came first. {KEPT}" in gave_way(record("CANCELLED"), None)


@pytest.mark.parametrize("kept", [True, False])
def test_who_lost_sight_of_one_is_sent_to_the_node_before_another_is_started(kept: bool):
    told = problem(Watch(record("RUNNING"), Stop.GONE), declared(), NOW, kept=kept)
    assert told is not None
    assert "last seen RUNNING. It may have ended, or still be under way: look at the node first." in told
    assert told.index("look at the node first") < told.index("`pulumi up` starts a new one")
    assert "by its key" not in told


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "ENDED_SOMEHOW"])
def test_a_key_of_the_programs_own_is_what_has_to_change(state: str):
    told = str(
        problem(
            Watch(record(state, ended=timedelta(minutes=1))), declared(idempotencyKey="incident-42"), NOW, kept=True
        )
    )
    assert "change `idempotencyKey`" in told
    assert "change `triggers`" not in told
