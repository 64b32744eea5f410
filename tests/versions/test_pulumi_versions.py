"""Both forms run with the oldest and the newest of Pulumi's packages and engines. `make versions` runs these.

The oldest package is the one that pyproject.toml admits, the newest is PyPI's; one between them tells a component of
what failed in a way of its own. The newest engine is the one that
set-up builds and takes from PATH, the oldest is the oldest that is supported.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Generator
from pathlib import Path

import pytest

from get_engine import OLDEST_BIN
from tests.engine.stack import ENGINE, ROOT, Form, Stack
from tests.engine.test_do import Shell, listed, page
from tests.engine.test_rolling import NODES, declare, halt_at_the_second, halt_beside_another, rack
from tests.simulated import Simulator, simulator

REQUIRED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
(OLDEST,) = [f"pulumi=={bound[1]}" for one in REQUIRED if (bound := re.match(r"pulumi>=([\d.]+)", one))]


@pytest.fixture(scope="module", params=[OLDEST, "pulumi==3.254.0", "pulumi"], ids=["oldest", "between", "newest"])
def venv(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the executables of a virtual environment with one release of pulumi, and what pip takes with it."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, request.param, ROOT, ROOT / "sdk" / "python", "pytest", "pytest-asyncio"], check=True)
    return folder / "bin"


@pytest.fixture(params=[OLDEST_BIN, ENGINE], ids=["oldest-engine", "newest-engine"])
def engine(request: pytest.FixtureRequest) -> Path:
    """The folder of an engine."""
    assert (request.param / "pulumi").exists(), "run `make versions`, which gets it"
    return request.param


@pytest.fixture(params=["plugin", "dynamic"])
def form(request: pytest.FixtureRequest) -> Form:
    """Each of the two adapters."""
    return request.param


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API with one cluster of four nodes."""
    with simulator() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, form: Form, api: Simulator, venv: Path, engine: Path) -> Stack:
    """A stack of one form, with these releases."""
    return Stack(tmp_path / "stack", form, api.address, venv=venv, engine=engine)


def test_what_is_used_of_its_internals_is_there(venv: Path):
    test = ROOT / "tests" / "unit" / "test_pulumi_internals.py"
    options = ["-q", "-p", "no:cacheprovider", "--noconftest", "-c", "/dev/null", "-o", "asyncio_mode=auto"]
    command = [venv / "python", "-m", "pytest", *options, test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_remediation_is_previewed_and_runs_once(stack: Stack, api: Simulator):
    stack.declare()
    assert "`pulumi up` will start a REBOOT_VM remediation" in stack.preview().output
    assert '"SUCCEEDED"' in stack.up(check=True).output
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert api.posts() == 1


def test_a_failed_remediation_is_told_in_words_and_without_a_traceback(stack: Stack, api: Simulator):
    api.behave(outcome="fail", error_message="no healthy host")
    stack.declare()
    up = stack.up()
    assert up.code == 1
    assert "no healthy host" in up.diagnostics
    assert "Traceback" not in up.output
    assert stack.up().code == 1  # it is said again
    assert api.posts() == 1


def test_a_shell_rehearses_repairs_and_lists(tmp_path: Path, venv: Path, engine: Path, api: Simulator):
    shell = Shell(tmp_path / "night", api, venv, engine)
    (rehearse,), (repair,) = page("Rehearse"), page("Repair")
    assert "`pulumi do` will start a REBOOT_VM remediation" in shell.run(rehearse).beside
    for _ in range(2):
        assert shell.run(repair).code == 0
    assert api.posts() == 1
    *_, of_the_node = page("Look")
    knows_lists = [venv / "python", "-c", "from pulumi.runtime.proto.provider_pb2 import ListRequest"]
    if subprocess.run(knows_lists, capture_output=True, check=False).returncode:
        assert shell.run(of_the_node).code == 1
    else:
        (ended,) = listed(shell.run(of_the_node))
        assert "SUCCEEDED" in ended["name"]


def test_a_rolling_remediation_halts_after_a_failure(stack: Stack, api: Simulator, form: Form):
    halt_at_the_second(stack, api, form)


def test_a_rolling_remediation_that_halts_ends_nothing_beside_it(stack: Stack, api: Simulator, form: Form):
    halt_beside_another(stack, api, form)


def test_two_components_are_constructed_side_by_side(stack: Stack, api: Simulator, form: Form):
    declare(stack, left=rack(form, instances=NODES[:1]), right=rack(form, instances=NODES[1:2]))
    stack.up(check=True)
    assert api.posts() == 2
