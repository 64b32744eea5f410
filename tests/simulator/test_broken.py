"""A broken node: it does not work, nobody has proposed a repair, and only some repairs help."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from togetherai_simulator import Clock, Simulator, in_process, simulate

NODE = "cluster-1-node-1"


def shown(api: Simulator) -> dict[str, Any]:
    """The first node, as the API shows it."""
    cluster = api.http.get("/compute/clusters/cluster-1").raise_for_status().json()
    return next(node for node in cluster["gpu_worker_nodes"] if node["node_id"] == "cluster-1-worker-1")


def phases(api: Simulator) -> list[str]:
    return [transition["phase"] for transition in shown(api)["phase_transitions"]]


def test_it_is_not_ready_and_its_phases_say_since_when():
    with in_process(simulate(clock=Clock(speed=0))) as api:
        api.break_node(NODE)
        assert (shown(api)["status"], phases(api)) == ("NotReady", ["NODE_PHASE_RUNNING", "NODE_PHASE_FAILED"])
        assert api.remediations() == []
        api.mend_node(NODE)
        assert (shown(api)["status"], phases(api)) == ("Ready", ["NODE_PHASE_RUNNING"])


def test_a_repair_that_does_not_help_leaves_it_broken_and_one_that_does_ends_it():
    with in_process(simulate(clock=Clock(speed=0))) as api:
        api.break_node(NODE, cured_by="REMEDIATION_MODE_VM_ONLY")
        for mode, status in (("REBOOT_VM", "NotReady"), ("VM_ONLY", "Ready")):
            api.create(NODE, f"REMEDIATION_MODE_{mode}")
            api.advance(3600)
            assert api.remediations()[0]["state"] == "SUCCEEDED"
            assert shown(api)["status"] == status
        api.break_node(NODE)  # by the name of an instance that it held
        assert shown(api)["status"] == "NotReady"


def test_a_scenario_breaks_and_mends_by_the_clock():
    events = [
        {"at": 10, "do": "break_node", "instance": NODE, "cured_by": "REMEDIATION_MODE_HOST_AWARE"},
        {"at": 20, "do": "mend_node", "instance": NODE},
    ]
    with in_process(simulate({"events": events}, clock=Clock(speed=0))) as api:
        assert shown(api)["status"] == "Ready"
        api.advance(10)
        assert shown(api)["status"] == "NotReady"
        api.advance(10)
        assert shown(api)["status"] == "Ready"


def test_no_other_cluster_or_instance_can_be_broken():
    with in_process(simulate(clock=Clock(speed=0))) as api, pytest.raises(httpx.HTTPStatusError):
        api.break_node("cluster-1-node-9")


def test_the_simulated_time_may_begin_before_the_real_one():
    clock = Clock(speed=0)
    real = clock.now()
    with in_process(simulate({"began_ago": 86400}, clock=clock)):
        assert (real - clock.now()).total_seconds() == pytest.approx(86400)
