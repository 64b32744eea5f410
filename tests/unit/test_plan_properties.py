"""What holds of the plan for any cluster, whatever the API says."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.listed import Unreadable
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.nodes import instances_of
from pulumi_resource_togetherai.repair import seen as module
from pulumi_resource_togetherai.repair.plan import BEGINS, Plan, Word, plan
from pulumi_resource_togetherai.repair.rules import Policy
from pulumi_resource_togetherai.repair.seen import every_node
from tests.unit.examples import NOW, record

NAMES = ["a", "b", "c", "d", "e", "f"]
LADDER = ["REBOOT_VM", "VM_ONLY", "HOST_AWARE"]
KNOWN = ["Ready", "NotReady", "Failed", "Booting", "Paused"]
STATES = [*(state.value for state in RemediationState), "SOMETHING_NEW"]
COOLDOWN, WITHIN = timedelta(minutes=30), timedelta(hours=24)

ALERT: dict[str, Any] = {"alert_name": "DmesgXidError", "annotation": {"xid": {"events": [{"xid_code": "79"}]}}}
RULES: list[dict[str, Any]] = [
    {"name": "lost", "when": {"xids": ["79"]}, "modes": ["HOST_POWER_CYCLE", "HOST_AWARE"]},
    {"name": "down", "when": {"statuses": ["NotReady"]}, "modes": LADDER},
    {"name": "long", "when": {"unhealthyFor": "15m"}, "modes": LADDER},
    {"name": "again", "when": {"lastOutcome": ["FAILED"]}, "modes": LADDER},
    {"name": "no", "when": {"proposedModes": ["EVICT_WITHOUT_REPLACEMENT"]}, "action": "REJECT"},
    {"name": "proposed", "when": {"proposed": True}},
]


def nodes(statuses: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    node = st.fixed_dictionaries(
        {
            "node_id": st.sampled_from(NAMES),
            "instance_id": st.sampled_from([*NAMES, None]),
            "host_name": st.sampled_from([*NAMES, ""]),
            "status": st.sampled_from(statuses),
            "marked_for_deletion": st.booleans(),
        }
    )
    return st.lists(node, max_size=6)


@st.composite
def remediations(draw: st.DrawFn) -> list[Remediation]:
    found = list[Remediation]()
    for number in range(draw(st.integers(0, 8))):
        state = draw(st.sampled_from([*STATES, *STATES[5:9] * 4, *STATES[:1] * 4]))
        over = state in STATES[5:9]
        made = record(
            state,
            id=f"r{number}",
            instance_id=draw(st.sampled_from([*NAMES[:2] * 4, *NAMES])),
            instance_name=draw(st.sampled_from([None, None, *NAMES])),
            mode=draw(st.sampled_from([*(mode.value for mode in RemediationMode), "REMEDIATION_MODE_NEW"])),
            ended=timedelta(minutes=draw(st.sampled_from([1, 29, 30, 31, 600, 1439, 1441]))) if over else None,
            reason=draw(st.sampled_from([None] * 7 + ["ours"])),
            linked_alerts=draw(st.sampled_from([[], [ALERT]])),
        )
        found.append(made)
    return found


def policies() -> st.SearchStrategy[Policy]:
    declared = st.fixed_dictionaries(
        {
            "rules": st.permutations(RULES).flatmap(lambda rules: st.integers(2, 6).map(lambda most: rules[:most])),
            "maxConcurrent": st.integers(1, 6),
            "maxUnhealthy": st.sampled_from([*[None] * 12, "0%", "20%", "50%", "1", "3"]),
            "maxAttempts": st.integers(1, 4),
        }
    )
    return declared.map(Policy.model_validate)


def cluster(live: list[dict[str, Any]], deleted: Any = ()) -> Cluster:
    return Cluster.model_validate(
        {"cluster_id": "c1", "gpu_worker_nodes": live, "deleted_gpu_worker_nodes": list(deleted)}
    )


@st.composite
def orderly(draw: st.DrawFn) -> Cluster:
    """A cluster in which each node has names of its own, and most are down."""
    statuses = draw(st.lists(st.sampled_from(["NotReady", "NotReady", "Ready", "Failed"]), min_size=1, max_size=4))
    return cluster(
        [
            {"node_id": f"node-{name}", "instance_id": name, "status": s}
            for name, s in zip(NAMES, statuses, strict=False)
        ]
    )


CLUSTERS = orderly() | st.builds(cluster, nodes([*KNOWN, "Wedged", ""]), nodes(["Ready"]))


def made(of: Cluster, records: list[Remediation], policy: Policy) -> Plan:
    return plan(of, records, policy, lambda one: one.reason == "ours", NOW)


def begun(of: Plan) -> list[str]:
    """The instances that the plan puts under repair."""
    return [decision.instance_id for decision in of.decisions if decision.word in BEGINS]


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_no_more_nodes_are_under_repair_than_allowed_unless_more_are_already(
    of: Cluster, records: list[Remediation], policy: Policy
):
    plan_ = made(of, records, policy)
    waiting = RemediationState.PENDING_APPROVAL
    active = {one.instance_id for one in records if not one.terminal and one.state != waiting}

    assert bool(plan_.under_repair) is bool(active)
    assert len(begun(plan_)) == len(set(begun(plan_)))
    assert not begun(plan_) or plan_.under_repair + len(begun(plan_)) <= policy.max_concurrent


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_nothing_begins_while_too_many_nodes_are_unhealthy(of: Cluster, records: list[Remediation], policy: Policy):
    plan_ = made(of, records, policy)
    most = policy.most_unhealthy(plan_.nodes)
    to_do = [decision for decision in plan_.decisions if decision.word in {*BEGINS, Word.REJECT}]

    assert not to_do or most is None or plan_.unhealthy <= most
    assert bool(plan_.halted) is (most is not None and plan_.unhealthy > most)


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_no_node_is_repaired_twice_within_the_cooldown_or_beside_another_repair(
    of: Cluster, records: list[Remediation], policy: Policy
):
    for instance in begun(made(of, records, policy)):
        for one in records:
            if one.instance_id == instance:
                assert one.terminal or one.state == "PENDING_APPROVAL"
                assert one.end_time is None or one.state == "AUTO_RESOLVED" or one.end_time <= NOW - COOLDOWN


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_the_ladder_never_goes_down(of: Cluster, records: list[Remediation], policy: Policy):
    ladders = {rule.name: rule.modes or [] for rule in policy.rules}
    for decision in made(of, records, policy).decisions:
        ladder = ladders.get(decision.rule, [])
        if decision.word not in BEGINS or not ladder:
            continue
        assert decision.mode is not None
        tried = [
            ladder.index(one.mode)
            for one in records
            if one.instance_id == decision.instance_id
            and one.state in ("SUCCEEDED", "FAILED")
            and one.end_time is not None
            and one.end_time >= NOW - WITHIN
            and one.mode in ladder
        ]
        rung = ladder.index(decision.mode)
        assert rung >= max(tried, default=0)
        assert rung > max(tried, default=-1) or rung == len(ladder) - 1


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies(), st.randoms(use_true_random=False))
def test_the_same_nodes_and_records_give_the_same_plan_in_any_order(
    of: Cluster, records: list[Remediation], policy: Policy, chance: random.Random
):
    shuffled, otherwise = list(records), of.model_copy(deep=True)
    for each in (shuffled, otherwise.gpu_worker_nodes, otherwise.deleted_gpu_worker_nodes):
        chance.shuffle(each)

    assert made(of, records, policy) == made(otherwise, shuffled, policy)


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies(), st.data())
def test_what_cannot_be_read_starts_no_more_than_what_can_and_nothing_on_its_node(
    of: Cluster, records: list[Remediation], policy: Policy, data: st.DataObject
):
    hidden = data.draw(st.sets(st.sampled_from(range(len(records)))) if records else st.just(set[int]()))
    lost = [Unreadable(one.instance_id, "odd", one.terminal) for n, one in enumerate(records) if n in hidden]
    rest = [one for n, one in enumerate(records) if n not in hidden]
    plan_ = plan(of, rest, policy, lambda one: one.reason == "ours", NOW, unreadable=lost)

    assert not {one.instance_id for one in lost} & set(begun(plan_))
    assert plan_.under_repair >= made(of, rest, policy).under_repair
    assert not begun(plan_) or plan_.under_repair + len(begun(plan_)) <= policy.max_concurrent


@given(nodes(["Wedged", "", "unhealthy", "NODE_PHASE_ODD"]), policies())
def test_a_status_that_nobody_knows_starts_nothing(live: list[dict[str, Any]], policy: Policy):
    assert set(made(cluster(live), [], policy).counts) <= {Word.LEAVE}


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_a_state_or_a_mode_that_nobody_knows_starts_nothing(of: Cluster, records: list[Remediation], policy: Policy):
    odd = [one.model_copy(update={"state": RemediationState("SOMETHING_NEW"), "end_time": None}) for one in records]
    strange = [one.model_copy(update={"mode": RemediationMode("REMEDIATION_MODE_NEW")}) for one in records]
    instances = {one.instance_id for one in records}

    assert not instances & set(begun(made(of, odd, policy)))
    for decision in made(of, strange, policy).decisions:
        assert decision.word not in BEGINS or (decision.mode is not None and decision.mode.known)


@settings(max_examples=300)
@given(CLUSTERS, remediations(), policies())
def test_what_is_ours_and_under_way_goes_on_once_for_each_node(of: Cluster, records: list[Remediation], policy: Policy):
    plan_ = made(of, records, policy)
    active = {one.id for one in records if one.reason == "ours" and not one.terminal}
    going_on = [one.record.id for one in plan_.decisions if one.word is Word.CONTINUE and one.record is not None]

    assert set(going_on) <= active
    assert bool(going_on) is bool(active)
    assert len(going_on) == len(set(going_on))


@settings(max_examples=300)
@given(CLUSTERS, remediations())
def test_each_node_has_the_remediations_of_the_instances_that_were_it(of: Cluster, records: list[Remediation]):
    for seen in every_node(of, records):
        if seen.node is not None:
            instances = {folded(each) for each in instances_of(of, seen.node, records)}
            assert {one.id for one in seen.records} == {one.id for one in records if one.instance_id in instances}


def test_the_work_grows_with_the_number_of_records(monkeypatch: Any):
    looked_at = 0

    def counted(of: Cluster, node: Any, records: Any) -> tuple[str, ...]:
        nonlocal looked_at
        looked_at += len(of.gpu_worker_nodes) + len(of.deleted_gpu_worker_nodes) + len(records)
        return instances_of(of, node, records)

    monkeypatch.setattr(module, "instances_of", counted)
    count, each = 1000, 20
    live = [{"node_id": f"node-{n}", "instance_id": f"i{n}-{each}", "status": "NotReady"} for n in range(count)]
    deleted = [{"node_id": f"node-{n}", "instance_id": f"i{n}-{each - 1}"} for n in range(count)]
    records = [
        record(
            "FAILED", id=f"r{n}-{k}", instance_id=f"i{n}-{k}", instance_name=f"vm-{n}", ended=timedelta(hours=each - k)
        )
        for n in range(count)
        for k in range(1, each + 1)
    ]
    policy = Policy.model_validate({"rules": [RULES[1]], "maxConcurrent": count, "maxAttempts": each})
    plan_ = made(cluster(live, deleted), records, policy)

    assert (plan_.nodes, plan_.counts) == (count, {Word.PERSON: count})
    assert looked_at == count * (2 + each)
