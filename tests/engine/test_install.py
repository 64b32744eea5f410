"""Installed from its wheels into an empty virtual environment, the provider runs both forms."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.schema import RELEASES
from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator

PYTHON_PROGRAM = """\
import pulumi
import pulumi_togetherai as togetherai

fix = togetherai.Remediation("fix", cluster_id="cluster-1", instance_id="cluster-1-node-1", mode="REBOOT_VM")
pulumi.export("state", fix.state)
"""


@pytest.fixture(scope="module")
def venv(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the executables of a virtual environment with nothing in it but our two wheels."""
    folder = tmp_path_factory.mktemp("install")
    run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
    executables = folder / "venv" / "bin"
    wheels = [str(wheel) for wheel in (dist / "python").glob("*.whl")]
    assert len(wheels) == 2
    pip = (str(executables / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", str(ROOT / "constraints.txt"), *wheels, cwd=folder)
    return executables


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


PLUGINS = """
import json, sys
from importlib.metadata import distributions
from pathlib import Path

def plugin(distribution):
    # As Pulumi's Python language host does: a distribution whose name begins with `pulumi-` or `pulumi_` is taken for a
    # plugin of that name, unless the package's folder holds a pulumi-plugin.json that says otherwise.
    name = distribution.metadata["Name"].replace("_", "-").lower()
    top = (distribution.read_text("top_level.txt") or name.replace("-", "_")).split()[0]
    described = Path(distribution.locate_file(top)) / "pulumi-plugin.json"
    if described.exists():
        told = json.loads(described.read_text())
        return f"{told['name']}-{told['version']} from {told['server']}" if told.get("resource") else None
    return f"{name.removeprefix('pulumi-')}-{distribution.version}" if name.startswith("pulumi-") else None

print(json.dumps(sorted(filter(None, map(plugin, distributions())))))
"""


def test_pulumi_install_asks_for_no_plugin_but_the_sdks_own(venv: Path):
    """`pulumi install` downloads what this lists. The provider's package is a plugin, but not one to download."""
    told = subprocess.run([venv / "python", "-c", PLUGINS], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert json.loads(told) == [f"togetherai-{__version__} from {RELEASES}"]


def test_the_package_for_nodejs_names_the_same_plugin(dist: Path):
    """Pulumi's Node.js language host reads it there."""
    (package,) = (dist / "npm").glob("*.tgz")
    with tarfile.open(package) as archive:
        described = archive.extractfile("package/package.json")
        assert described is not None
        expected = {"resource": True, "name": "togetherai", "version": __version__, "server": RELEASES}
        assert json.load(described)["pulumi"] == expected


def test_the_wheel_and_the_source_distribution_say_that_there_is_nothing_to_download(dist: Path):
    wheels = dist / "python"
    (wheel,) = wheels.glob("pulumi_resource_togetherai-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert json.loads(archive.read("pulumi_resource_togetherai/pulumi-plugin.json")) == {"resource": False}
    (source,) = wheels.glob("pulumi_resource_togetherai-*.tar.gz")
    with tarfile.open(source) as archive:
        assert [name for name in archive.getnames() if name.endswith("/pulumi-plugin.json")]


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


SIMULATOR = """
from importlib.metadata import requires
print("\\n".join(line.split(";")[0] for line in requires("pulumi-resource-togetherai") if "simulator" in line))
"""
PAGES = """
import httpx
from togetherai_simulator import running
with running() as simulator:
    for page in ("/", "/reference", "/_simulator/assets/console.js"):
        print(httpx.get(simulator.root + page).status_code)
"""


@pytest.mark.parametrize("command", [["togetherai-simulator"], ["python", "-m", "togetherai_simulator"]])
def test_without_its_extra_the_simulator_says_in_one_line_what_to_install(venv: Path, command: list[str]):
    asked = [str(venv / command[0]), *command[1:]]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "togetherai-simulator: starlette is not installed. The simulator is an extra: "
        'pip install "pulumi-resource-togetherai[simulator]"\n'
    )


def test_with_its_extra_the_installed_simulator_starts(venv: Path, tmp_path: Path):
    extra = subprocess.run([venv / "python", "-c", SIMULATOR], stdout=subprocess.PIPE, text=True, check=True)
    pip = (str(venv / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--target", str(tmp_path / "extra"), *extra.stdout.split(), cwd=tmp_path)
    env = {"PYTHONPATH": str(tmp_path / "extra")}
    command = [venv / "togetherai-simulator", "--help"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    assert "--speed" in done.stdout
    answers = subprocess.run([venv / "python", "-c", PAGES], stdout=subprocess.PIPE, text=True, check=True, env=env)
    assert answers.stdout.split() == ["200", "200", "200"], "the wheel has its templates and its assets"


def test_a_provider_brings_no_web_server(venv: Path):
    listed = [str(venv / "python"), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    installed = subprocess.run(listed, stdout=subprocess.PIPE, text=True, check=True).stdout.lower()
    assert "starlette" not in installed
    assert "uvicorn" not in installed


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
