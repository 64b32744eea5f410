"""What the fleet example makes of a table and of what a stack holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import resolve
from plan import Plan, held, plan
from table import Node

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.models import Cluster
from tests.unit.examples import NOW

MODE = RemediationMode.REBOOT_VM


def node(number: int, incident: str = "INC-1", mode: RemediationMode = MODE) -> Node:
    return Node("cluster-1", f"n{number}", mode, "because", incident)


def resource(node: Node, state: str | None, **outputs: Any) -> dict[str, Any]:
    """A resource as an exported stack holds it."""
    told = {
        "remediationId": f"id-{node.name}",
        "clusterId": node.cluster,
        "instanceId": node.written,
        "mode": str(node.mode),
        "trigger": "REMEDIATION_TRIGGER_MANUAL",
        "state": state,
    }
    return {
        "type": "togetherai:index:Remediation",
        "urn": f"urn:pulumi:cluster-1::fleet::togetherai:index:Remediation::{node.name}",
        "inputs": {
            "clusterId": node.cluster,
            "node" if node.column == "node" else "instanceId": node.written,
            "mode": str(node.mode),
            "reason": node.reason,
            "triggers": {"incident": node.incident},
        },
    } | ({"outputs": told | outputs} if state else {})


def planned(wanted: list[Node], *resources: dict[str, Any], retry_failed: bool = False, **more: Any) -> Plan:
    return plan("cluster-1", wanted, held({"resources": list(resources)} | more), retry_failed=retry_failed)


def test_a_new_stack_starts_everything_in_the_order_of_the_table():
    found = plan("cluster-1", [node(2), node(1)], held(None))
    assert found.queue == (node(2), node(1))
    assert (found.done, found.under_way) == ((), ())


def test_what_has_ended_stays_and_what_is_under_way_is_waited_for():
    found = planned(
        [node(1), node(2), node(3), node(4)],
        resource(node(1), "SUCCEEDED"),
        resource(node(2), "FAILED"),
        resource(node(3), "RUNNING"),
    )
    assert [one.node for one in found.done] == [node(1), node(2)]
    assert [one.node for one in found.under_way] == [node(3)]
    assert found.queue == (node(4),)
    assert found.reported == [node(1), node(2), node(3), node(4)]


def test_what_a_killed_run_was_creating_is_waited_for_and_takes_a_slot():
    pending = [{"resource": resource(node(1), None), "type": "creating"}]
    found = planned([node(1), node(2)], pending_operations=pending)
    assert [(one.node, one.record) for one in found.under_way] == [(node(1), None)]
    assert found.queue == (node(2),)


def test_a_resource_says_more_than_its_pending_operation():
    pending = [{"resource": resource(node(1), None), "type": "updating"}]
    found = planned([node(1)], resource(node(1), "SUCCEEDED"), pending_operations=pending)
    assert [one.node for one in found.done] == [node(1)]
    assert found.under_way == ()


@pytest.mark.parametrize("created", [True, False], ids=["its creation had begun", "its creation had not begun"])
def test_one_whose_replacement_was_killed_is_not_done(created: bool):
    """The engine keeps the old record, which it has deleted already, until the new one is complete."""
    old = resource(node(1), "FAILED") | {"pendingReplacement": True}
    pending = [{"resource": resource(node(1), None), "type": "creating"}] if created else []
    found = planned([node(1)], old, pending_operations=pending)
    assert found.done == ()
    assert [(one.node, one.record) for one in found.under_way] == [(node(1), None)]


def test_what_left_the_table_stays_declared_and_reported():
    """A table of unhealthy nodes no longer names those that are repaired."""
    found = planned([node(2)], resource(node(1), "SUCCEEDED"), resource(node(3), "RUNNING"))
    assert [one.node for one in (*found.done, *found.under_way)] == [node(1), node(3)]
    assert found.reported == [node(1), node(3), node(2)]


def test_another_incident_repairs_a_node_again_and_leaves_the_earlier_record():
    found = planned([node(1, "INC-2")], resource(node(1, "INC-1"), "SUCCEEDED"))
    assert [one.node for one in found.done] == [node(1, "INC-1")]
    assert found.queue == (node(1, "INC-2"),)
    assert found.reported == [node(1, "INC-2")]


def test_another_incident_that_is_under_way_is_waited_for_and_reported():
    found = planned([node(2, "INC-2")], resource(node(1, "INC-1"), "RUNNING"))
    assert found.reported == [node(1, "INC-1"), node(2, "INC-2")]


def test_failed_ones_are_repaired_again_only_if_asked_for_and_only_of_this_incident():
    resources = (
        resource(node(1), "FAILED"),
        resource(node(2), "CANCELLED"),
        resource(node(3, "INC-0"), "FAILED"),
        resource(node(4), "SUCCEEDED"),
    )
    wanted = [node(1), node(2), node(4)]
    assert planned(wanted, *resources).queue == ()
    again = planned(wanted, *resources, retry_failed=True)
    assert again.queue == (node(1),)
    assert again.failed == {node(1).name}
    assert [one.node for one in again.done] == [node(2), node(3, "INC-0"), node(4)]


def test_one_that_gave_way_waits_for_a_slot_because_it_starts_anew():
    found = planned([node(1)], resource(node(1), "CANCELLED", withdrawn=True))
    assert found.queue == (node(1),)
    assert found.failed == frozenset()
    assert found.done == ()


def test_what_is_declared_stays_as_it_was_declared_and_a_changed_mode_is_told():
    changed = node(1, mode=RemediationMode.HOST_AWARE)
    found = planned([changed], resource(node(1), "RUNNING"))
    assert [one.node for one in found.under_way] == [node(1)]
    assert found.notes == (
        "n1: INC-1 repairs it by REBOOT_VM, not by HOST_AWARE as the table says now; another incident repairs it anew",
    )


def test_a_stack_of_another_program_is_left_alone():
    around = [{"type": kind, "urn": "urn:x"} for kind in ("pulumi:pulumi:Stack", "pulumi:providers:togetherai")]
    assert held({"resources": around}) == {}
    other = resource(node(1), "SUCCEEDED") | {"type": "togetherai:index:RollingRemediation"}
    foreign = resource(node(1), "SUCCEEDED")
    foreign["inputs"]["triggers"] = None
    for one in (other, foreign):
        with pytest.raises(ValueError, match=f"its stack holds {one['urn']}, which another program declared"):
            held({"resources": [*around, one]})


# A fault that began before the end of a repair of its node.
ENDED = {"endTime": NOW.isoformat()}


def fault(since: datetime, *names: str) -> Node:
    """A node that broke at some time, by its host name."""
    known = frozenset(names or ("host-1", "n1"))
    return Node("cluster-1", "host-1", MODE, "because", f"alert-{since.isoformat()}", "node", since, known)


@pytest.mark.parametrize(("after", "starts"), [(-60, False), (0, False), (1, True)])
def test_a_fault_that_began_before_its_nodes_repair_ended_starts_nothing(after: int, starts: bool):
    later = fault(NOW + timedelta(seconds=after))
    found = planned([later], resource(node(1), "SUCCEEDED", **ENDED))
    assert found.queue == ((later,) if starts else ())
    assert [one.written for one in found.reported] == (["host-1"] if starts else ["n1"])
    assert bool(found.notes) is not starts


def test_what_is_under_repair_is_repaired_for_every_fault_until_then():
    for state in ("RUNNING", None):
        found = planned([fault(NOW)], resource(node(1), state))
        assert (found.queue, len(found.under_way)) == ((), 1)


def test_a_repair_that_failed_is_made_again_for_another_alert_only_if_asked_for():
    failed = resource(node(1), "FAILED", **ENDED)
    assert planned([fault(NOW)], failed).queue == ()
    assert planned([fault(NOW)], failed, retry_failed=True).queue == (node(1),)


def test_a_node_is_known_by_what_its_repair_left_in_it():
    now = fault(NOW, "host-1", "n1-r2")
    replaced = resource(node(1), "SUCCEEDED", currentInstanceId="n1-r2", **ENDED)
    assert planned([now], replaced).queue == ()
    assert planned([now], resource(node(2), "SUCCEEDED", **ENDED)).queue == (now,)


def test_by_whatever_name_the_same_incident_repairs_a_node_once():
    by_host = replace(fault(NOW), incident="INC-1", since=None)
    assert planned([by_host], resource(node(1), "SUCCEEDED", **ENDED)).queue == ()
    held_by_host = resource(by_host, "SUCCEEDED", instanceId="n1", **ENDED)
    assert held_by_host["inputs"]["node"] == "host-1"
    assert planned([node(1)], held_by_host).queue == ()
    assert planned([node(1, "INC-2")], held_by_host).queue == (node(1, "INC-2"),)


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of two nodes."""
    nodes = [{"host_name": f"Host-{n}", "instance_id": f"n{n}", "slurm_worker_hostname": f"slurm-{n}"} for n in (1, 2)]
    cluster = Cluster.model_validate({"cluster_id": "c1", "cluster_name": "training", "gpu_worker_nodes": nodes})

    def named(_written: str) -> Cluster:
        return cluster

    monkeypatch.setattr(resolve, "get_cluster", named)


@pytest.mark.usefixtures("training")
def test_clusters_and_nodes_are_what_the_api_calls_them():
    written = [Node("training", "slurm-1", MODE, "", "INC-1", "node"), Node("c1", "HOST-2", MODE, "", "INC-1", "node")]
    found = resolve.resolve([*written, Node("c1", "nobody", MODE, "", "INC-1")], {})
    assert [one.cluster for one in found] == ["c1", "c1", "c1"]
    assert [sorted(one.names) for one in found] == [
        ["host-1", "n1", "slurm-1"],
        ["host-2", "n2", "slurm-2"],
        ["nobody"],
    ]


@pytest.mark.usefixtures("training")
def test_two_rows_for_one_node_are_refused_unless_they_are_faults_of_it():
    rows = [Node("training", "host-1", MODE, "", "INC-1", "node"), Node("c1", "n1", MODE, "", "INC-2")]
    with pytest.raises(ValueError, match=r"^host-1 and n1 are one node of cluster c1; leave one of them out$"):
        resolve.resolve(rows, {})
    first, last = (replace(row, since=NOW + timedelta(minutes=n)) for n, row in enumerate(rows))
    for both in ([first, last], [last, first]):
        assert [one.written for one in resolve.resolve(both, {})] == ["n1"]
