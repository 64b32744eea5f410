"""The decision before a POST."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from tests.unit.examples import NOW, identity, record

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def decided(history: list[Remediation], who: Identity | None = None, *, recorded: bool = False) -> Decision:
    return decide(who or identity(), history, now=NOW, window=HOUR, recorded=recorded)


def ours(state: str, *, attempt: int = 1, ended: timedelta | None = None, who: Identity | None = None) -> Remediation:
    return record(state, ended=ended, id=f"server-{attempt}", reason=(who or identity()).marked_reason(attempt))


def test_a_node_without_remediations_gets_the_first_attempt():
    assert decided([]) == Post(1, "no earlier attempt")


@pytest.mark.parametrize(
    "state", ["PENDING_APPROVAL", "PENDING", "QUARANTINING", "QUARANTINED", "RUNNING", "NEW_STATE"]
)
def test_our_own_active_remediation_is_taken_over(state: str):
    decision = decided([ours(state)])
    assert isinstance(decision, Adopt)
    assert decision.attempt == 1
    assert not decision.surprising


def test_ours_is_known_by_its_id_as_well_as_by_its_marker():
    decision = decided([record("RUNNING", id=identity().key(3))])
    assert isinstance(decision, Adopt)
    assert decision.attempt == 3


@pytest.mark.parametrize("state", ["SUCCEEDED", "AUTO_RESOLVED"])
def test_ours_that_just_ended_well_is_taken_over_with_a_warning(state: str):
    decision = decided([ours(state, ended=59 * MINUTE)])
    assert isinstance(decision, Adopt)
    assert decision.surprising
    assert "change `triggers`" in decision.because


def test_ours_that_ended_well_before_the_window_is_an_earlier_life():
    decision = decided([ours("SUCCEEDED", ended=61 * MINUTE)])
    assert isinstance(decision, Post)
    assert decision.attempt == 2


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
@pytest.mark.parametrize("ended", [MINUTE, 48 * HOUR])
def test_a_bad_end_that_the_stack_does_not_hold_is_reported_and_never_run_again(state: str, ended: timedelta):
    decision = decided([ours(state, ended=ended)])
    assert isinstance(decision, Adopt)
    assert decision.record.state == state


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_bad_end_that_the_stack_holds_is_tried_again_when_asked_to_create(state: str):
    decision = decided([ours(state, ended=MINUTE)], recorded=True)
    assert isinstance(decision, Post)
    assert decision.attempt == 2


def test_retry_failed_runs_a_failed_one_again_but_not_a_cancelled_one():
    who = identity(retryFailed=True)
    assert isinstance(decided([ours("FAILED", ended=MINUTE)], who), Post)
    assert isinstance(decided([ours("CANCELLED", ended=MINUTE)], who), Adopt)


def test_the_last_attempt_decides_in_whatever_order_the_server_lists_them():
    history = [ours("FAILED", attempt=1, ended=MINUTE), ours("SUCCEEDED", attempt=2, ended=2 * MINUTE)]
    decision = decided(history)
    assert isinstance(decision, Adopt)
    assert decision.attempt == 2


@pytest.mark.parametrize("withdrawn_is_newer", [True, False])
def test_of_one_attempt_that_was_started_twice_the_one_that_was_not_withdrawn_decides(withdrawn_is_newer: bool):
    withdrawn = ours("CANCELLED", ended=MINUTE).model_copy(update={"id": "withdrawn"})
    history = [withdrawn, ours("SUCCEEDED", ended=MINUTE)]
    if not withdrawn_is_newer:
        history.reverse()
    decision = decide(identity(), history, now=NOW, window=HOUR, recorded=False, withdrawn={"withdrawn"})
    assert isinstance(decision, Adopt)
    assert decision.record.state == "SUCCEEDED"


def test_an_attempt_number_is_never_used_twice():
    decision = decided([ours("FAILED", attempt=4, ended=MINUTE)], recorded=True)
    assert isinstance(decision, Post)
    assert decision.attempt == 5


def test_somebody_elses_active_remediation_is_refused_with_the_ways_on():
    other = record("RUNNING", id="other", requested_by="sam@example.com")
    decision = decided([other])
    assert isinstance(decision, Refuse)
    for part in ("other", "RUNNING", "sam@example.com", "i7", "c1", "ifActive", "pulumi import"):
        assert part in decision.because


def test_somebody_elses_active_remediation_is_adopted_if_the_program_says_so():
    decision = decided([record("RUNNING", id="other")], identity(ifActive="ADOPT"))
    assert isinstance(decision, Adopt)
    assert decision.attempt is None


def test_somebody_elses_active_remediation_is_no_obstacle_if_the_program_says_so():
    assert isinstance(decided([record("RUNNING", id="other")], identity(ifActive="CREATE")), Post)


def test_somebody_elses_ended_remediation_does_not_matter():
    assert decided([record("SUCCEEDED", id="other", ended=MINUTE)]) == Post(1, "no earlier attempt")


def test_a_change_of_triggers_makes_the_old_remediation_somebody_elses():
    assert isinstance(decided([ours("SUCCEEDED", ended=MINUTE)], identity(triggers={"run": "2"})), Post)


def test_an_idempotency_key_of_another_mode_is_refused():
    who = identity(idempotencyKey="incident-42")
    decision = decided([record("RUNNING", id="incident-42", mode="REMEDIATION_MODE_VM_ONLY")], who)
    assert isinstance(decision, Refuse)
    assert "idempotencyKey" in decision.because
