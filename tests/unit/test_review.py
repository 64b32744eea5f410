"""The review of a proposal: what may be declared, and the decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.review.rules.decision import Adopt, Gone, Refuse, Review, decide
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.review.rules.messages import details, reviewer
from pulumi_resource_togetherai.review.rules.outcome import problem
from pulumi_resource_togetherai.review.rules.state import State, output_names
from tests.unit.examples import NOW, record

PLAIN = {"clusterId": "c1", "instanceId": "i7", "remediationId": "r1", "decision": "APPROVE"}


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"decision": "APROVE"}, "decision", '"APROVE" is not one of APPROVE, REJECT; did you mean APPROVE?'),
        ({"decision": "REJECT", "mode": "VM_ONLY"}, "mode", "mode: is for APPROVE only"),
        ({"mode": "HOST_POWER_CYCLE"}, "mode", "HOST_POWER_CYCLE cannot be chosen when approving"),
        ({"mode": "VM_ONYL"}, "mode", "did you mean VM_ONLY?"),
        ({"expectedMode": "REBOOT"}, "expectedMode", "did you mean REBOOT_VM?"),
        ({"ifGone": "IGNORE"}, "ifGone", '"IGNORE" is not one of SUCCEED, FAIL'),
        ({"remediationId": "../x"}, "remediationId", "is not an id"),
        ({"expected": "VM_ONLY"}, "expected", "did you mean expectedMode?"),
        ({"node": "n"}, "node", "instanceId with remediationId and node: give one of them"),
        ({"node": "n", "instanceId": None}, "node", "instanceId with remediationId and node: give one of them"),
        ({"remediationId": None}, "remediationId", "remediationId is required"),
        (
            {"instanceId": None, "remediationId": None},
            "instanceId",
            "instanceId with remediationId or node is required",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path_and_the_remedy(changes: dict[str, Any], path: str, reason: str):
    (failure,) = check(ReviewInputs, PLAIN | changes).failures
    assert failure.property == path
    assert reason in failure.reason
    assert "\n" not in failure.reason


def proposed(state: str = "PENDING_APPROVAL", **changes: Any) -> Remediation:
    return record(state, trigger="REMEDIATION_TRIGGER_AUTOMATED", **changes)


APPROVED = {"reviewed_by": "ana", "review_time": NOW}


@pytest.mark.parametrize(
    ("declared", "found", "kind", "words"),
    [
        ({}, proposed(), Review, ""),
        ({"decision": "REJECT"}, proposed(), Review, ""),
        ({"expectedMode": "REBOOT_VM"}, proposed(), Review, ""),
        ({"expectedMode": "VM_ONLY"}, proposed(), Refuse, "its mode is REBOOT_VM now. Nothing was approved"),
        (
            {"expectedMode": "VM_ONLY", "decision": "REJECT"},
            proposed(),
            Refuse,
            "its mode is REBOOT_VM now. Nothing was rejected",
        ),
        ({}, proposed("RUNNING", **APPROVED), Adopt, "it was approved already by ana"),
        ({}, proposed("FAILED", **APPROVED), Adopt, "it was approved already by ana"),
        ({}, proposed("RUNNING", reviewed_by="ana"), Adopt, "it was approved already by ana"),
        ({}, proposed("RUNNING", review_time=NOW), Adopt, "it was approved already"),
        ({}, proposed("AUTO_RESOLVED", **APPROVED), Adopt, "it was approved already by ana"),
        ({"expectedMode": "REBOOT_VM"}, proposed("RUNNING", **APPROVED), Adopt, "it was approved already by ana"),
        ({"mode": "VM_ONLY"}, proposed("RUNNING", **APPROVED), Refuse, "but not as VM_ONLY"),
        ({"expectedMode": "VM_ONLY"}, proposed("RUNNING", **APPROVED), Refuse, "but not as VM_ONLY"),
        ({"decision": "REJECT"}, proposed("RUNNING", **APPROVED), Refuse, "was approved already by ana and is RUNNING"),
        (
            {},
            proposed("CANCELLED", **APPROVED, review_comment="no"),
            Refuse,
            "cancelled by ana (no) already",
        ),
        ({"decision": "REJECT"}, proposed("CANCELLED", **APPROVED), Adopt, "rejected or cancelled by ana already"),
        ({}, proposed("AUTO_RESOLVED"), Gone, "the fault went away by itself"),
        ({"ifGone": "FAIL"}, proposed("AUTO_RESOLVED"), Refuse, "`ifGone` is FAIL"),
        ({}, None, Gone, "the proposal has vanished"),
        ({"ifGone": "FAIL"}, None, Refuse, "the proposal has vanished, and `ifGone` is FAIL. Nothing was approved"),
        ({}, record("RUNNING", requested_by="bob"), Refuse, "started by bob, is not waiting for a review"),
    ],
)
def test_a_decision_is_made_once_and_never_against_another(
    declared: dict[str, Any], found: Remediation | None, kind: type, words: str
):
    choice = decide(ReviewInputs.model_validate(PLAIN | declared), found)
    assert isinstance(choice, kind)
    assert words in getattr(choice, "because", "")


def test_a_proposal_is_shown_with_what_speaks_for_it():
    alert = {"alert_name": "DmesgXidError", "annotation": {"summary_line": "Xid 79"}, "resolved_at": NOW}
    told = details(proposed(linked_alerts=[alert], reason="GPU lost", create_time=NOW - timedelta(minutes=3)), NOW)
    for part in (
        "(REBOOT_VM) of instance i7",
        "alert DmesgXidError: Xid 79, resolved",
        "reason: GPU lost",
        "proposed 3m ago",
    ):
        assert part in told


def test_a_proposal_is_shown_without_what_nobody_said_of_it():
    assert details(proposed(create_time=None), NOW) == messages.name(proposed())
    alerts = [{"alert_name": "DmesgXidError"}, {"alert_name": "Hot", "annotation": {"summary_line": "99 C"}}]
    told = details(proposed(linked_alerts=alerts, create_time=None), NOW)
    assert told == f"{messages.name(proposed())}; alert DmesgXidError; alert Hot: 99 C"


def test_a_review_whose_author_is_unknown_names_none():
    assert reviewer(proposed()) == ""
    assert reviewer(proposed(review_comment="no")) == " (no)"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (proposed("SUCCEEDED"), None),
        (proposed("AUTO_RESOLVED"), None),
        (proposed("FAILED", error_message="no spare"), "FAILED after 5m: no spare"),
        (proposed("FAILED"), "FAILED after 5m: no reason given"),
        (proposed("CANCELLED"), "was CANCELLED after 5m"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_review_is_complete_when_what_it_approved_has_ended_well(found: Remediation, words: str | None, kept: bool):
    said = problem(Watch(found.model_copy(update={"end_time": NOW}), Stop.ENDED), NOW, kept=kept)
    if words is None:
        assert said is None
    else:
        recorded = "The stack keeps the review as unfinished" if kept else "The stack keeps no record of the review"
        assert words in str(said).splitlines()[0]
        assert f"  {recorded}. It cannot be approved a second time" in str(said).splitlines()


def test_what_the_stack_records_of_a_review_is_read_as_it_was():
    for state in (
        State(ReviewInputs.model_validate(PLAIN), proposed("RUNNING", id="r1", **APPROVED), adopted=True),
        State(ReviewInputs.model_validate(PLAIN), None, gone=True),
    ):
        outputs = state.outputs()
        assert None not in outputs.values()
        assert set(outputs) <= {to_camel(name) for name in (*ReviewInputs.model_fields, *output_names())}
        assert State.recorded(outputs, PLAIN) == state
    assert State.recorded({}, PLAIN) == State(ReviewInputs.model_validate(PLAIN), None)
    assert not {"id", "cluster_id"}.intersection(output_names())


def test_a_mode_that_is_not_set_is_none_to_reject_with():
    assert ReviewInputs.model_validate(PLAIN | {"decision": "REJECT", "mode": None}).mode is None
