"""examples/cluster-repair in each language: the same policy, run as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.stack import ROOT, Stack
from tests.engine.test_cluster_repair import declare
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


def short_policies() -> list[list[dict[str, Any]]]:
    """The rules of the policies on the page."""
    page = (ROOT / "docs" / "cluster-repair.md").read_text()
    return [
        yaml.safe_load(block)["rules"] for block in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ]


def test_the_pages_first_policy_approves_each_proposed_reboot_and_rejects_the_rest(plugin_stack: Stack, api: Simulator):
    for number, fault in enumerate(["xid", "gpu_lost", "xid"], start=1):
        api.propose(f"cluster-1-node-{number}", fault=fault)
    declare(plugin_stack, *short_policies()[0])
    plugin_stack.up(check=True)
    found = {item["instance_id"]: item["state"] for item in api.remediations()}
    assert found == {
        "cluster-1-node-1": "SUCCEEDED",
        "cluster-1-node-2": "CANCELLED",
        "cluster-1-node-3": "SUCCEEDED",
    }


def test_the_pages_second_policy_repairs_what_does_not_work_and_what_failed(tmp_path: Path):
    with simulator(began_ago=86400) as api:
        api.force(api.create("cluster-1-node-3")["id"], "FAILED")
        api.advance(1900)
        api.break_node("cluster-1-node-1")
        stack = Stack(tmp_path / "stack", "plugin", api.address)
        declare(stack, *short_policies()[1])
        stack.up(check=True)
        done = [(item["instance_id"], item["mode"]) for item in api.remediations()]
    assert done[-1] == ("cluster-1-node-3", "REMEDIATION_MODE_REBOOT_VM")
    assert sorted(done[:-1]) == [
        ("cluster-1-node-1", "REMEDIATION_MODE_REBOOT_VM"),
        ("cluster-1-node-3", "REMEDIATION_MODE_VM_ONLY"),
    ]


def github() -> list[str]:
    """The shell steps of each job, but those that install, in a shell of their own. What is handed from one job to the
    next is in the folder already."""
    recipe: dict[str, Any] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    jobs = [recipe["jobs"][name]["steps"] for name in ("plan", "up")]
    return [step["run"] for steps in jobs for step in steps if "run" in step and step["name"] != "Install"]


def gitlab() -> list[str]:
    """The scripts of both jobs."""
    recipe: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())
    assert recipe["default"]["before_script"] == ["cd cluster-repair", "pulumi install"]
    return [line for name in recipe["stages"] for line in recipe[name]["script"]]


def runs(steps: list[str], stack: Stack, folder: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of a recipe's steps, as a runner's shell does them."""
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(f"({step})" for step in steps)],
        cwd=stack.folder,
        env=stack.env | {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_OUTPUT": str(folder / "output")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("recipe", [github, gitlab])
def test_the_scheduled_recipe_keeps_its_plan_and_does_what_it_has_planned(
    recipe: Callable[[], list[str]], tmp_path: Path, api: Simulator
):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    stack.copy(EXAMPLES / "yaml")
    stack.configure("cluster-repair:cluster", "cluster-1")
    *planning, up = recipe()

    nothing = runs(planning, stack, tmp_path)
    assert nothing.returncode == 0, nothing.stdout
    assert not (tmp_path / "output").exists()
    faults(api)
    planned = runs(planning, stack, tmp_path)
    assert planned.returncode == 0, planned.stdout
    assert "APPROVE" in (stack.folder / "plan.txt").read_text()
    if recipe is github:
        summary = (tmp_path / "summary").read_text()
        assert "APPROVE" in summary
        assert summary.count("```\n") == 4
        assert (tmp_path / "output").read_text() == "work=true\n"
    assert api.requests("approved") == []
    done = runs([up], stack, tmp_path)
    assert done.returncode == 0, done.stdout
    assert ended(api) == REPAIRED


@pytest.mark.parametrize("recipe", [github, gitlab])
def test_a_recipe_whose_plan_is_halted_fails_and_says_why_where_the_plan_is(
    recipe: Callable[[], list[str]], tmp_path: Path, api: Simulator
):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    stack.copy(EXAMPLES / "yaml")
    stack.configure("cluster-repair:cluster", "cluster-1")
    for number in (1, 2, 3):
        api.propose(f"cluster-1-node-{number}", fault="xid")

    halted = runs(recipe(), stack, tmp_path)

    assert halted.returncode != 0
    assert "3 of 4 nodes are unhealthy" in (stack.folder / "plan.txt").read_text()
    if recipe is github:
        assert (tmp_path / "summary").read_text().endswith("```\n")
    assert api.requests("approved") == []


def test_both_recipes_run_one_at_a_time_cut_none_off_and_give_the_key_to_main_alone():
    on_github: dict[Any, Any] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    assert on_github["concurrency"] == {"group": "cluster-repair", "cancel-in-progress": False}
    assert "pull_request" not in on_github[True]  # YAML reads `on` as true
    assert "secrets." not in str({name: part for name, part in on_github.items() if name != "jobs"})
    for job in on_github["jobs"].values():
        assert job["environment"].startswith("cluster-repair")
        assert "secrets." not in str([step for step in job["steps"] if "secrets." in str(step) and "run" not in step])
        assert "secrets." not in str({name: part for name, part in job.items() if name != "steps"})
    on_gitlab: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())
    assert on_gitlab["default"]["interruptible"] is False
    for job in (on_gitlab["plan"], on_gitlab["up"]):
        assert job["resource_group"] == "cluster-repair"
        assert all("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"] for rule in job["rules"])
    assert "variables" not in on_gitlab
