"""A program names its nodes as people do, on the real engine, in both forms."""

from __future__ import annotations

from typing import Any

from tests.engine.programs import NODE, Declared, declare
from tests.engine.stack import Stack
from tests.simulated import Simulator


def named(node: str, **inputs: Any) -> Declared:
    return Declared("Remediation", {"clusterId": "cluster-1", "node": node, "mode": "VM_ONLY"} | inputs, {})


def instances(api: Simulator) -> list[str]:
    """The instances of the platform's remediations, the oldest first."""
    return sorted((one["instance_id"] for one in api.remediations()), key=len)


def test_the_same_name_repairs_the_new_vm_only_when_asked_to(stack: Stack, api: Simulator):
    declare(stack, "python", fix=named("CLUSTER-1-HOST-1"))
    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert f"node CLUSTER-1-HOST-1 of cluster cluster-1, which is instance {NODE(1)}" in preview.diagnostics
    stack.up(check=True)
    assert stack.up(check=True).summary("unchanged") == 2
    assert instances(api) == [NODE(1)]
    now = stack.resources()["fix"]["outputs"]
    assert (now["currentInstanceId"], now["currentHost"]) == (f"{NODE(1)}-r2", "cluster-1-host-1")
    declare(stack, "python", fix=named("CLUSTER-1-HOST-1", triggers={"incident": "2"}))
    stack.up(check=True)
    assert instances(api) == [NODE(1), f"{NODE(1)}-r2"]
    outputs = stack.resources()["fix"]["outputs"]
    assert (outputs["node"], outputs["instanceId"]) == ("CLUSTER-1-HOST-1", f"{NODE(1)}-r2")
    assert stack.destroy().code == 0


def test_a_misspelt_name_and_both_ways_to_say_it_are_one_line_and_start_nothing(stack: Stack, api: Simulator):
    declare(stack, "python", fix=named("cluster-1-worker-l"))
    preview = stack.preview()
    assert preview.code != 0
    assert "the closest names are cluster-1-worker-1 (node_id)" in preview.output
    declare(stack, "python", fix=named("cluster-1-worker-1", instanceId=NODE(1)))
    preview = stack.preview()
    assert preview.code != 0
    assert f"{stack.spelt('instanceId')} and node: give one of them" in preview.output
    assert api.posts() == 0
