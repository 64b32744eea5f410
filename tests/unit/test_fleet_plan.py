"""What the fleet example makes of a table and of what a stack holds."""

from __future__ import annotations

from typing import Any

import pytest
from plan import Plan, held, plan
from table import Node

from pulumi_resource_togetherai.api.enums import RemediationMode

MODE = RemediationMode.REBOOT_VM


def node(number: int, incident: str = "INC-1", mode: RemediationMode = MODE) -> Node:
    return Node("cluster-1", f"n{number}", mode, "because", incident)


def resource(node: Node, state: str | None, **outputs: Any) -> dict[str, Any]:
    """A resource as an exported stack holds it."""
    told = {
        "remediationId": f"id-{node.name}",
        "clusterId": node.cluster,
        "instanceId": node.instance,
        "mode": str(node.mode),
        "trigger": "REMEDIATION_TRIGGER_MANUAL",
        "state": state,
    }
    return {
        "type": "togetherai:index:Remediation",
        "urn": f"urn:pulumi:cluster-1::fleet::togetherai:index:Remediation::{node.name}",
        "inputs": {
            "clusterId": node.cluster,
            "instanceId": node.instance,
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
