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


LINE = "\n  "
KEPT = "The stack keeps it as unfinished."
NOT_KEPT = "The stack keeps no record of it, but the next `pulumi up` finds it again by its key."
URN = "urn:pulumi:prod::training::togetherai:index:Remediation::fix"


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
        (ended("FAILED", error_message="no spare"), "FAILED after 5m: no spare", "set `retryFailed: true`, or "),
        (ended("FAILED"), "FAILED after 5m: no reason given", "set `retryFailed: true`, or "),
        (ended("CANCELLED"), "was CANCELLED after 5m", ""),
        (ended("CANCELLED", reviewed_by="ana", review_comment="no"), "was CANCELLED by ana (no) after 5m", ""),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_bad_end_says_what_and_why_what_is_recorded_and_then_a_way_a_line(
    found: Remediation, happened: str, again: str, kept: bool
):
    said = problem(Watch(found, Stop.ENDED), declared(), NOW, kept=kept, urn=URN)
    assert said == LINE.join(
        [
            f"REBOOT_VM of instance i7 {happened}",
            f"remediation {found.id} in cluster c1",
            f"{KEPT if kept else NOT_KEPT} It does not run again by itself",
            f"to run it again: {again}change `triggers`, and run `pulumi up`",
            *([f"or run it again now: pulumi up --replace '{URN}'"] if kept else []),
            "to drop it: remove it from the program",
        ]
    )


@pytest.mark.parametrize(("why", "named"), [(None, ""), ("odd", " (odd)")])
def test_an_end_that_this_version_does_not_know_may_be_a_good_one(why: str | None, named: str):
    said = str(problem(Watch(ended("TIMED_OUT", error_message=why), Stop.ENDED), declared(), NOW, kept=True, urn=URN))
    assert f" ended as TIMED_OUT{named} after 5m, which this version" in said
    assert "if the node is repaired: set `acceptFailure: true`" in said.splitlines()[3]


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
    assert said.startswith(f"{happened}{messages.repair(record('RUNNING'))}")
    if stop is not Stop.GONE:
        recorded = KEPT if kept else NOT_KEPT
        assert said.endswith(f"{recorded}{LINE}next: `pulumi up` waits for it again and posts nothing")


def test_what_gave_way_names_the_one_that_came_first_if_it_was_one():
    winner = record("RUNNING", id="winner")
    assert f"another remediation came first: {messages.whose(winner)}{LINE}" in gave_way(record("CANCELLED"), winner)
    assert f"because others came first{LINE}" in gave_way(record("CANCELLED"), None)


@pytest.mark.parametrize("kept", [True, False])
def test_who_lost_sight_of_one_is_sent_to_the_node_before_another_is_started(kept: bool):
    told = problem(Watch(record("RUNNING"), Stop.GONE), declared(), NOW, kept=kept)
    assert told is not None
    assert "It may have ended, or still be under way: look at the node first" in told
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
