"""Both forms run with the oldest pulumi that pyproject.toml admits, and with the newest. `make versions` runs these."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, Form, Stack
from tests.simulated import simulator

REQUIRED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
(OLDEST,) = [f"pulumi=={bound[1]}" for one in REQUIRED if (bound := re.match(r"pulumi>=([\d.]+)", one))]


@pytest.fixture(scope="module", params=[OLDEST, "pulumi"], ids=["oldest", "newest"])
def venv(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the executables of a virtual environment with one release of pulumi, and what pip takes with it."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, request.param, ROOT, ROOT / "sdk" / "python", "pytest", "pytest-asyncio"], check=True)
    return folder / "bin"


def test_what_is_used_of_its_internals_is_there(venv: Path):
    test = ROOT / "tests" / "unit" / "test_pulumi_internals.py"
    command = [venv / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", "-c", "/dev/null", test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("form", ["plugin", "dynamic"])
def test_a_remediation_is_previewed_and_runs_once(form: Form, venv: Path, tmp_path: Path):
    with simulator() as api:
        stack = Stack(tmp_path / "stack", form, api.address, venv=venv)
        stack.declare()
        assert "`pulumi up` will start a REBOOT_VM remediation" in stack.preview().output
        assert '"SUCCEEDED"' in stack.up(check=True).output
        assert stack.up(check=True).summary("unchanged") == 2
        assert stack.destroy().code == 0
        assert api.posts() == 1


def test_two_components_are_constructed_side_by_side(venv: Path, tmp_path: Path):
    with simulator() as api:
        stack = Stack(tmp_path / "stack", "plugin", api.address, venv=venv)
        racks = {
            f"rack-{number}": {
                "type": "togetherai:RollingRemediation",
                "properties": {
                    "clusterId": "cluster-1",
                    "instances": [f"cluster-1-node-{number}"],
                    "mode": "REBOOT_VM",
                },
            }
            for number in (1, 2)
        }
        plugins = {"providers": [{"name": "togetherai", "path": str(venv)}]}
        program = {"name": "training", "runtime": "yaml", "plugins": plugins, "resources": racks}
        (stack.folder / "Pulumi.yaml").write_text(str(program).replace("'", '"'))
        stack.up(check=True)
        assert api.posts() == 2
