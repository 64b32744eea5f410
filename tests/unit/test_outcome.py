"""What the end of a wait means for the resource, and what the user is told to do next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pulumi_resource_togetherai.clusters.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.rules.outcome import problem
from tests.unit.examples import NOW, declared, record

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("kept", [True, False])
def test_who_lost_sight_of_one_is_sent_to_the_node_before_another_is_started(kept: bool):
    told = problem(Watch(record("RUNNING"), Stop.GONE), declared(), NOW, kept=kept)
    assert told is not None
    assert "last seen RUNNING. It may have ended, or still be under way: look at the node first." in told
    assert told.index("look at the node first") < told.index("`pulumi up` starts a new one")
    assert "by its key" not in told


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "ENDED_SOMEHOW"])
def test_what_ended_badly_says_what_to_change(state: str):
    watch = Watch(record(state, ended=MINUTE))
    assert "change `triggers`" in str(problem(watch, declared(), NOW, kept=True))


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "ENDED_SOMEHOW"])
def test_under_a_key_of_the_programs_own_it_is_the_key_that_has_to_change(state: str):
    told = str(problem(Watch(record(state, ended=MINUTE)), declared(idempotencyKey="incident-42"), NOW, kept=True))
    assert "change `idempotencyKey`" in told
    assert "change `triggers`" not in told


def test_a_bad_end_that_the_program_accepts_is_no_problem():
    assert problem(Watch(record("FAILED", ended=MINUTE)), declared(acceptFailure=True), NOW, kept=True) is None
