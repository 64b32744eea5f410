"""What is believed of a remediation that was seen before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.believe import believe, contradicts
from tests.unit.examples import NOW, record

UNSPECIFIED = "REMEDIATION_MODE_UNSPECIFIED"


def seen(state: str, updated: int | None = None, **changes: Any) -> Remediation:
    """A record that was updated so many seconds ago."""
    update_time = None if updated is None else NOW - timedelta(seconds=updated)
    return record(state, create_time=NOW, update_time=update_time, **changes)


def test_what_was_never_seen_is_believed():
    assert believe(None, seen("RUNNING")) == seen("RUNNING")


@pytest.mark.parametrize(
    ("known", "then", "believed"),
    [
        # An end is never taken back, nor replaced by another one.
        (seen("SUCCEEDED", 9), seen("RUNNING", 1), "SUCCEEDED"),
        (seen("SUCCEEDED", 9), seen("FAILED", 1), "SUCCEEDED"),
        (seen("RUNNING", 1), seen("SUCCEEDED", 9), "SUCCEEDED"),
        # The later update counts.
        (seen("RUNNING", 9), seen("PENDING", 1), "PENDING"),
        (seen("PENDING", 1), seen("RUNNING", 9), "PENDING"),
        # Without two times that differ, the later state counts.
        (seen("PENDING", 5), seen("RUNNING", 5), "RUNNING"),
        (seen("RUNNING", 5), seen("PENDING", 5), "RUNNING"),
        (seen("PENDING"), seen("RUNNING", 5), "RUNNING"),
        (seen("RUNNING", 5), seen("PENDING"), "RUNNING"),
        (seen("RUNNING"), seen("PENDING"), "RUNNING"),
        # A state that only a newer server knows has no place: the newer answer counts.
        (seen("RUNNING"), seen("POLISHING"), "POLISHING"),
        (seen("POLISHING"), seen("PENDING"), "PENDING"),
    ],
)
def test_of_two_answers_the_one_that_is_later_counts(known: Remediation, then: Remediation, believed: str):
    assert believe(known, then).state == believed


def test_a_field_that_is_gone_is_kept():
    known = seen("PENDING", 9, requested_by="ana", host_name="h1")
    assert believe(known, seen("RUNNING", 1, host_name="h2")) == seen("RUNNING", 1, requested_by="ana", host_name="h2")
    assert believe(seen("RUNNING", 1), seen("RUNNING", 1)) == seen("RUNNING", 1)


def test_an_older_answer_fills_in_only_what_it_may_know():
    known = seen("RUNNING", 1)
    assert believe(known, seen("RUNNING", 9, requested_by="ana")).requested_by == "ana"
    assert believe(known, seen("RUNNING", requested_by="ana")).requested_by == "ana"
    assert believe(seen("RUNNING"), seen("RUNNING", requested_by="ana")).requested_by == "ana"
    assert believe(known, seen("PENDING", 9, requested_by="ana")) == known, "of another state"
    assert believe(known, seen("RUNNING", 1, requested_by="ana")) == known, "of the same moment"


@pytest.mark.parametrize(
    "change", [{"id": "x"}, {"cluster_id": "x"}, {"instance_id": "x"}, {"mode": "REMEDIATION_MODE_X"}]
)
def test_an_answer_about_another_one_counts_for_nothing(change: dict[str, Any]):
    known, lie = seen("RUNNING", 9), seen("SUCCEEDED", 1, **change)
    assert contradicts(known, lie)
    assert believe(known, lie) == known


def test_only_a_proposals_mode_may_still_change():
    proposal, raised = seen("PENDING_APPROVAL", 9), seen("PENDING_APPROVAL", 1, mode="REMEDIATION_MODE_X")
    assert believe(proposal, raised) == raised
    assert believe(seen("PENDING", 9), raised) == seen("PENDING", 9)


def test_a_mode_that_an_answer_leaves_out_stays():
    said, unsaid = seen("PENDING", 9), seen("RUNNING", 1, mode=UNSPECIFIED)
    assert not contradicts(said, unsaid)
    assert believe(said, unsaid) == seen("RUNNING", 1)
    assert not contradicts(unsaid, said)
    assert believe(seen("PENDING", 9, mode=UNSPECIFIED), seen("RUNNING", 1)) == seen("RUNNING", 1)
