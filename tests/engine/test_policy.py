"""examples/policy on the real engine.

The pack is started by an executable beside it, because the Python host that can be built from source runs a program in
place of a pack; the pack itself is the one that users run with `runtime: python`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, Stack
from tests.engine.test_cluster_repair import declare
from tests.simulated import Simulator

PACK = ROOT / "examples" / "policy"


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The executable that the engine starts for a pack, on the Python with pulumi-policy."""
    folder = tmp_path_factory.mktemp("policy")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(PACK / "requirements.txt")], check=True)
    return f'#!/bin/sh\nexec {python} -u -m pulumi.policy "$1" "$(dirname "$0")"\n'


@pytest.fixture
def stack(tmp_path: Path, api: Simulator, launcher: str) -> Stack:
    """A stack beside the pack."""
    made = Stack(tmp_path / "stack", "plugin", api.address)
    shutil.copytree(PACK, made.folder / "pack")
    executable = made.folder / "pack" / "launch"
    executable.write_text(launcher)
    executable.chmod(0o755)
    return made


def policed(stack: Stack, command: str, **config: object):
    """A command under the pack."""
    (stack.folder / "config.json").write_text(json.dumps(config))
    more = ["--yes", "--skip-preview"] if command == "up" else []
    return stack.run(command, *more, "--policy-pack", "pack/launch", "--policy-pack-config", "config.json")


def test_what_keeps_to_the_rules_runs(stack: Stack, api: Simulator):
    stack.declare(reason="INC-1")
    done = policed(stack, "up")
    assert done.code == 0, done.output
    assert api.posts() == 1


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_remediation_without_a_reason_is_not_started(stack: Stack, api: Simulator, command: str):
    stack.declare()
    done = policed(stack, command)
    assert done.code != 0
    assert "a remediation needs a `reason`: say which incident it belongs to" in done.output
    assert api.posts() == 0


@pytest.mark.parametrize("limit", [{}, {"maxUnhealthy": "20%"}])
def test_a_cluster_is_repaired_only_up_to_a_limit(stack: Stack, api: Simulator, limit: dict[str, str]):
    rule = {"name": "xid", "when": {"alerts": ["DmesgXidError"]}}
    declare(stack, rule, **limit)
    done = policed(stack, "up")
    assert (done.code == 0) is bool(limit), done.output
    assert ("a ClusterRepair needs `maxUnhealthy`" in done.output) is (not limit)


def test_a_mode_that_the_stack_does_not_allow_is_not_started(stack: Stack, api: Simulator):
    stack.declare(reason="INC-1", mode="VM_ONLY")
    done = policed(stack, "up", **{"allowed-modes": {"stacks": {"prod": ["REBOOT_VM"]}}})
    assert "VM_ONLY is not allowed in stack prod; allowed: REBOOT_VM" in done.output
    assert api.posts() == 0


def test_a_power_cycle_needs_its_hours_or_the_word_of_a_config(stack: Stack, api: Simulator):
    stack.declare(reason="INC-1", mode="HOST_POWER_CYCLE")
    never = {"days": ["Mon"], "from": "00:00", "to": "00:00"}
    done = policed(stack, "up", **{"power-cycle-hours": never})
    assert "no HOST_POWER_CYCLE at" in done.output
    assert api.posts() == 0
    done = policed(stack, "up", **{"power-cycle-hours": never | {"anytime": True}})
    assert done.code == 0, done.output
    assert api.posts() == 1


def test_a_preview_counts_what_would_start(stack: Stack, api: Simulator):
    for number in (1, 2):
        stack.declare(f"fix-{number}", reason="INC-1", instanceId=f"cluster-1-node-{number}")
    done = policed(stack, "preview", **{"at-most": {"most": 1}})
    assert done.code != 0
    assert "2 remediations would start in one update, and at most 1 may: fix-1, fix-2" in done.output
    assert policed(stack, "up", **{"at-most": {"most": 2}}).code == 0
    assert policed(stack, "preview", **{"at-most": {"most": 0}}).code == 0  # nothing would start any more
