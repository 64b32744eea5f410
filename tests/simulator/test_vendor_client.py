"""The vendor's own Python client and command line work against the simulator as against the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import together

from tests.simulator.driver import NODE, OTHER_NODE
from togetherai_simulator import Simulator, running


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running({"instances": 30, "clusters": 2}) as process:
        yield process


@pytest.fixture
def client(simulator: Simulator) -> Iterator[together.Together]:
    with together.Together(api_key="simulator-key", base_url=simulator.root, max_retries=0) as client:
        yield client


def test_a_remediation_from_its_creation_to_its_end(simulator: Simulator, client: together.Together) -> None:
    remediations = client.clusters.remediations
    made = remediations.create(NODE, cluster_id="cluster-1", mode="REMEDIATION_MODE_HOST_AWARE", reason="broken")
    assert made.state == "PENDING"
    assert made.reason == "broken"
    simulator.control("POST", "/advance", {"seconds": 100})
    ended = remediations.retrieve(made.id, cluster_id="cluster-1", instance_id=NODE)
    assert ended.state == "SUCCEEDED"
    assert ended.end_time is not None


def test_a_review_and_a_cancel(simulator: Simulator, client: together.Together) -> None:
    remediations = client.clusters.remediations

    def propose() -> str:
        path = f"/instances/cluster-1/{OTHER_NODE}/propose"
        return simulator.control("POST", path, {"fault": "xid", "force": True})["id"]

    approved = remediations.approve(
        propose(), cluster_id="cluster-1", instance_id=OTHER_NODE, comment="go", mode="REMEDIATION_MODE_VM_ONLY"
    )
    assert (approved.state, approved.mode) == ("PENDING", "REMEDIATION_MODE_VM_ONLY")
    assert approved.linked_alerts is not None
    assert approved.linked_alerts[0].annotation.xid is not None
    assert remediations.cancel(approved.id, cluster_id="cluster-1", instance_id=OTHER_NODE).state == "CANCELLED"
    assert (
        remediations.reject(propose(), cluster_id="cluster-1", instance_id=OTHER_NODE, comment="no").review_comment
        == "no"
    )


def test_a_list_with_every_filter_and_page_by_page(client: together.Together) -> None:
    remediations = client.clusters.remediations
    for number in range(3, 8):
        remediations.create(f"cluster-1-node-{number}", cluster_id="cluster-1", mode="REMEDIATION_MODE_REBOOT_VM")
    first = remediations.list(
        "-",
        cluster_id="cluster-1",
        state=["PENDING", "RUNNING"],
        mode=["REMEDIATION_MODE_REBOOT_VM", "REMEDIATION_MODE_HOST_AWARE"],
        trigger=["REMEDIATION_TRIGGER_MANUAL"],
        page_size=4,
        order_by="create_time desc",
    )
    assert len(first.remediations) == 4
    assert first.has_next
    second = remediations.list(
        "-",
        cluster_id="cluster-1",
        state=["PENDING", "RUNNING"],
        mode=["REMEDIATION_MODE_REBOOT_VM", "REMEDIATION_MODE_HOST_AWARE"],
        trigger=["REMEDIATION_TRIGGER_MANUAL"],
        page_size=4,
        order_by="create_time desc",
        page_token=first.next_page_token,
    )
    assert not {item.id for item in first.remediations} & {item.id for item in second.remediations}


def test_clusters_have_every_field_that_the_vendor_requires(client: together.Together) -> None:
    clusters = client.clusters.list().clusters
    assert [cluster.cluster_id for cluster in clusters] == ["cluster-1", "cluster-2"]
    # The client builds its answers without looking, so ask pydantic again.
    for cluster in [*clusters, client.clusters.retrieve("cluster-1")]:
        type(cluster).model_validate(cluster.model_dump(mode="json"))


def test_errors_are_the_clients_own(simulator: Simulator, client: together.Together) -> None:
    with pytest.raises(together.NotFoundError, match="instance nothing not found"):
        client.clusters.remediations.create("nothing", cluster_id="cluster-1", mode="REMEDIATION_MODE_VM_ONLY")
    with (
        together.Together(api_key="wrong", base_url=simulator.root, max_retries=0) as stranger,
        pytest.raises(together.AuthenticationError),
    ):
        stranger.clusters.list()


def test_its_own_retries_remediate_twice(simulator: Simulator) -> None:
    simulator.control("POST", "/faults", {"kind": "error", "operation": "create", "after": True, "count": 1})
    with together.Together(api_key="simulator-key", base_url=simulator.root) as client:
        client.clusters.remediations.create(
            "cluster-2-node-1", cluster_id="cluster-2", mode="REMEDIATION_MODE_REBOOT_VM"
        )
        listed = client.clusters.remediations.list("cluster-2-node-1", cluster_id="cluster-2")
    assert len(listed.remediations) == 2


class CommandLine:
    def __init__(self, simulator: Simulator, home: Path) -> None:
        self._environment = {
            **os.environ,
            "HOME": str(home),
            "TOGETHER_BASE_URL": simulator.root,
            "TOGETHER_API_KEY": "simulator-key",
            "TOGETHER_TELEMETRY_DISABLED": "1",
            "NO_COLOR": "1",
        }

    def __call__(self, *arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "together"), "clusters", "remediations", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.mark.slow
def test_the_vendors_command_line(simulator: Simulator, tmp_path: Path) -> None:
    command = CommandLine(simulator, tmp_path)
    # Each command takes a while, and time passes in a process of its own: it must not start meanwhile.
    simulator.control("PUT", "/instances/cluster-2/cluster-2-node-9/behaviour", {"outcome": "hold"})
    made = json.loads(
        command("create", "cluster-2", "cluster-2-node-9", "--mode", "REBOOT_VM", "--reason", "Xid", "--json")
    )
    assert made["state"] == "PENDING"
    assert made["id"] in command("list", "cluster-2", "--json")
    # It finds a remediation by walking every cluster, page by page.
    assert json.loads(command("retrieve", made["id"], "--json"))["reason"] == "Xid"
    command("cancel", made["id"])
    assert json.loads(command("retrieve", made["id"], "--json"))["state"] == "CANCELLED"
