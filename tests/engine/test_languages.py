"""The SDKs for Node.js and Go compile, and the examples in these languages run: preview, up twice, refresh, destroy.

The examples in Python and YAML are run as a user runs them (see test_examples). Here the languages' hosts may be
missing, so the same program files are run inline, by the Automation API of their own SDK.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator

DRIVERS = Path(__file__).parent / "languages"
BUILD_LIMIT = 900
"""Seconds after which a build counts as hung; the first one on a machine downloads and compiles a lot."""
LOCAL_SDK = f"-replace=github.com/pulumi-togetherai/pulumi-togetherai/sdk={ROOT / 'sdk'}"
SETTINGS = {
    "cluster": "cluster-1",
    "instance": "cluster-1-node-2",
    "togetherai:pollInterval": "50ms",
}


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm")
@pytest.mark.parametrize(
    ("program", "mode"),
    [("examples/typescript", "REMEDIATION_MODE_VM_ONLY"), ("templates/typescript", "REMEDIATION_MODE_REBOOT_VM")],
)
def test_a_program_in_typescript_compiles_with_the_sdk_and_runs_once(
    program: str, mode: str, nodejs: Path, tmp_path: Path, api: Simulator
):
    project = tmp_path / "project"
    shutil.copytree(ROOT / program, project)
    shutil.copy(DRIVERS / "driver.js", project)
    (project / "node_modules").symlink_to(nodejs / "node_modules")
    build(project, "npx", "tsc", "--outDir", "bin")
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    settings = SETTINGS | {"mode": "REBOOT_VM"}
    told = run(stack, project, ["node", "driver.js", "./bin/index.js", json.dumps(settings)])
    ran_once([json.loads(line) for line in told.splitlines()], api, mode)


@pytest.fixture(scope="module")
def nodejs(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the published package for Node.js in its node_modules."""
    folder = tmp_path_factory.mktemp("nodejs")
    shutil.copy(DRIVERS / "package.json", folder)
    (package,) = (dist / "npm").glob("*.tgz")
    build(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", str(package))
    return folder


@pytest.mark.skipif(not shutil.which("go"), reason="there is no Go")
def test_the_sdk_for_go_builds_and_its_example_runs_and_runs_once(tmp_path: Path, api: Simulator):
    build(ROOT / "sdk", "go", "build", "./...")
    build(ROOT / "sdk", "go", "vet", "./...")
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "go", project)
    shutil.copy(DRIVERS / "driver_test.go", project)
    build(project, "go", "mod", "edit", LOCAL_SDK)
    build(project, "go", "vet", "-mod=mod", ".")
    build(project, "go", "test", "-mod=mod", "-c", "-o", "driver", ".")
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    told = project / "told"
    stack.env |= {"DRIVER_OUTPUT": str(told), "DRIVER_SETTINGS": json.dumps(SETTINGS)}
    run(stack, project, ["./driver"])
    ran_once([json.loads(line) for line in told.read_text().splitlines()], api, "REMEDIATION_MODE_HOST_POWER_CYCLE")


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm")
def test_the_program_for_several_accounts_compiles_in_typescript(nodejs: Path, tmp_path: Path):
    project = shown("typescript", tmp_path / "project", "index.ts")
    (project / "node_modules").symlink_to(nodejs / "node_modules")
    build(project, "npx", "tsc", "--noEmit")


@pytest.mark.skipif(not shutil.which("go"), reason="there is no Go")
def test_the_program_for_several_accounts_compiles_in_go(tmp_path: Path):
    project = shown("go", tmp_path / "project", "main.go")
    build(project, "go", "mod", "edit", LOCAL_SDK)
    build(project, "go", "vet", "-mod=mod", ".")


def shown(language: str, project: Path, file: str) -> Path:
    """The example of a language with the program of docs/operations.md in place of its own."""
    shutil.copytree(ROOT / "examples" / language, project)
    page = (ROOT / "docs" / "operations.md").read_text()
    (program,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (project / file).write_text(program)
    return project


def build(folder: Path, *command: str) -> None:
    """Runs a command of the language's own tools, with the machine's caches."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


def run(stack: Stack, folder: Path, command: list[str]) -> str:
    """Runs a driver in a stack's environment and returns what it printed."""
    node = os.pathsep.join(str(Path(tool).parent) for name in ("node",) if (tool := shutil.which(name)))
    env = stack.env | {"PATH": os.pathsep.join([stack.env["PATH"], node])}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran_once(told: list[dict[str, Any]], api: Simulator, mode: str) -> None:
    """Holds what a driver told against what the API saw."""
    assert [line["operation"] for line in told] == ["preview", "up", "up", "refresh", "destroy"]
    preview, up, again, refresh, destroy = told
    assert "`pulumi up` will start a" in preview["output"]
    assert preview["changes"] == {"create": 2}
    assert up["changes"] == {"create": 2}
    assert up["outputs"]["state"] == "SUCCEEDED"
    assert again["changes"] == {"same": 2}
    assert "update" not in refresh["changes"]
    assert destroy["changes"] == {"delete": 2}
    (created,) = api.requests("created")
    assert created["body"]["mode"] == mode
    assert up["outputs"]["remediation"] in created["query"]
    assert api.posts() == 1
