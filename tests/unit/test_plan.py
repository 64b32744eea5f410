"""What is to be done about each node of a cluster: a table of cases for each field, each limit and each word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.listed import Unreadable
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.repair.fits import like
from pulumi_resource_togetherai.repair.plan import Decision, Plan, Word, plan
from pulumi_resource_togetherai.repair.rules import Policy
from tests.unit.examples import NOW, record

OURS = "[pulumi ours]"
LADDER = ["REBOOT_VM", "VM_ONLY", "HOST_AWARE"]
DOWN: dict[str, Any] = {"name": "down", "when": {"statuses": ["NotReady"]}, "modes": LADDER}
PROPOSED: dict[str, Any] = {"name": "proposed", "when": {"proposed": True}}


def node(number: int = 1, status: str = "Ready", **changes: Any) -> dict[str, Any]:
    return {"node_id": f"node-{number}", "instance_id": f"i{number}", "status": status} | changes


def cluster(*nodes: dict[str, Any], deleted: Any = ()) -> Cluster:
    return Cluster.model_validate(
        {"cluster_id": "c1", "gpu_worker_nodes": list(nodes), "deleted_gpu_worker_nodes": list(deleted)}
    )


def ended(minutes: float, state: str = "SUCCEEDED", mode: str = "REBOOT_VM", **changes: Any) -> Remediation:
    """A remediation of node 1 that ended so many minutes ago."""
    made = dict[str, Any](id=f"ended-{minutes:g}", instance_id="i1", mode=f"REMEDIATION_MODE_{mode}")
    made["ended"] = timedelta(minutes=minutes)
    return record(state, **(made | changes))


def proposal(mode: str = "REBOOT_VM", *alerts: dict[str, Any], **changes: Any) -> Remediation:
    """A proposal of the platform's for node 1."""
    made: dict[str, Any] = {"id": "proposal", "instance_id": "i1", "mode": f"REMEDIATION_MODE_{mode}"}
    made |= {"state": "PENDING_APPROVAL", "linked_alerts": list(alerts)}
    return record(**(made | changes))


def active(state: str = "RUNNING", **changes: Any) -> Remediation:
    """A remediation of node 1 that is under way."""
    return record(state, **(dict[str, Any](id="active", instance_id="i1") | changes))


def mine(**changes: Any) -> Remediation:
    return active(**({"id": "mine", "reason": OURS} | changes))


def planned(
    *rules: dict[str, Any],
    of: Cluster | None = None,
    records: Any = (),
    now: datetime = NOW,
    unreadable: Any = (),
    **limits: Any,
) -> Plan:
    policy = Policy.model_validate({"rules": list(rules) or [DOWN]} | limits)
    return plan(
        of or cluster(node(status="NotReady")),
        records,
        policy,
        lambda one: one.reason == OURS,
        now,
        replaced=lambda one: one.review_comment == OURS,
        unreadable=unreadable,
    )


def decided(*rules: dict[str, Any], **given: Any) -> Decision:
    """The one decision."""
    (decision,) = planned(*rules, **given).decisions
    return decision


# Which nodes a rule fits.

XID = {
    "alert_name": "DmesgXidError",
    "severity": "PHC_SEVERITY_WARNING",
    "annotation": {"xid": {"events": [{"xid_code": "94"}, {"xid_code": "79"}]}},
}
DRAINED = {
    "alert_name": "SlurmNodeUnavailable",
    "annotation": {"slurm_node_unavailable": {"reason": "Health check: nvidia-smi timed out"}},
}
HEATED = {"alert_name": "SmClockThermalThrottle", "severity": "PHC_SEVERITY_CRITICAL"}
RESOLVED = XID | {"resolved_at": NOW.isoformat()}


@pytest.mark.parametrize(
    ("when", "alerts", "fits"),
    [
        ({"alerts": ["DmesgXidError"]}, [XID], True),
        ({"alerts": ["Other", "DmesgXidError"]}, [XID], True),
        ({"alerts": ["Other"]}, [XID], False),
        ({"alerts": ["DmesgXidError"]}, [], False),
        ({"alerts": ["DmesgXidError"]}, [RESOLVED], False),
        ({"alerts": ["DmesgXidError"]}, [RESOLVED, XID], True),
        ({"xids": ["79"]}, [XID], True),
        ({"xids": ["48"]}, [XID], False),
        ({"xids": ["79"]}, [DRAINED, HEATED], False),
        ({"slurmReasons": ["health check:*"]}, [DRAINED], True),
        ({"slurmReasons": ["health check"]}, [DRAINED], False),
        ({"slurmReasons": ["*"]}, [XID], False),
        ({"severity": "WARNING"}, [XID], True),
        ({"severity": "CRITICAL"}, [XID], False),
        ({"severity": "WARNING"}, [HEATED], True),
        ({"severity": "INFO"}, [DRAINED], False),
        ({"severity": "INFO"}, [XID | {"severity": "PHC_SEVERITY_DIRE"}], False),
        ({"severity": "INFO"}, [], False),
        ({"alerts": ["Other"], "xids": ["79"]}, [XID], True),
        ({"alerts": ["DmesgXidError"], "xids": ["48"]}, [XID], True),
        ({"alerts": ["Other"], "slurmReasons": ["*nvidia-smi*"]}, [DRAINED], True),
        ({"alerts": ["Other"], "xids": ["48"], "slurmReasons": ["no"]}, [XID, DRAINED], False),
        ({"alerts": ["DmesgXidError"], "severity": "CRITICAL"}, [XID, HEATED], False),
        ({"alerts": ["DmesgXidError"], "severity": "WARNING"}, [XID, HEATED], True),
        ({"alerts": ["DmesgXidError"], "proposedModes": ["VM_ONLY"]}, [XID], False),
        ({"alerts": ["DmesgXidError"], "statuses": ["NotReady"]}, [XID], False),
        ({"alerts": ["DmesgXidError"], "statuses": ["Ready"]}, [XID], True),
    ],
)
def test_a_rule_fits_the_fault_that_a_proposal_names(when: dict[str, Any], alerts: Any, fits: bool):
    decision = decided(
        {"name": "fault", "when": when, "modes": LADDER},
        of=cluster(node()),
        records=[proposal("REBOOT_VM", *alerts)],
    )

    assert (decision.word, decision.rule) == ((Word.APPROVE, "fault") if fits else (Word.LEAVE, ""))


def test_the_alerts_of_what_has_ended_are_no_fault():
    past = ended(60, "FAILED", linked_alerts=[XID])

    assert decided({"name": "x", "when": {"xids": [79]}, "modes": LADDER}, records=[past]).word is Word.LEAVE


@pytest.mark.parametrize(
    ("when", "records", "fits"),
    [
        ({"proposed": True}, [proposal()], True),
        ({"proposed": True}, [], False),
        ({"proposed": False, "statuses": ["NotReady"]}, [], True),
        ({"proposed": False, "statuses": ["NotReady"]}, [proposal()], False),
        ({"proposedModes": ["REBOOT_VM", "VM_ONLY"]}, [proposal()], True),
        ({"proposedModes": ["VM_ONLY"]}, [proposal()], False),
        ({"proposedModes": ["VM_ONLY"]}, [], False),
        ({"lastOutcome": ["FAILED"]}, [ended(60, "FAILED"), ended(90)], True),
        ({"lastOutcome": ["FAILED"]}, [ended(60), ended(90, "FAILED")], False),
        ({"lastOutcome": ["FAILED"]}, [], False),
        ({"lastOutcome": ["SUCCEEDED"], "statuses": ["NotReady"]}, [ended(60)], True),
        ({"statuses": ["not_ready"]}, [], True),
        ({"statuses": ["Failed", "NotReady"]}, [], True),
        ({"statuses": ["Failed"]}, [], False),
    ],
)
def test_a_rule_fits_what_else_it_names(when: dict[str, Any], records: Any, fits: bool):
    decision = decided({"name": "it", "when": when, "modes": LADDER}, records=records)

    assert (decision.word in (Word.APPROVE, Word.START)) is fits
    assert decision.rule == ("it" if fits else "")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("kill task failed", "Kill task failed ", True),
        ("kill*", "Kill task failed", True),
        ("*FAILED", "Kill task failed", True),
        ("*task*", "Kill task failed", True),
        ("k*l*t*k*d", "Kill task failed", True),
        ("*", "", True),
        ("", "", True),
        ("kill", "Kill task failed", False),
        ("*task", "Kill task failed", False),
        ("kill*task*task", "Kill task failed", False),
        ("a*a", "a", False),
        ("a*", "a\nb", True),
        ("gpu [0-9]?", "gpu 7", False),
        ("gpu [0-9]?", "gpu [0-9]?", True),
        ("*a*b*c", "xaxbxaxcxc", True),
    ],
)
def test_a_star_stands_for_any_text_and_nothing_else_does(pattern: str, text: str, fits: bool):
    assert like(pattern, text) is fits


def test_a_pattern_of_many_stars_is_not_slow_on_a_long_text():
    assert not like("*a" * 200 + "b", "a" * 20_000)


def test_a_rule_about_no_status_does_not_fit_a_node_without_one():
    assert decided(DOWN | {"when": {"statuses": ["-"]}}, of=cluster(node(status=""))).word is Word.LEAVE


# For how long a node has been unhealthy.


def failed(minutes: float, phase: str = "NODE_PHASE_FAILED", status: str = "Failed") -> Cluster:
    transitions = [{"phase": phase, "transition_time": (NOW - timedelta(minutes=minutes)).isoformat()}]
    return cluster(node(status=status, phase_transitions=transitions))


LONG: dict[str, Any] = {"name": "long", "when": {"unhealthyFor": "15m"}, "modes": ["REBOOT_VM"]}


@pytest.mark.parametrize("minutes", [15, 16, 1000])
def test_a_node_that_has_been_unhealthy_for_long_enough_is_repaired(minutes: int):
    assert decided(LONG, of=failed(minutes)).word is Word.START


def test_a_node_that_has_not_been_unhealthy_for_long_enough_waits_until_it_has():
    soon = LONG | {"name": "soon", "when": {"unhealthyFor": "10m"}}
    decision = decided(LONG, soon, of=failed(5))

    assert (decision.word, decision.rule, decision.until) == (Word.WAIT, "soon", NOW + timedelta(minutes=5))


def test_a_later_rule_may_decide_before_an_earlier_ones_time_has_come():
    assert decided(LONG, {"name": "rest", "action": "LEAVE"}, of=failed(5)).rule == "rest"


def test_unhealthy_alone_means_a_status_that_says_so_and_with_statuses_it_means_those():
    booting = failed(60, "NODE_PHASE_BOOTING", "Booting")
    stuck = LONG | {"when": {"statuses": ["Booting"], "unhealthyFor": "1h"}}

    assert decided(LONG, of=booting).word is Word.LEAVE
    assert decided(stuck, of=booting).word is Word.START


def test_it_is_a_persons_turn_where_the_phases_do_not_say_since_when():
    decision = decided(LONG, of=failed(1000, "NODE_PHASE_RUNNING", "NotReady"))

    assert (decision.word, decision.rule) == (Word.PERSON, "long")
    assert decision.because.startswith("its status is NotReady, and its phases do not say since when")
    assert decided(LONG, LONG | {"name": "longer"}, of=failed(1, "NODE_PHASE_RUNNING", "NotReady")).rule == "long"


# What a rule that fits decides.


def test_the_first_rule_that_fits_decides():
    first, second = DOWN | {"name": "first", "modes": ["VM_ONLY"]}, DOWN | {"name": "second"}
    decision = decided(LONG, first, second)

    assert (decision.rule, decision.mode) == ("first", RemediationMode.VM_ONLY)


def test_no_rule_is_a_reason_to_leave_a_node():
    decision = decided(DOWN, of=cluster(node()))

    assert (decision.word, decision.rule, decision.because) == (Word.LEAVE, "", "no rule fits")


def test_a_rule_may_leave_a_node():
    decision = decided({"name": "rest", "action": "LEAVE"}, DOWN)

    assert (decision.word, decision.rule) == (Word.LEAVE, "rest")


def test_a_rule_may_reject_a_proposal_and_leaves_a_node_without_one():
    rejects = {"name": "no", "action": "REJECT"}
    rejected = decided(rejects, records=[proposal()])

    assert (rejected.word, rejected.rule, rejected.record and rejected.record.id) == (Word.REJECT, "no", "proposal")
    assert decided(rejects).word is Word.LEAVE


def test_a_remediation_is_started_where_none_is_proposed():
    decision = decided(DOWN)

    assert (decision.word, decision.instance_id, decision.mode) == (Word.START, "i1", RemediationMode.REBOOT_VM)
    assert (decision.record, decision.after) == (None, "")


def test_a_proposal_that_fits_is_approved_and_not_doubled():
    decision = decided(DOWN, records=[proposal("REBOOT_VM")])

    assert (decision.word, decision.mode) == (Word.APPROVE, RemediationMode.REBOOT_VM)
    assert decision.record is not None
    assert (decision.record.id, decision.record.mode) == ("proposal", RemediationMode.REBOOT_VM)


@pytest.mark.parametrize("mode", RemediationMode)
def test_without_modes_a_proposal_is_approved_in_the_mode_that_is_proposed(mode: RemediationMode):
    decision = decided(PROPOSED, records=[proposal(mode.short)])

    assert (decision.word, decision.mode) == (Word.APPROVE, mode)


def test_a_proposal_is_approved_in_the_mode_that_the_ladder_wants():
    decision = decided(DOWN | {"modes": ["VM_ONLY"]}, records=[proposal("HOST_AWARE")])

    assert (decision.word, decision.mode) == (Word.APPROVE, RemediationMode.VM_ONLY)
    assert decision.record is not None
    assert decision.record.mode is RemediationMode.HOST_AWARE
    assert decision.because == "the first mode; HOST_AWARE is proposed"


def test_a_proposal_is_rejected_and_replaced_where_the_api_does_not_let_it_be_approved_in_that_mode():
    cycle = DOWN | {"modes": ["HOST_POWER_CYCLE"]}
    replaced = decided(cycle, records=[proposal("REBOOT_VM"), ended(60)])
    same = decided(cycle, records=[proposal("HOST_POWER_CYCLE")])

    assert (replaced.word, replaced.mode) == (Word.START, RemediationMode.HOST_POWER_CYCLE)
    assert (replaced.record and replaced.record.id, replaced.after) == ("proposal", "proposal")
    assert (same.word, same.mode) == (Word.APPROVE, RemediationMode.HOST_POWER_CYCLE)


def test_the_latest_of_several_proposals_counts():
    earlier = proposal("VM_ONLY", id="earlier", create_time=NOW - timedelta(hours=1))

    assert decided(PROPOSED, records=[earlier, proposal()]).mode is RemediationMode.REBOOT_VM


def test_a_proposal_for_an_earlier_instance_of_the_node_is_neither_a_fault_nor_approved():
    of = cluster(node(), deleted=[{"node_id": "node-1", "instance_id": "i0"}])
    made = planned(PROPOSED, of=of, records=[proposal(instance_id="i0")])

    assert (made.counts, made.unhealthy) == ({Word.LEAVE: 1}, 0)


# The ladder.


@pytest.mark.parametrize(
    ("records", "mode"),
    [
        ([], "REBOOT_VM"),
        ([ended(60)], "VM_ONLY"),
        ([ended(60, "FAILED")], "VM_ONLY"),
        ([ended(60, "SOMETHING_NEW")], "VM_ONLY"),
        ([ended(60, mode="VM_ONLY")], "HOST_AWARE"),
        ([ended(60), ended(90, mode="VM_ONLY")], "HOST_AWARE"),
        ([ended(60, mode="HOST_AWARE")], "HOST_AWARE"),
        ([ended(60, mode="HOST_POWER_CYCLE")], "REBOOT_VM"),
        ([ended(60, "CANCELLED")], "REBOOT_VM"),
        ([ended(60, "CANCELLED", start_time=NOW - timedelta(minutes=62))], "VM_ONLY"),
        ([ended(60, "AUTO_RESOLVED")], "REBOOT_VM"),
        ([ended(24 * 60)], "VM_ONLY"),
        ([ended(24 * 60 + 1)], "REBOOT_VM"),
        ([ended(60, instance_id="another")], "REBOOT_VM"),
    ],
)
def test_the_ladder_goes_on_where_the_node_comes_back_within_its_time(records: Any, mode: str):
    decision = decided(DOWN, records=records)

    assert (decision.word, decision.mode and decision.mode.short) == (Word.START, mode)


def test_what_was_done_to_an_earlier_instance_of_the_node_counts():
    gone = {"node_id": "node-1", "instance_id": "i0"}
    decision = decided(DOWN, of=cluster(node(status="NotReady"), deleted=[gone]), records=[ended(60, instance_id="i0")])

    assert (decision.mode, decision.after, decision.instance_id) == (RemediationMode.VM_ONLY, "ended-60", "i1")


def test_a_reason_names_the_step_of_the_ladder():
    assert decided(DOWN).because == "the first mode"
    assert decided(DOWN, records=[ended(60)]).because == ("the mode after REBOOT_VM, which was tried within 24h")
    assert decided(DOWN, records=[ended(60, mode="HOST_AWARE")]).because == (
        "the last mode once more, which was tried within 24h"
    )


# Limits of a node.


def test_after_so_many_attempts_it_is_a_persons_turn():
    tried = [ended(60, "FAILED", "HOST_AWARE"), ended(120), ended(180)]
    decision = decided(DOWN, records=tried)

    assert (decision.word, decision.rule) == (Word.PERSON, "down")
    assert decision.because.startswith("it was repaired 3 times within 24h, and `maxAttempts` is 3; the last one,")
    assert "ended as FAILED" in decision.because
    assert decided(DOWN, records=tried, maxAttempts=4).word is Word.START
    assert decided(DOWN | {"within": "2h"}, records=tried).word is Word.START


def test_what_was_never_begun_is_no_attempt():
    assert decided(DOWN, records=[ended(60, "CANCELLED"), ended(90, "AUTO_RESOLVED")], maxAttempts=1).word is Word.START


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "SOMETHING_NEW"])
def test_a_node_rests_after_a_remediation(state: str):
    resting = decided(DOWN, records=[ended(29, state)])

    assert (resting.word, resting.rule, resting.until) == (Word.WAIT, "down", NOW + timedelta(minutes=1))
    assert "ended 29m ago, and `cooldown` is 30m" in resting.because
    assert decided(DOWN, records=[ended(30, state)]).word is Word.START
    assert decided(DOWN, records=[ended(30, state)], cooldown="31m").word is Word.WAIT


def test_a_node_does_not_rest_after_a_fault_that_went_away_by_itself():
    assert decided(DOWN, records=[ended(1, "AUTO_RESOLVED")]).word is Word.START


def test_a_proposal_waits_while_the_node_rests():
    assert decided(PROPOSED, records=[ended(1), proposal()]).word is Word.WAIT


def test_it_is_a_persons_turn_where_the_api_does_not_say_when_a_remediation_ended():
    timeless = record("FAILED", instance_id="i1", create_time=None)

    assert decided(DOWN, records=[timeless]).word is Word.PERSON


def test_a_remediation_without_an_end_time_ended_when_it_was_last_heard_of():
    assert decided(DOWN, records=[ended(1, end_time=None, update_time=NOW - timedelta(minutes=10))]).until == (
        NOW + timedelta(minutes=20)
    )


def test_it_is_a_persons_turn_where_there_is_no_instance():
    decision = decided(DOWN, of=cluster(node(status="Failed", instance_id=None)), records=[])

    assert decision.word is Word.LEAVE
    decision = decided(DOWN, of=cluster(node(status="NotReady", instance_id=None)))
    assert (decision.word, decision.instance_id) == (Word.PERSON, "")


def test_a_mode_that_this_version_does_not_know_is_not_approved_unless_the_rule_gives_another():
    new = proposal("SWAP_GPU")

    assert decided(PROPOSED, records=[new]).word is Word.PERSON
    assert decided(DOWN, records=[new]).mode is RemediationMode.REBOOT_VM


# What is under way.


@pytest.mark.parametrize("state", ["PENDING", "QUARANTINING", "QUARANTINED", "RUNNING", "SOMETHING_NEW"])
def test_a_node_that_somebody_repairs_waits(state: str):
    decision = decided(DOWN, records=[active(state), proposal()])

    assert decision.word is Word.WAIT
    assert "is under way" in decision.because


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rules": [{"name": "rest", "action": "LEAVE"}]},
        {"exclude": ["node-1"]},
        {"nodes": ["node-2"]},
        {"maxUnhealthy": "0"},
        {"exclude": ["nobody"]},
    ],
    ids=["as ever", "left", "excluded", "others only", "too many unhealthy", "unclear"],
)
@pytest.mark.parametrize("state", ["PENDING_APPROVAL", "PENDING", "RUNNING", "SOMETHING_NEW"])
def test_ours_goes_on_whatever_the_policy_says(state: str, changes: dict[str, Any]):
    records = [mine(state=state), ended(10)]
    decision = decided(*changes.get("rules", ()), records=records, **{k: v for k, v in changes.items() if k != "rules"})

    assert (decision.word, decision.instance_id, decision.mode) == (Word.CONTINUE, "i1", RemediationMode.REBOOT_VM)
    assert decision.record is not None
    assert (decision.record.id, decision.after) == ("mine", "ended-10")


def test_ours_goes_on_on_a_node_that_is_healthy_marked_or_not_listed():
    other, marked = node(2), node(status="Ready", marked_for_deletion=True)
    for listed in (cluster(node(), other), cluster(marked, other), cluster(other)):
        first = next(one for one in planned(of=listed, records=[mine()]).decisions if one.instance_id == "i1")
        assert first.word is Word.CONTINUE


def test_ours_goes_on_once_where_it_may_be_of_two_nodes():
    gone = [node(1, instance_id="i0"), node(2, instance_id="i0")]
    made = planned(of=cluster(node(1, "NotReady"), node(2, "NotReady"), deleted=gone), records=[mine(instance_id="i0")])

    assert [decision.word for decision in made.decisions] == [Word.CONTINUE, Word.WAIT]
    assert made.decisions[1].because.endswith("is under way, of this node or of node-1")


def test_ours_keeps_its_place_in_the_history_when_another_remediation_ends_beside_it():
    before, beside = ended(60), ended(1, "CANCELLED")
    own = mine(create_time=NOW - timedelta(minutes=5))

    assert decided(DOWN, records=[before, beside, own]).after == "ended-60"


@pytest.mark.parametrize("begun", [None, NOW - timedelta(minutes=4)])
def test_ours_names_all_that_has_ended_where_the_api_does_not_say_when_it_was_created(begun: datetime | None):
    own = mine(create_time=None, start_time=begun)
    decision = decided(DOWN, records=[ended(60), ended(1, "CANCELLED"), own])

    assert decision.after == ("ended-1" if begun is None else "ended-60")
    assert decision.ended == ("ended-1", "ended-60")


def test_what_replaces_a_proposal_has_the_same_place_before_and_after_the_proposal_is_rejected():
    cycle = DOWN | {"modes": ["HOST_POWER_CYCLE"]}
    planned_ = decided(cycle, records=[proposal(), ended(60)])
    rejected = proposal(state="CANCELLED", end_time=NOW)
    resumed = decided(cycle, records=[rejected, ended(60), mine(create_time=NOW + timedelta(seconds=1))])

    assert planned_.after == resumed.after == "proposal"


@pytest.mark.parametrize(
    ("rule", "minutes", "word"),
    [
        ({"modes": ["HOST_POWER_CYCLE"]}, 0, Word.START),
        ({"modes": ["HOST_POWER_CYCLE"]}, 29, Word.START),
        ({"modes": ["HOST_POWER_CYCLE"]}, 30, Word.LEAVE),
        ({"modes": ["VM_ONLY"]}, 0, Word.LEAVE),
        ({"action": "REJECT"}, 0, Word.LEAVE),
        ({"action": "LEAVE"}, 0, Word.LEAVE),
    ],
)
def test_a_run_that_was_killed_after_the_rejection_is_resumed_with_what_it_was_for(
    rule: dict[str, Any], minutes: int, word: Word
):
    lost = {"name": "lost", "when": {"xids": ["79"]}} | rule
    end = NOW - timedelta(minutes=minutes)
    rejected = proposal("HOST_AWARE", XID, state="CANCELLED", create_time=end, end_time=end, review_comment=OURS)
    decision = decided(lost, of=cluster(node()), records=[rejected, ended(60)])

    assert decision.word is word
    if word is Word.START:
        before = decided(lost, of=cluster(node()), records=[proposal("HOST_AWARE", XID), ended(60)])
        assert (decision.mode, decision.after) == (before.mode, before.after)
        assert decision.record is None


@pytest.mark.parametrize(
    "since",
    [
        ended(1, "CANCELLED"),
        active("PENDING"),
        proposal(review_comment="no", state="CANCELLED", end_time=NOW, id="later"),
    ],
    ids=["withdrawn", "under way", "rejected by a person"],
)
def test_a_rejection_after_which_something_came_is_not_resumed(since: Remediation):
    cycle = {"name": "lost", "when": {"xids": ["79"]}, "modes": ["HOST_POWER_CYCLE"]}
    end = NOW - timedelta(minutes=5)
    rejected = proposal("HOST_AWARE", XID, state="CANCELLED", create_time=end, end_time=end, review_comment=OURS)

    assert decided(cycle, of=cluster(node()), records=[rejected, since]).word is not Word.START


# What cannot be read.

ODD = Unreadable("i1", "id: it is missing")


@pytest.mark.parametrize("rule", [DOWN, PROPOSED, {"name": "no", "when": {"proposed": True}, "action": "REJECT"}])
def test_a_node_with_a_remediation_that_cannot_be_read_is_left_to_a_person_and_named(rule: dict[str, Any]):
    records = [] if rule is DOWN else [proposal()]
    made = planned(rule, of=cluster(node(status="NotReady"), node(2)), records=records, unreadable=[ODD])

    assert (made.decisions[0].word, made.halted) == (Word.PERSON, "")
    assert "lists a remediation of it that cannot be read (id: it is missing)" in made.decisions[0].because
    assert made.warnings == [
        "the API lists a remediation of node node-1 (instance i1) that cannot be read (id: it is missing): nothing is "
        "started on this node"
    ]


def test_the_others_are_repaired_and_what_may_be_under_way_counts():
    nodes = cluster(node(1, "NotReady"), node(2, "NotReady"), node(3, "NotReady"))
    history = Unreadable("i1", "odd", ended=True)

    assert [one.word for one in planned(of=nodes, unreadable=[history]).decisions] == [
        Word.PERSON,
        Word.START,
        Word.WAIT,
    ]
    made = planned(of=nodes, unreadable=[ODD], maxConcurrent=2)
    assert ([one.word for one in made.decisions], made.under_repair) == ([Word.PERSON, Word.START, Word.WAIT], 1)
    assert planned(of=cluster(node(1), node(2)), unreadable=[ODD], maxUnhealthy="0").halted.startswith("1 of 2 nodes")
    assert planned(of=cluster(node(1), node(2)), unreadable=[history], maxUnhealthy="0").halted == ""


def test_a_healthy_node_is_left_alone_whatever_cannot_be_read():
    assert decided(of=cluster(node()), unreadable=[ODD]).word is Word.LEAVE


def test_what_cannot_be_read_of_an_earlier_instance_is_of_the_node():
    of = cluster(node(status="NotReady"), deleted=[{"node_id": "node-1", "instance_id": "i0"}])

    assert decided(of=of, unreadable=[Unreadable("i0", "odd")]).word is Word.PERSON


def test_ours_goes_on_beside_what_cannot_be_read():
    assert decided(records=[mine()], unreadable=[ODD]).word is Word.CONTINUE


@pytest.mark.parametrize("instance", [None, "", "i9"])
def test_what_cannot_be_read_and_may_be_of_any_node_starts_nothing(instance: str | None):
    made = planned(records=[mine(instance_id="i2")], unreadable=[Unreadable(instance, "odd")])

    assert made.halted.startswith("the API lists a remediation ")
    assert ("of instance i9, which no node is known to have had" in made.halted) is (instance == "i9")
    assert made.counts == {Word.CONTINUE: 1, Word.WAIT: 1}


def test_what_cannot_be_read_of_a_node_that_has_left_is_of_no_other_node():
    of = cluster(node(status="NotReady"), deleted=[{"node_id": "node-9", "instance_id": "i9"}])
    made = planned(of=of, unreadable=[Unreadable("i9", "odd")])

    assert (made.halted, made.counts) == ("", {Word.START: 1})


# Which nodes are looked at.


def test_nodes_that_leave_or_have_left_are_left_out():
    nodes = [node(1, "NotReady", marked_for_deletion=True), node(2, "NotReady", deleted_at=NOW.isoformat())]
    made = planned(of=cluster(*nodes, deleted=[node(3, "Failed")]), records=[proposal()])

    assert (made.decisions, made.nodes, made.unhealthy) == ([], 0, 0)


def test_a_node_that_the_api_lists_twice_is_one_node():
    assert decided(DOWN, of=cluster(node(1, "NotReady"), node(1, "NotReady"))).word is Word.START


@pytest.mark.parametrize(
    ("limits", "looked_at"),
    [
        ({}, ["node-1", "node-2", "node-3"]),
        ({"nodes": ["node-1", "I3.example"]}, ["node-1", "node-3"]),
        ({"exclude": ["node-1", "i2"]}, ["node-3"]),
        ({"nodes": ["node-1", "node-2"], "exclude": ["i2"]}, ["node-1"]),
        ({"exclude": ["twins"]}, ["node-1"]),
        ({"nodes": ["node-1", "twins"]}, ["node-1"]),
        ({"exclude": ["node-9"]}, ["node-1", "node-2", "node-3"]),
        ({"nodes": ["node-9"]}, []),
    ],
)
def test_a_policy_is_about_the_nodes_that_it_names(limits: dict[str, Any], looked_at: list[str]):
    nodes = [node(1), node(2, slurm_worker_hostname="twins"), node(3, host_name="i3.EXAMPLE")]
    nodes[2] |= {"slurm_worker_hostname": "Twins"}
    made = planned(of=cluster(*nodes, deleted=[node(9)]), **limits)

    assert [decision.node for decision in made.decisions] == looked_at
    assert made.halted == ""


def test_a_name_to_leave_alone_that_leads_nowhere_halts_everything():
    made = planned(exclude=["node-l"])

    assert made.halted.startswith('`exclude` names a node that is not there: no node of cluster c1 answers to "node-l"')
    assert made.counts == {Word.WAIT: 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("node-7", 'no node of cluster c1 answers to "node-7"; the closest names are node-1 (node_id)'),
        ("node-9", '`nodes`: the node that answers to "node-9" has left cluster c1'),
    ],
)
def test_a_name_to_look_at_that_leads_nowhere_is_a_warning(name: str, said: str):
    made = planned(of=cluster(node(), deleted=[node(9)]), nodes=[name, "node-1"])

    assert said in made.warnings[0]
    assert made.halted == ""


@pytest.mark.parametrize("entries", [("Ready", "NotReady"), ("NotReady", "Ready")])
def test_two_entries_of_a_node_that_contradict_each_other_are_no_reason_to_repair_it(entries: tuple[str, str]):
    assert decided(DOWN, of=cluster(*(node(1, status) for status in entries))).word is Word.LEAVE


# Limits of the cluster.


def many(count: int, unhealthy: int = 0) -> Cluster:
    return cluster(*(node(number, "NotReady" if number < unhealthy else "Ready") for number in range(count)))


@pytest.mark.parametrize(
    ("limit", "unhealthy", "halts"),
    [
        (None, 10, False),
        ("20%", 2, False),
        ("20%", 3, True),
        ("29%", 2, False),
        ("29%", 3, True),
        ("3", 3, False),
        ("3", 4, True),
        ("0", 1, True),
        ("100%", 10, False),
    ],
)
def test_more_unhealthy_nodes_than_allowed_halt_everything(limit: str | None, unhealthy: int, halts: bool):
    made = planned(of=many(10, unhealthy), maxUnhealthy=limit, maxConcurrent=10)

    assert (made.nodes, made.unhealthy, bool(made.halted)) == (10, unhealthy, halts)
    assert made.counts[Word.START] == (0 if halts else unhealthy)
    assert made.counts[Word.WAIT] == (unhealthy if halts else 0)


def test_a_cluster_without_nodes_halts_nothing():
    made = planned(of=cluster(), maxUnhealthy="20%")

    assert (made.halted, made.decisions, made.nodes) == ("", [], 0)


def test_what_halts_everything_is_said():
    made = planned(of=many(10, 3), maxUnhealthy="29%")

    assert made.halted.startswith("3 of 10 nodes are unhealthy, and `maxUnhealthy` is 29% (2 nodes): ")
    assert made.decisions[0].because == "nothing is started while the repair is halted"


def test_a_halt_rejects_nothing_either():
    rejects = {"name": "no", "action": "REJECT"}

    assert decided(rejects, records=[proposal()], maxUnhealthy="0").word is Word.WAIT


@pytest.mark.parametrize(
    ("status", "records", "unhealthy"),
    [
        ("NotReady", [], 1),
        ("Ready", [proposal()], 1),
        ("Ready", [active()], 1),
        ("Ready", [ended(60, "FAILED")], 1),
        ("Ready", [ended(60)], 0),
        ("Booting", [], 0),
        ("Paused", [], 0),
        ("Wedged", [], 0),
        ("", [], 0),
    ],
)
def test_a_node_is_unhealthy_whose_status_says_so_or_that_is_or_is_to_be_repaired(
    status: str, records: Any, unhealthy: int
):
    again = {"name": "again", "when": {"lastOutcome": ["FAILED"]}, "modes": LADDER}

    assert planned(again, of=cluster(node(status=status)), records=records).unhealthy == unhealthy


def test_what_is_under_repair_and_not_listed_at_the_moment_counts():
    away = active(instance_id="away")
    made = planned(of=many(10, 2), records=[away], maxUnhealthy="2", maxConcurrent=10)

    assert (made.nodes, made.unhealthy, made.under_repair, bool(made.halted)) == (11, 3, 1, True)


def test_a_proposal_for_what_is_gone_counts_for_nothing():
    stale = proposal(instance_id="gone")
    made = planned(of=many(10), records=[stale])

    assert (made.nodes, made.unhealthy) == (10, 0)


@pytest.mark.parametrize("under_repair", range(4))
def test_those_that_are_under_repair_whoever_started_it_leave_less_room(under_repair: int):
    records = [active(id=f"a{number}", instance_id=f"i{9 - number}") for number in range(under_repair)]
    records += [active(id="twice", instance_id="i9")] if under_repair else []
    made = planned(of=many(10, 5), records=records, maxConcurrent=3)

    assert made.under_repair == under_repair
    assert made.counts[Word.START] == 3 - under_repair


def test_what_finds_no_room_waits_and_says_why():
    made = planned(of=many(2, 2))

    assert [decision.word for decision in made.decisions] == [Word.START, Word.WAIT]
    assert made.decisions[1] == Decision(
        Word.WAIT, "node-1", "i1", "its turn has not come: `maxConcurrent` is 1", rule="down"
    )


def test_a_rejection_takes_no_room():
    rules = [{"name": "no", "when": {"proposed": True}, "action": "REJECT"}, DOWN]
    made = planned(*rules, of=many(3, 2), records=[proposal(instance_id="i2"), proposal(id="b", instance_id="i1")])

    assert [decision.word for decision in made.decisions] == [Word.START, Word.REJECT, Word.REJECT]


def test_the_rule_that_stands_first_has_the_first_turn():
    urgent = {"name": "urgent", "when": {"statuses": ["Failed"]}, "modes": ["HOST_AWARE"]}
    made = planned(urgent, DOWN, of=cluster(node(1, "NotReady"), node(2, "NotReady"), node(3, "Failed")))

    assert [decision.word for decision in made.decisions] == [Word.WAIT, Word.WAIT, Word.START]


# Words that mean nothing.


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            DOWN | {"when": {"alerts": ["DmesgXidErr"]}},
            'rule "down": no alert "DmesgXidErr" is documented, and none has occurred in this cluster; the closest is '
            "DmesgXidError",
        ),
        (
            DOWN | {"when": {"statuses": ["NotRedy"]}},
            'rule "down": no node has the status "NotRedy", and it is none that is known; did you mean NotReady?',
        ),
        (
            DOWN | {"when": {"statuses": ["Xyz"]}},
            'rule "down": no node has the status "Xyz", and it is none that is known',
        ),
        (
            DOWN | {"modes": ["REMEDIATION_MODE_SWAP_GPU"]},
            'rule "down": this version does not know the mode REMEDIATION_MODE_SWAP_GPU; the API decides',
        ),
    ],
)
def test_a_word_of_the_policy_that_the_api_may_not_know_is_a_warning(rule: dict[str, Any], said: str):
    assert planned(rule).warnings == [said]


def test_a_word_that_the_cluster_knows_is_no_warning():
    rule = DOWN | {"when": {"alerts": ["DmesgXidError", "GpuFellOffBus"], "statuses": ["NotReady", "wedged"]}}
    seen = ended(9999, linked_alerts=[{"alert_name": "GpuFellOffBus"}])

    assert planned(rule, of=cluster(node(status="Wedged")), records=[seen]).warnings == []


def test_statuses_that_this_version_does_not_know_are_named_and_start_nothing():
    nodes = [
        node(1, "Wedged"),
        node(2, "Wedged"),
        node(3, "Odd"),
        node(4, ""),
        node(5, "Gone", marked_for_deletion=True),
    ]
    made = planned(DOWN, LONG, of=cluster(*nodes))

    assert made.counts == {Word.LEAVE: 4}
    so = "whether something is wrong is not known, and it is no reason to repair"
    assert made.warnings == [
        f"1 node has no status: {so}",
        f'1 node has the status "Odd", which this version does not know: {so}',
        f'2 nodes have the status "Wedged", which this version does not know: {so}',
    ]


def test_a_status_that_the_policy_itself_names_is_a_reason_to_repair():
    assert decided(DOWN | {"when": {"statuses": ["Wedged"]}}, of=cluster(node(status="wedged"))).word is Word.START


def test_of_several_that_are_under_way_on_a_node_ours_goes_on_and_of_several_of_ours_the_one_that_comes_first():
    other = active("RUNNING", id="other", create_time=NOW - timedelta(minutes=9))
    late = mine(id="late", state="PENDING", create_time=NOW - timedelta(minutes=1))
    early = mine(id="early", state="PENDING", create_time=NOW - timedelta(minutes=2))
    begun = mine(id="begun", state="RUNNING", create_time=NOW)

    for records, which in (([other, late], "late"), ([late, early], "early"), ([early, begun, late], "begun")):
        for order in (records, records[::-1]):
            record = decided(records=order).record
            assert record is not None
            assert record.id == which


def test_a_node_that_others_repair_twice_waits_for_the_one_that_goes_on():
    early = active("PENDING", id="early", create_time=NOW - timedelta(minutes=2))
    late = active("PENDING", id="late", create_time=NOW - timedelta(minutes=1))

    for order in ([early, late], [late, early]):
        decision = decided(records=order)
        assert decision.word is Word.WAIT
        assert "remediation early" in decision.because
