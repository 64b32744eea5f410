"""A release: what `make dist` builds is what Pulumi downloads and runs, and all of it is published."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dist import PLATFORMS
from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.schema import RELEASES
from tests.engine.stack import ENGINE, ROOT, Stack
from tests.simulated import Simulator

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["release"]["steps"]
STAND_IN = """#!/bin/sh
for argument in "$@"; do echo "$argument"; done >> "$KEEPS"
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The folder of the executables of an empty virtual environment: what a user's machine has."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "python"], check=True)
    return tmp_path / "python" / "bin"


def test_pulumi_downloads_the_plugin_of_a_release_and_its_code_runs(
    python: Path, releases: str, tmp_path: Path, api: Simulator
):
    """`pulumi install` of an SDK's user does it in the same way; test_templates runs that."""
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    # A release stands on a server that is out of reach here: Pulumi's own setting sends it to ours.
    stack.env |= {"PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": f"^{RELEASES}={releases}"}
    stack.env["PATH"] = os.pathsep.join([str(python), str(ENGINE), "/usr/bin", "/bin"])

    def pulumi(*arguments: str) -> str:
        command = [ENGINE / "pulumi", "--non-interactive", "--color=never", "plugin", *arguments]
        done = subprocess.run(command, env=stack.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pulumi("install", "resource", "togetherai", __version__, "--server", RELEASES)
    assert f"togetherai  resource  {__version__}" in pulumi("ls")
    plugin = Path(stack.env["PULUMI_HOME"]) / "plugins" / f"resource-togetherai-v{__version__}"
    assert (plugin / "PulumiPlugin.yaml").read_text().endswith("runtime: python\n")
    # As today's Python language host goes on: it installs the folder and runs the package. The one here is older.
    install = [python / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--constraint", ROOT / "constraints.txt", plugin], check=True)
    running = Stack(tmp_path / "running", "plugin", api.address, venv=python)
    running.declare()
    assert '"SUCCEEDED"' in running.up(check=True).output
    pulumi("rm", "resource", "togetherai", "--yes")
    assert not plugin.exists()


def test_there_is_an_archive_for_every_platform_that_pulumi_asks_for(dist: Path):
    built = {archive.name for archive in (dist / "plugin").iterdir()}
    assert built == {f"pulumi-resource-togetherai-v{__version__}-{platform}.tar.gz" for platform in PLATFORMS}


def test_the_release_publishes_all_that_is_built(dist: Path, tmp_path: Path):
    """A dry run of the workflow's steps, with stand-ins for what would publish."""
    for name in ("provider", "CHANGELOG.md"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "dist").mkdir()
    for kind in dist.iterdir():
        (tmp_path / "dist" / kind.name).symlink_to(kind)
    (tmp_path / "bin").mkdir()
    for name in ("gh", "npm", "git"):
        (tmp_path / "bin" / name).write_text(STAND_IN.replace("KEEPS", f"KEEPS_{name.upper()}"))
        (tmp_path / "bin" / name).chmod(0o755)
    env = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "GITHUB_REF_NAME": f"v{__version__}",
        **{f"KEEPS_{name}": str(tmp_path / name) for name in ("GH", "NPM", "GIT")},
    }
    built_by = [".ci/run", "make dist"]
    shell = "\n".join(step["run"] for step in STEPS if "run" in step and step["run"] not in built_by)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", shell], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = {str(file.relative_to(dist)) for file in dist.rglob("*.*")}
    told = (tmp_path / "GH").read_text().splitlines()
    assert {file.removeprefix("dist/") for file in told if file.startswith("dist/")} - {"notes.md"} == built
    assert told[:3] == ["release", "create", f"v{__version__}"]
    assert "### Added" in (tmp_path / "dist" / "notes.md").read_text()
    (package,) = (dist / "npm").iterdir()
    assert f"dist/npm/{package.name}" in (tmp_path / "NPM").read_text().splitlines()
    assert f"sdk/v{__version__}" in (tmp_path / "GIT").read_text().splitlines()
    (python,) = [step["with"]["packages-dir"] for step in STEPS if "pypi-publish" in step.get("uses", "")]
    assert python == "dist/python"


def test_a_tag_that_is_not_the_version_is_not_released(tmp_path: Path):
    (tmp_path / "provider").symlink_to(ROOT / "provider")
    (check,) = [step["run"] for step in STEPS if step.get("name") == "The tag is the version"]
    env = {"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": "v9.9.9"}
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", check], cwd=tmp_path, env=env, check=False)
    assert done.returncode
