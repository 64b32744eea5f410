"""What carries out a plan: which remediations are the component's, and which resources it declares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.marker import unmarked
from pulumi_resource_togetherai.config import IfRecent, ProviderConfig
from pulumi_resource_togetherai.remediation.rules.choose import choose
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Refuse
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.repair.children import REMEDIATION, REVIEW, Child, Component
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.repair.plan import Plan, Word, plan
from pulumi_resource_togetherai.repair.table import left_to_people, planned_nodes, table
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from tests.unit.examples import NOW, record
from tests.unit.test_plan import XID, active, cluster, ended, node, proposal

URN = "urn:pulumi:prod::training::togetherai:index:ClusterRepair::repair"
DOWN: dict[str, Any] = {"name": "down", "when": {"statuses": ["NotReady"]}, "modes": ["REBOOT_VM", "VM_ONLY"]}
LOST: dict[str, Any] = {"name": "lost", "when": {"xids": ["79"]}, "modes": ["HOST_POWER_CYCLE"]}


def component(*rules: dict[str, Any], urn: str = URN, **more: Any) -> Component:
    declared = {"clusterId": "c1", "rules": list(rules) or [DOWN]} | more
    return Component(urn, ClusterRepairInputs.model_validate(declared))


def planned(of: Component, *records: Remediation, status: str = "NotReady") -> Plan:
    nodes = cluster(node(status=status))
    return plan(nodes, records, of.inputs, of.is_ours, NOW, replaced=of.has_replaced)


def children(of: Component, *records: Remediation, status: str = "NotReady") -> list[Child]:
    return [child for _, declared in of.children(planned(of, *records, status=status)) for child in declared]


def started(child: Child, state: str = "RUNNING", **changes: Any) -> Remediation:
    """What a child has started, as the API tells of it."""
    urn = f"urn:pulumi:prod::training::togetherai:index:ClusterRepair$togetherai:index:Remediation::{child.name}"
    identity = Identity(urn, RemediationInputs.model_validate(child.inputs))
    reason = identity.marked_reason(1)
    return record(state, id=identity.key(1), instance_id="i1", mode=child.inputs["mode"], reason=reason, **changes)


def test_a_remediation_is_named_by_its_instance_and_tells_the_fault_by_what_ended_before():
    (child,) = children(component(), ended(60 * 30))

    assert (child.kind, child.name) == (REMEDIATION, "repair-i1")
    assert child.inputs["triggers"] == {"after": "ended-1800"}
    assert child.inputs["reason"] == "down: the first mode"
    assert [child.inputs[name] for name in ("ifActive", "ifRecent", "recentWindow")] == ["ADOPT", "FAIL", "30m"]
    assert "acceptFailure" not in child.inputs
    assert RemediationInputs.model_validate(child.inputs).instance_id == "i1"


@pytest.mark.parametrize("status", ["NotReady", "Ready"])
@pytest.mark.parametrize("rules", [[DOWN], [LOST]], ids=["as ever", "other rules"])
@pytest.mark.parametrize("paused", [False, True])
def test_what_is_under_way_keeps_its_resource_with_the_same_inputs(status: str, rules: Any, paused: bool):
    (child,) = children(component(), ended(60 * 30))
    own = started(child)

    (resumed,) = children(component(*rules, paused=paused), ended(60 * 30), own, status=status)

    assert resumed == child


@pytest.mark.parametrize(
    "seen",
    [
        {"create_time": None, "start_time": None},
        {"create_time": NOW - timedelta(days=9)},
        {"create_time": NOW + timedelta(days=9)},
    ],
    ids=["no times", "long ago", "to come"],
)
def test_what_is_under_way_keeps_its_inputs_whatever_the_times_say_and_whatever_has_ended_since(seen: dict[str, Any]):
    (child,) = children(component(), ended(60 * 30))
    own = started(child, **seen)
    lagging = ended(60 * 29, "CANCELLED")

    assert children(component(), lagging, ended(60 * 30), ended(60 * 40), own) == [child]


def test_what_is_under_way_and_bears_the_marker_of_nothing_that_is_listed_goes_on():
    (child,) = children(component(), ended(60 * 30))

    (resumed,) = children(component(), ended(60 * 40), started(child))

    assert resumed.inputs["triggers"] == {"after": "ended-2400"}


def test_the_next_fault_has_another_declaration():
    (first,) = children(component())
    (second,) = children(component(), started(first, "SUCCEEDED", ended=timedelta(hours=1)))

    assert second.name == first.name
    assert second.inputs["triggers"] == {"after": started(first).id}


@pytest.mark.parametrize("other", [URN.replace("prod", "dev"), URN.replace("::repair", "::other")])
def test_what_another_program_started_is_not_ours(other: str):
    (child,) = children(component(urn=other))
    theirs = started(child).model_copy(update={"reason": _reason_of(other, child)})

    assert component(urn=other).is_ours(theirs)
    assert not component().is_ours(theirs)
    assert not component().is_ours(active())


def _reason_of(component_urn: str, child: Child) -> str:
    stack, project, kinds, _ = component_urn.split("::")
    urn = f"{stack}::{project}::{kinds}$togetherai:index:Remediation::{child.name}"
    return Identity(urn, RemediationInputs.model_validate(child.inputs)).marked_reason(1)


@pytest.mark.parametrize(
    ("other", "decided"), [(URN.replace("prod", "dev"), Adopt), (URN.replace("::repair", "::other"), Refuse)]
)
@pytest.mark.parametrize("set_for_others", IfRecent)
def test_what_another_one_has_repaired_since_the_plan_was_made_is_not_repaired_once_more(
    other: str, decided: type, set_for_others: IfRecent
):
    (child,) = children(component())
    theirs = started(child, "SUCCEEDED", ended=timedelta(minutes=1)).model_copy(
        update={"id": "theirs", "reason": _reason_of(other, child)}
    )
    mine = Identity(URN.replace("::repair", f"::{child.name}"), RemediationInputs.model_validate(child.inputs))
    config = ProviderConfig(if_recent=set_for_others)

    assert isinstance(choose(mine, History([theirs], "i1"), now=NOW, config=config, intent=Intent()), decided)


def test_an_approval_is_recognized_by_its_comment_and_goes_on_with_the_same_inputs():
    of = component({"name": "xid", "when": {"alerts": ["DmesgXidError"]}})
    (child,) = children(of, proposal("REBOOT_VM", XID), status="Ready")

    assert (child.kind, child.name, child.inputs["decision"]) == (REVIEW, "repair-i1", "APPROVE")
    assert child.inputs["expectedMode"] == "REMEDIATION_MODE_REBOOT_VM"
    assert unmarked(child.inputs["comment"]) == "xid: it is proposed"
    assert ReviewInputs.model_validate(child.inputs).mode is None
    approved = proposal("REBOOT_VM", XID, state="RUNNING", review_comment=child.inputs["comment"], reviewed_by="ci")
    assert of.is_ours(approved)
    assert children(of, approved, status="Ready") == [child]
    assert not of.is_ours(approved.model_copy(update={"review_comment": "go ahead"}))


def test_a_proposal_is_approved_in_the_mode_that_the_ladder_wants():
    (child,) = children(component(DOWN), proposal("HOST_AWARE"))

    assert child.inputs["mode"] == "REMEDIATION_MODE_REBOOT_VM"
    assert child.inputs["expectedMode"] == "REMEDIATION_MODE_HOST_AWARE"


def test_a_proposal_is_rejected_before_another_mode_is_started_that_it_cannot_have():
    before, after = children(component(LOST), proposal("HOST_AWARE", XID), status="Ready")

    assert (before.kind, before.inputs["decision"]) == (REVIEW, "REJECT")
    assert (after.kind, after.inputs["mode"]) == (REMEDIATION, RemediationMode.HOST_POWER_CYCLE.value)
    assert after.inputs["triggers"] == {"after": "proposal"}


def test_a_run_that_was_killed_between_the_rejection_and_the_start_is_resumed():
    of, other = component(LOST), component(LOST, urn=URN.replace("prod", "dev"))
    before, after = children(of, proposal("HOST_AWARE", XID), status="Ready")
    rejected = proposal(
        "HOST_AWARE", XID, state="CANCELLED", end_time=NOW, reviewed_by="ci", review_comment=before.inputs["comment"]
    )

    (resumed,) = children(of, rejected, status="Ready")
    assert resumed.inputs | {"reason": ""} == after.inputs | {"reason": ""}
    assert children(other, rejected, status="Ready") == []


def test_a_rejection_that_made_room_for_nothing_is_not_resumed():
    (no,) = children(component({"name": "no", "action": "REJECT"}), proposal("HOST_AWARE", XID), status="Ready")
    rejected = proposal("HOST_AWARE", XID, state="CANCELLED", end_time=NOW, review_comment=no.inputs["comment"])

    assert children(component(LOST), rejected, status="Ready") == []


def test_a_component_that_is_paused_begins_nothing_and_says_what_it_would():
    of = component(paused=True)

    assert children(of) == []
    told = table(planned(of), "c1", paused=True)
    assert "paused: nothing of this is begun" in told
    assert "START" in told


def test_what_does_not_stop_on_failure_accepts_one():
    of = component({"name": "any", "when": {"proposed": True}}, DOWN, stopOnFailure=False)
    for records, kind in (([], REMEDIATION), ([proposal()], REVIEW)):
        (child,) = children(of, *records)
        assert (child.kind, child.inputs["acceptFailure"]) == (kind, True)


def test_no_text_of_a_child_changes_with_the_time():
    of = component()
    later = plan(cluster(node(status="NotReady")), [ended(60 * 25)], of.inputs, of.is_ours, NOW.replace(minute=30))

    assert of.children(later)[0][1] == children(of, ended(60 * 25))


def test_the_table_has_a_line_for_each_node_that_a_rule_fits():
    of = component(maxConcurrent=2)
    nodes = cluster(node(1, "NotReady"), node(2, "NotReady"), node(3), node(4), node(5, "NotReady"))
    tried = [ended(minutes, "FAILED", instance_id="i2") for minutes in (60, 120, 180)]
    rested = ended(10, instance_id="i5")
    made = plan(nodes, [*tried, rested], of.inputs, of.is_ours, NOW)

    assert table(made, "c1", paused=False).splitlines() == [
        "cluster c1: 5 nodes, 3 unhealthy, 0 under repair; 1 to begin with, 1 left to a person",
        "node    decision  mode       rule  because",
        "node-1  START     REBOOT_VM  down  the first mode",
        "node-2  PERSON               down  it was repaired 3 times within 24h, and `maxAttempts` is 3; the last one, "
        "remediation ended-60 (REBOOT_VM) of instance i2 in cluster c1, ended as FAILED",
        "node-5  WAIT                 down  remediation ended-10 (REBOOT_VM) of instance i5 in cluster c1 ended 10m "
        "ago, and `cooldown` is 30m, until 2026-11-23 03:20:00 UTC",
        "no rule fits 2 nodes: LEAVE",
    ]
    assert left_to_people(made) == ["node-2"]
    assert [(one.node, one.decision, one.until) for one in planned_nodes(made)] == [
        ("node-1", "START", None),
        ("node-2", "PERSON", None),
        ("node-5", "WAIT", "2026-11-23T03:20:00+00:00"),
    ]


def test_the_table_says_first_why_nothing_is_begun():
    told = table(planned(component(maxUnhealthy="0")), "c1", paused=True).splitlines()

    assert told[1].startswith("halted: 1 of 1 nodes are unhealthy")
    assert "START" not in "\n".join(told)


def test_a_node_without_any_problem_has_no_resource():
    of = component()

    assert children(of, status="Ready") == []
    assert planned(of, status="Ready").counts == {Word.LEAVE: 1}
