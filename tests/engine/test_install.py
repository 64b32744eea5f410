"""Installed from its wheels into an empty virtual environment, the provider runs both forms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator

PYTHON_PROGRAM = """\
import pulumi
import pulumi_togetherai as togetherai

fix = togetherai.Remediation("fix", cluster_id="cluster-1", instance_id="cluster-1-node-1", mode="REBOOT_VM")
pulumi.export("state", fix.state)
"""


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the executables of a virtual environment with nothing in it but our two wheels."""
    folder = tmp_path_factory.mktemp("install")
    for source in (ROOT, ROOT / "sdk" / "python"):
        # Each wheel is made from the source distribution, so that one is whole too.
        run(sys.executable, "-m", "build", "--outdir", str(folder / "wheels"), str(source), cwd=folder)
    run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
    executables = folder / "venv" / "bin"
    wheels = [str(wheel) for wheel in (folder / "wheels").glob("*.whl")]
    assert len(wheels) == 2
    pip = (str(executables / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", str(ROOT / "constraints.txt"), *wheels, cwd=folder)
    return executables


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_dynamic_form_runs(venv: Path, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address, venv=venv)
    stack.declare()
    assert '"SUCCEEDED"' in stack.up(check=True).output


def test_the_plugin_runs_with_the_generated_sdk(venv: Path, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address, venv=venv)
    (stack.folder / "__main__.py").write_text(PYTHON_PROGRAM)
    up = stack.up(check=True)
    assert '"SUCCEEDED"' in up.output
    assert api.posts() == 1


def test_the_installed_package_has_its_whole_schema(venv: Path, tmp_path: Path):
    command = [venv / "python", "-m", "pulumi_resource_togetherai.schema"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=tmp_path).stdout
    assert told == (ROOT / "sdk" / "schema.json").read_text()


def test_the_installed_simulator_starts(venv: Path):
    done = subprocess.run([venv / "togetherai-simulator", "--help"], stdout=subprocess.PIPE, text=True, check=True)
    assert "--speed" in done.stdout


@pytest.mark.parametrize(
    "command", [["-m", "pulumi.run.plugin", "pulumi-resource-togetherai"], ["-m", "pulumi_resource_togetherai"]]
)
def test_a_stock_pulumi_can_start_the_plugin_from_source(venv: Path, command: list[str], tmp_path: Path):
    """What Pulumi runs for a PulumiPlugin.yaml: the plugin prints its port, and ends at SIGTERM."""
    plugin = subprocess.Popen(
        [venv / "python", *command, "127.0.0.1:9"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert plugin.stdout is not None
    assert int(plugin.stdout.readline()) > 0
    plugin.terminate()
    output, errors = plugin.communicate(timeout=30)
    assert (output, errors, plugin.returncode) == ("", "", 0)
