"""The examples that look at a cluster and decide by what they see, run as they stand."""

from __future__ import annotations

from pathlib import Path

from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator


def example(name: str, folder: Path, api: Simulator, **config: str) -> Stack:
    """A stack with an example as its program, which was given its configuration."""
    stack = Stack(folder, "dynamic", api.address)
    stack.copy(ROOT / "examples" / name)
    for setting, value in config.items():
        stack.configure(f"{name}:{setting}", value)
    return stack


def test_every_node_that_is_not_healthy_is_repaired_and_no_other(tmp_path: Path, api: Simulator):
    api.behave("cluster-1-node-3", outcome="fail")
    api.create("cluster-1-node-3")
    api.until("FAILED")
    api.behave("cluster-1-node-3", outcome="succeed")
    stack = example("unhealthy-nodes", tmp_path / "stack", api, cluster="cluster-1", incident="INC-1")
    assert stack.preview().diagnostics.count("`pulumi up` will start a") == 1
    assert api.posts() == 1
    assert '"SUCCEEDED"' in stack.up(check=True).output
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED", "FAILED"]
    assert {item["instance_id"] for item in api.remediations()} == {"cluster-1-node-3"}
    stack.up(check=True)
    assert stack.resources() == {}
    assert api.posts() == 2
    assert api.requests("cancelled") == []


def test_every_proposed_reboot_is_approved_and_the_rest_rejected(tmp_path: Path, api: Simulator):
    for number, fault in enumerate(["xid", "gpu_lost", "xid"], start=1):
        api.propose(f"cluster-1-node-{number}", fault=fault)
    stack = example("review-proposals", tmp_path / "stack", api, cluster="cluster-1")
    preview = stack.preview()
    assert preview.diagnostics.count("`pulumi up` will approve") == 2
    assert preview.diagnostics.count("`pulumi up` will reject") == 1
    stack.up(check=True)
    ended = {item["instance_id"]: item["state"] for item in api.remediations()}
    assert ended == {
        "cluster-1-node-1": "SUCCEEDED",
        "cluster-1-node-2": "CANCELLED",
        "cluster-1-node-3": "SUCCEEDED",
    }
    stack.up(check=True)
    assert stack.resources() == {}
    assert (len(api.requests("approved")), len(api.requests("rejected"))) == (2, 1)
    assert api.requests("cancelled") == []
