"""`pulumi new` makes a project of each template, `pulumi install` gets what it needs, and the project runs.

Pulumi makes the project's own virtual environment. The Python language host that can be built everywhere makes it in
the project's folder instead of `venv/`, and does not start programs from it: so a test links one to the other, and
puts it on PATH. Asked what the plugin in its folder needs, that host looks there, too, and finds the SDK, whose plugin
this is; Pulumi then refuses a cyclic dependency. So the plugin is there already in a project that uses its SDK.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.schema import RELEASES
from tests.engine.stack import ENGINE, ROOT, VENV, Stack
from tests.simulated import Simulator

TEMPLATES = sorted(template.parent.name for template in (ROOT / "templates").glob("*/Pulumi.yaml"))
CONFIG = ["--config", "cluster=cluster-1", "--config", "instance=cluster-1-node-1"]


def described(template: str) -> dict[str, Any]:
    """A template's Pulumi.yaml."""
    return yaml.safe_load((ROOT / "templates" / template / "Pulumi.yaml").read_text())


@pytest.mark.parametrize("template", ["python", "python-dynamic", "yaml"])
def test_a_project_made_of_it_runs(template: str, dist: Path, releases: str, tmp_path: Path, api: Simulator):
    """The one in TypeScript is compiled and run by test_languages."""
    stack = Stack(tmp_path / "stack", "plugin", api.address, name="new")
    project = tmp_path / "project"
    project.mkdir()
    path = [str(project / "bin"), str(ENGINE), str(Path(os.path.realpath(VENV / "python3")).parent), "/usr/bin", "/bin"]
    env = stack.env | {
        "PATH": os.pathsep.join(path),
        "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": f"^{RELEASES}={releases}",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "false",
        "PIP_FIND_LINKS": str(dist / "python"),  # not published: pip finds here what it would find there
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
    }

    def pulumi(*arguments: str, folder: Path = project) -> str:
        command = [ENGINE / "pulumi", "--non-interactive", "--color=never", *arguments]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    if template == "python":
        pulumi("plugin", "install", "resource", "togetherai", __version__, "--server", RELEASES, folder=tmp_path)
    pulumi("new", str(ROOT / "templates" / template), "--yes", "--name", "repairs", "--stack", "dev", *CONFIG)
    (project / "venv").symlink_to(".")
    pulumi("config", "set", "togetherai:pollInterval", "50ms")
    pulumi("install")
    plugins = Path(env["PULUMI_HOME"]) / "plugins"
    if template != "python-dynamic":
        # What is downloaded is not what runs: the host here cannot start it. The same code is on PATH.
        assert list(plugins.glob("resource-togetherai-*"))
        env["PATH"] = os.pathsep.join([str(project / "bin"), str(VENV), *path[1:]])
    else:
        assert not list(plugins.glob("resource-togetherai-*"))
    assert "`pulumi up` will start a REBOOT_VM remediation" in pulumi("preview")
    assert api.posts() == 0
    assert '"SUCCEEDED"' in pulumi("up", "--yes", "--skip-preview")
    assert "unchanged" in pulumi("up", "--yes", "--skip-preview")
    assert api.posts() == 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_is_described_and_asks_for_what_it_needs(template: str):
    project = described(template)
    assert project["name"] == "${PROJECT}"
    assert project["template"]["description"].startswith("Repair a GPU node of a Together AI cluster, in ")
    config = project["template"]["config"]
    assert all(setting["description"] for setting in config.values())
    assert config["togetherai:apiKey"]["secret"] is True
    assert config["mode"]["default"] == "REBOOT_VM"


@pytest.mark.parametrize(
    "project", sorted([*ROOT.glob("examples/**/Pulumi.yaml"), *ROOT.glob("templates/*/Pulumi.yaml")])
)
def test_a_python_project_names_toolchain_and_virtual_environment(project: Path):
    runtime = yaml.safe_load(project.read_text())["runtime"]
    if isinstance(runtime, dict):
        options = {"python": {"toolchain": "pip", "virtualenv": "venv"}, "nodejs": {"packagemanager": "npm"}}
        assert runtime["options"] == options[runtime["name"]]  # pyright: ignore[reportUnknownArgumentType]
    else:
        assert runtime in ("yaml", "go")


@pytest.mark.parametrize("project", sorted(ROOT.glob("examples/**/Pulumi.yaml")), ids=lambda path: path.parent.name)
def test_an_example_needs_nothing_that_pulumi_install_was_not_tried_with(project: Path):
    """Its requirements are those of the templates, from which projects are made above."""
    tried = {line for file in ROOT.glob("templates/*/requirements.txt") for line in file.read_text().splitlines()}
    needs = project.with_name("requirements.txt")
    lines = needs.read_text().replace("[simulator]", "").splitlines() if needs.exists() else []
    assert {line for line in lines if not line.startswith("#")} <= tried
