"""The decision before a POST."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Decision, Post, Recent, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from tests.unit.examples import NOW, URN, declared, identity, record

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def decided(
    history: list[Remediation],
    who: Identity | None = None,
    *,
    asked: bool = False,
    replaced: Remediation | None = None,
    withdrawn: Collection[str] = (),
    ending: Collection[str] = (),
    if_recent: IfRecent = IfRecent.WARN,
) -> Decision:
    intent = Intent(asked, State(declared(), replaced) if replaced else None)
    recent = Recent(if_recent, HOUR)
    return decide(who or identity(), history, now=NOW, intent=intent, recent=recent, withdrawn=withdrawn, ending=ending)


def ours(state: str, *, attempt: int = 1, ended: timedelta | None = None, who: Identity | None = None) -> Remediation:
    return record(state, ended=ended, id=f"server-{attempt}", reason=(who or identity()).marked_reason(attempt))


def test_a_node_without_remediations_gets_the_first_attempt():
    assert decided([]) == Post(1, identity().key(1), "no earlier attempt")


@pytest.mark.parametrize(
    "state", ["PENDING_APPROVAL", "PENDING", "QUARANTINING", "QUARANTINED", "RUNNING", "NEW_STATE"]
)
def test_our_own_active_remediation_is_taken_over(state: str):
    decision = decided([ours(state)])
    assert isinstance(decision, Adopt)
    assert decision.attempt == 1
    assert not decision.warns


def test_ours_is_known_by_its_id_as_well_as_by_its_marker():
    decision = decided([record("RUNNING", id=identity().key(3))])
    assert isinstance(decision, Adopt)
    assert decision.attempt == 3


@pytest.mark.parametrize("state", ["SUCCEEDED", "AUTO_RESOLVED"])
@pytest.mark.parametrize("ended", [MINUTE, 61 * MINUTE, 24 * 400 * HOUR], ids=str)
def test_ours_that_ended_well_is_taken_over_with_a_warning_whatever_its_age(state: str, ended: timedelta):
    decision = decided([ours(state, ended=ended)])
    assert isinstance(decision, Adopt)
    assert decision.warns
    assert "change `triggers`" in decision.because


@pytest.mark.parametrize("state", ["SUCCEEDED", "AUTO_RESOLVED", "FAILED", "CANCELLED", "TIMED_OUT"])
def test_whoever_asks_for_another_attempt_gets_one(state: str):
    decision = decided([ours(state, ended=MINUTE)], asked=True)
    assert isinstance(decision, Post)
    assert decision.attempt == 2


def test_an_active_one_is_taken_over_even_if_another_attempt_is_asked_for():
    assert isinstance(decided([ours("RUNNING")], asked=True), Adopt)


def test_what_was_declared_there_and_back_again_runs_again_and_is_counted_on():
    first, second = identity(mode="REBOOT_VM"), identity(mode="VM_ONLY")
    history = [
        ours("SUCCEEDED", attempt=2, ended=MINUTE, who=second),
        ours("SUCCEEDED", attempt=1, ended=2 * MINUTE, who=first),
    ]
    decision = decided(history, first)
    assert isinstance(decision, Post)
    assert decision.attempt == 3
    assert isinstance(decided(history, second), Adopt)


def test_an_end_that_this_version_does_not_know_is_reported_and_never_run_again():
    decision = decided([ours("TIMED_OUT", ended=MINUTE)], identity(retryFailed=True))
    assert isinstance(decision, Adopt)
    assert "TIMED_OUT and does not run again by itself" in decision.because


def test_what_an_earlier_declaration_has_under_way_is_like_anybody_elses():
    earlier = [ours("RUNNING", who=identity(triggers={"run": "1"}))]
    assert isinstance(decided(earlier), Refuse)
    beside = decided(earlier, identity(ifActive="CREATE"))
    assert isinstance(beside, Post)
    assert (beside.attempt, beside.because) == (2, "attempt 1 (server-1) is RUNNING")
    adopted = decided(earlier, identity(ifActive="ADOPT"))
    assert isinstance(adopted, Adopt)
    assert adopted.attempt is None


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_what_ends_first_is_counted_and_stands_in_nobodys_way(state: str):
    before = ours(state, who=identity(triggers={"run": "1"}))
    decision = decided([before], ending={before.id})
    assert isinstance(decision, Post)
    assert (decision.attempt, decision.because, decision.warning) == (2, "attempt 1 (server-1) ends first", "")


def test_what_has_to_run_again_because_it_ends_first_is_no_surprise():
    before = ours("PENDING")
    decision = decided([before], replaced=before, ending={before.id})
    assert isinstance(decision, Post)
    assert (decision.attempt, decision.warning) == (2, "")


@pytest.mark.parametrize("if_active", ["FAIL", "ADOPT", "CREATE"])
def test_a_proposal_stands_in_nobodys_way_and_is_named(if_active: str):
    decision = decided([record("PENDING_APPROVAL", id="proposal")], identity(ifActive=if_active))
    assert isinstance(decision, Post)
    assert "remediation proposal" in decision.warning


@pytest.mark.parametrize("proposal_first", [True, False])
def test_a_proposal_is_never_adopted_in_place_of_one_that_runs(proposal_first: bool):
    history = [record("PENDING_APPROVAL", id="proposal"), record("RUNNING", id="running")]
    decision = decided(history if proposal_first else history[::-1], identity(ifActive="ADOPT"))
    assert isinstance(decision, Adopt)
    assert decision.record.id == "running"


def test_with_adopt_one_that_has_just_ended_is_taken_over_and_nothing_runs():
    other, who = record("SUCCEEDED", id="other", ended=MINUTE), identity(ifActive="ADOPT")
    decision = decided([other], who)
    assert isinstance(decision, Adopt)
    assert (decision.attempt, decision.warns) == (None, True)
    assert isinstance(decided([other], who, if_recent=IfRecent.IGNORE), Post)
    assert isinstance(decided([record("SUCCEEDED", id="other", ended=2 * HOUR)], who), Post)
    of_another = other.model_copy(update={"reason": identity(URN.replace("prod", "dev")).marked_reason(1)})
    assert isinstance(decided([of_another], who), Adopt)
    of_this_program = other.model_copy(update={"reason": identity(URN + "-before").marked_reason(1)})
    assert isinstance(decided([of_this_program], who), Post), "it ran before on purpose"


def test_with_adopt_asking_for_another_does_not_give_the_one_just_ended():
    other, who = record("SUCCEEDED", id="other", ended=MINUTE), identity(ifActive="ADOPT")
    assert isinstance(decided([other], who, replaced=other), Post)
    assert isinstance(decided([other], who, asked=True), Post)
    assert isinstance(decided([other], who, replaced=record("SUCCEEDED", id="held")), Adopt)


def test_a_key_that_the_program_chose_serves_the_first_attempt_under_it():
    who = identity(idempotencyKey="incident-42")
    first = decided([ours("SUCCEEDED", attempt=1, ended=MINUTE)], who)
    assert isinstance(first, Post)
    assert (first.attempt, first.key) == (2, "incident-42")
    both = [ours("FAILED", attempt=2, ended=MINUTE, who=who), ours("SUCCEEDED", attempt=1, ended=MINUTE)]
    second = decided(both, who, asked=True)
    assert isinstance(second, Post)
    assert (second.attempt, second.key) == (3, who.key(3, again=True))
    assert second.key != "incident-42"


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
@pytest.mark.parametrize("ended", [MINUTE, 48 * HOUR])
def test_a_bad_end_outside_the_stack_is_reported_and_never_run_again(state: str, ended: timedelta):
    decision = decided([ours(state, ended=ended)])
    assert isinstance(decision, Adopt)
    assert decision.record.state == state


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
    decision = decided(history, withdrawn={"withdrawn"})
    assert isinstance(decision, Adopt)
    assert decision.record.state == "SUCCEEDED"


@pytest.mark.parametrize("begun_is_newer", [True, False])
def test_of_an_attempt_started_twice_the_later_is_taken_over_and_withdrawn(
    begun_is_newer: bool,
):
    """Whoever started it may have been killed: then nobody else withdraws it."""
    pending = ours("PENDING").model_copy(update={"id": "pending"})
    running = ours("RUNNING").model_copy(update={"id": "running"})
    decision = decided([running, pending] if begun_is_newer else [pending, running])
    assert isinstance(decision, Adopt)
    assert decision.record.id == "pending"


def test_an_attempt_number_is_never_used_twice():
    decision = decided([ours("FAILED", attempt=4, ended=MINUTE)], asked=True)
    assert isinstance(decision, Post)
    assert decision.attempt == 5


def test_somebody_elses_active_remediation_is_refused_with_the_ways_on():
    other = record("RUNNING", id="other", requested_by="sam@example.com")
    decision = decided([other])
    assert isinstance(decision, Refuse)
    for part in ("other", "RUNNING", "sam@example.com", "i7", "c1", "ifActive", "pulumi import"):
        assert part in decision.because


def test_a_program_that_names_a_node_is_not_told_to_import_a_declaration_of_an_instance():
    named = Identity(URN, declared().model_copy(update={"instance_id": None, "node": "gpu-worker-12"}))
    refused = decided([record("RUNNING")], who=named)
    assert isinstance(refused, Refuse)
    assert "set `ifActive` to ADOPT" in refused.because
    assert "pulumi import" not in refused.because


def test_somebody_elses_active_remediation_is_adopted_if_the_program_says_so():
    decision = decided([record("RUNNING", id="other")], identity(ifActive="ADOPT"))
    assert isinstance(decision, Adopt)
    assert decision.attempt is None


def test_somebody_elses_active_remediation_is_no_obstacle_if_the_program_says_so():
    assert isinstance(decided([record("RUNNING", id="other")], identity(ifActive="CREATE")), Post)


def test_somebody_elses_ended_remediation_does_not_matter():
    assert decided([record("SUCCEEDED", id="other", ended=MINUTE)]) == Post(1, identity().key(1), "no earlier attempt")


def test_a_change_of_triggers_makes_the_old_remediation_somebody_elses():
    assert isinstance(decided([ours("SUCCEEDED", ended=MINUTE)], identity(triggers={"run": "2"})), Post)


@pytest.mark.parametrize(("asked", "withdrawn"), [(True, ()), (False, {"server-1"})])
def test_what_was_withdrawn_runs_again_unasked_and_is_named_as_that(asked: bool, withdrawn: Collection[str]):
    decision = decided([ours("CANCELLED", ended=MINUTE)], asked=asked, withdrawn=withdrawn)
    what = "was withdrawn before it began" if withdrawn else "was CANCELLED"
    assert decision == Post(2, identity().key(2), f"attempt 1 (server-1) {what} 1m ago")


def test_only_a_successful_repair_of_this_declaration_is_warned_of_before_another():
    done = decided([ours("SUCCEEDED", ended=MINUTE)], asked=True)
    assert isinstance(done, Post)
    assert done.warning.endswith(
        "SUCCEEDED 1m ago; another attempt was asked for. If a `--replace` that was stopped has started server-1, run "
        "`pulumi refresh` instead"
    )
    for history in (
        [ours("FAILED", ended=MINUTE)],
        [ours("SUCCEEDED", ended=MINUTE, who=identity(mode="VM_ONLY"))],
    ):
        decision = decided(history, asked=True)
        assert isinstance(decision, Post)
        assert decision.warning == ""


def test_beside_one_that_runs_no_proposal_is_warned_of():
    decision = decided([record("RUNNING", id="other")], identity(ifActive="CREATE"))
    assert isinstance(decision, Post)
    assert decision.warning == ""


def test_an_idempotency_key_of_the_same_mode_is_this_resources_remediation():
    decision = decided([record("RUNNING", id="incident-42")], identity(idempotencyKey="incident-42"))
    assert isinstance(decision, Adopt)
    assert decision.attempt == 1


@pytest.mark.parametrize("key", ["incident-42", "3f0c6b7e-0000-4000-8000-00000000000a"])
def test_an_idempotency_key_of_another_mode_is_refused(key: str):
    who = identity(idempotencyKey=key)
    spelt = key.upper() if key != "incident-42" else key
    decision = decided([record("RUNNING", id=spelt, mode="REMEDIATION_MODE_VM_ONLY")], who)
    assert isinstance(decision, Refuse)
    assert "idempotencyKey" in decision.because
    assert "Nothing was posted" in decision.because
    beside = record("SUCCEEDED", id="other", ended=MINUTE, mode="REMEDIATION_MODE_VM_ONLY")
    assert isinstance(decided([beside], who), Post), "under another key"


def test_an_idempotency_key_of_another_declaration_is_refused_instead_of_sent_again():
    before, now = (identity(idempotencyKey="incident-42", triggers={"run": run}) for run in "12")
    used = record("SUCCEEDED", ended=MINUTE, id="incident-42", reason=before.marked_reason(1))
    decision = decided([used], now)
    assert isinstance(decision, Refuse)
    assert "the idempotency key incident-42 belongs to another remediation already" in decision.because
    assert "Choose another `idempotencyKey`" in decision.because
    taken_over = decided([used], before)
    assert isinstance(taken_over, Adopt)
    assert "change `idempotencyKey`" in taken_over.because
    again = decided([used], before, asked=True)
    assert isinstance(again, Post)
    assert again.key != "incident-42"
