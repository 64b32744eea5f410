"""examples/cluster-repair in each language: the same policy, run as it stands."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.stack import ROOT, Stack
from tests.engine.test_languages import DRIVERS, build, nodejs, run
from tests.simulated import Simulator, simulator

__all__ = ["nodejs"]  # a fixture

EXAMPLES = ROOT / "examples" / "cluster-repair"


@pytest.fixture
def api() -> Generator[Simulator]:
    """With this seed, the Xid of the first node is not one of those for which the policy has another rule."""
    with simulator(seed=2) as running:
        yield running


def faults(api: Simulator) -> None:
    """The platform proposes a reboot of one node, and a new host for another."""
    for number, fault in enumerate(["xid", "gpu_lost"], start=1):
        api.propose(f"cluster-1-node-{number}", fault=fault)


def ended(api: Simulator) -> dict[str, tuple[str, str]]:
    """How each node was repaired, and how that ended."""
    return {item["instance_id"]: (item["mode"], item["state"]) for item in api.remediations()}


REPAIRED = {
    "cluster-1-node-1": ("REMEDIATION_MODE_REBOOT_VM", "SUCCEEDED"),
    "cluster-1-node-2": ("REMEDIATION_MODE_HOST_AWARE", "SUCCEEDED"),
}


@pytest.mark.parametrize("language", ["yaml", "python"])
def test_the_example_repairs_by_its_policy_and_once(language: str, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    stack.copy(EXAMPLES / language)
    stack.configure("cluster-repair:cluster", "cluster-1")
    faults(api)
    assert "APPROVE" in stack.preview().output
    assert api.requests("approved") == []
    stack.up(check=True)
    assert ended(api) == REPAIRED
    stack.up(check=True)
    assert stack.up(check=True).summary("unchanged") == 2
    assert (len(api.requests("approved")), api.posts()) == (2, 0)


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm")
def test_the_example_in_typescript_compiles_and_says_the_same(nodejs: Path, tmp_path: Path, api: Simulator):
    project = tmp_path / "project"
    shutil.copytree(EXAMPLES / "typescript", project)
    shutil.copy(DRIVERS / "driver.js", project)
    (project / "node_modules").symlink_to(nodejs / "node_modules")
    build(project, "npx", "tsc", "--outDir", "bin")
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    faults(api)
    settings = {"cluster": "cluster-1", "togetherai:pollInterval": "50ms"}
    told = run(stack, project, ["node", "driver.js", "./bin/index.js", json.dumps(settings)])
    up = json.loads(told.splitlines()[1])
    assert up["outputs"]["states"] == {"cluster-1-worker-1": "SUCCEEDED", "cluster-1-worker-2": "SUCCEEDED"}
    assert ended(api) == REPAIRED


def test_the_scheduled_recipe_plans_into_its_summary_and_does_what_it_has_planned(tmp_path: Path, api: Simulator):
    recipe: dict[str, Any] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    job = recipe["jobs"]["repair"]
    assert job["concurrency"]["cancel-in-progress"] is False
    assert "secrets." not in str({name: part for name, part in recipe.items() if name != "jobs"})
    steps = [step["run"] for step in job["steps"] if "run" in step and step["name"] != "Install"]
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    stack.copy(EXAMPLES / "yaml")
    stack.configure("cluster-repair:cluster", "cluster-1")
    faults(api)
    summary = tmp_path / "summary"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(f"({step})" for step in steps)],
        cwd=stack.folder,
        env=stack.env | {"GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "APPROVE" in summary.read_text()
    assert ended(api) == REPAIRED
