"""examples/automation on the real engine: what alerts say is repaired by the fleet, once, however they are sent."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import ROOT, VENV, Run, Stack
from tests.simulated import Simulator

EXAMPLES = ROOT / "examples"
BEGAN = datetime.now(UTC) - timedelta(minutes=10)


@pytest.fixture
def stack(tmp_path: Path, api: Simulator) -> Stack:
    """The environment of a user who may repair."""
    return Stack(tmp_path / "stack", "plugin", api.address)


def run(stack: Stack, program: str, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(VENV / "python"), str(EXAMPLES / program), *arguments],
        cwd=stack.folder,
        env=stack.env,
        input=given,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def post(stack: Stack, *alerts: dict[str, Any]) -> Run:
    """What the receiver of a webhook does."""
    made = run(stack, "automation/alert.py", given=json.dumps({"version": "4", "alerts": alerts}))
    assert made.returncode == 0, made.stderr
    done = run(stack, "fleet/fleet.py", "-", "--yes", "--config=togetherai:pollInterval=50ms", given=made.stdout)
    return Run(done.returncode, done.stdout + done.stderr)


def alert(minutes: int, status: str = "firing", **labels: str) -> dict[str, Any]:
    began = BEGAN + timedelta(minutes=minutes)
    told = {"alertname": "GpuXidError", "cluster": "training-1"} | labels
    return {"status": status, "fingerprint": "c0ffee", "startsAt": began.isoformat(), "labels": told}


def created(api: Simulator) -> list[str]:
    return sorted(one["instance_id"] for one in api.remediations())


def test_a_nodes_incident_runs_once_however_its_alerts_are_sent(stack: Stack, api: Simulator):
    gpu_3 = alert(1, Hostname="cluster-1-host-1", gpu="3")
    gpu_5 = alert(2, Hostname="cluster-1-host-1", gpu="5")
    not_ready = alert(3, node="cluster-1-worker-2", instance="10.0.0.9:8080")
    first = post(stack, gpu_3, gpu_5, not_ready)
    assert first.code == 0, first.output
    assert created(api) == ["cluster-1-node-1", "cluster-1-node-2"]
    # One has resolved, another exporter names the node otherwise, and they come in another order.
    slurm = alert(4, node="cluster-1-slurm-2", status="firing")
    again = post(stack, slurm, alert(2, "resolved", Hostname="cluster-1-host-1", gpu="5"), gpu_3)
    assert again.code == 0, again.output
    assert created(api) == ["cluster-1-node-1", "cluster-1-node-2"]
    assert "cluster-1-slurm-2: nothing is started, because it began before its repair for alert-" in again.output


def test_a_fault_that_begins_after_the_repair_is_repaired(stack: Stack, api: Simulator):
    assert post(stack, alert(1, instance="cluster-1-host-1:9100")).code == 0
    (repaired,) = api.remediations()
    ended = datetime.fromisoformat(repaired["end_time"])
    later = round((ended - BEGAN).total_seconds() / 60) + 1
    assert post(stack, alert(later, instance="cluster-1-host-1:9100")).code == 0
    assert created(api) == ["cluster-1-node-1", "cluster-1-node-1"]


def test_when_nothing_fires_there_is_nothing_to_do(stack: Stack, api: Simulator):
    done = post(stack, alert(1, "resolved", Hostname="cluster-1-host-1"))
    assert (done.code, done.output) == (0, "nothing to repair: - names no node\n")


def test_a_cluster_that_nobody_knows_is_one_line_before_anything_starts(stack: Stack, api: Simulator):
    done = post(stack, alert(1, Hostname="cluster-1-host-1", cluster="trainign-1"))
    assert done.code == 2
    assert done.output == (
        "error: cluster trainign-1: getCluster failed: find cluster: no cluster has this id or name; the closest are "
        "training-1 (cluster-1), cluster-1\n"
    )
    assert api.posts() == 0
