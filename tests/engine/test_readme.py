"""The programs and commands of the README and of some pages do what these say. Those of docs/migration.md are run by
test_migration."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.schema import NAME, RELEASES
from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator

STARTED = [ROOT / "README.md", ROOT / "docs" / "usage.md", ROOT / "docs" / "simulator.md"]
"""The pages whose programs and commands are run here."""
PROGRAMS: list[str] = [
    program
    for page in STARTED
    for program in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    if "import pulumi\n" in program
]
"""Their Pulumi programs. The test that simulator.md shows is run by tests/simulator/test_testing.py."""
EXCERPT = (
    (ROOT / "README.md").read_text().partition("It prints, shortened:\n\n```\n")[2].partition("\n```")[0].split("\n")
)
"""What the README shows of an output. It leaves out lines, and the first part of a type's name."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """The commands of a page, without their comments."""
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.strip().splitlines()]


OTHERWISE = {
    "pip install pulumi-resource-togetherai": "test_install: from its wheel, into an empty environment",
    'pip install "pulumi-resource-togetherai[simulator]"': "test_install: its extra, into an empty environment",
    "export TOGETHER_API_KEY=...": "the environment of every stack here",
    "togetherai-check cluster-1": "test_check_cli: against a simulator",
    "pulumi preview": "test_the_programs_run, and every other test here",
    "pulumi up": "test_the_programs_run, and every other test here",
    ".venv/bin/python benchmarks/many.py --plot": "tests/benchmarks, with fewer remediations",
    ".venv/bin/python benchmarks/many.py --n 100,1000 --sides loop,plugin --clusters 1 --pages 100 --no-preview": (
        "tests/benchmarks, with fewer remediations"
    ),
    "pulumi new https://github.com/pulumi-togetherai/pulumi-togetherai/tree/main/templates/python": "test_templates: "
    "from this checkout",
    "pulumi plugin install resource togetherai 0.1.0 --server "
    "github://api.github.com/pulumi-togetherai/pulumi-togetherai": "test_release: from a loopback server",
    "pulumi package add https://github.com/pulumi-togetherai/pulumi-togetherai": "nowhere: there is no network",
    "pulumi package add ../pulumi-togetherai": "by hand: the host here cannot start a plugin's folder",
} | {
    command: where
    for page, where in {
        "state.md": "test_shared_state: login, init, cancel and up on servers of its own; the addresses are made up",
        "operations.md": "test_operations: on a stack, or it says why not",
        "shell.md": "test_do: in its order, with the ids of what is there",
        "telemetry.md": "test_telemetry: the same variables, with collectors of its own",
    }.items()
    for command in commands(ROOT / "docs" / page)
}
"""The commands that are run elsewhere, and where."""


RUN_HERE = [
    command
    for page in STARTED
    for command in commands(page)
    if not command.startswith("make ") and command not in OTHERWISE
]


def plain(text: str) -> str:
    """An output as the README shows it: without what differs from run to run, and on one line."""
    without = re.sub(r"\b[\d.]+(m\d+)?s\b", "TIME", text.replace("pulumi-python:dynamic/togetherai:", ""))
    return " ".join(re.sub(r"\([0-9a-f]{8}\)", "(ID)", without).replace("...", "").split())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: "Rolling" if "Rolling" in program else "Remediation")
def test_the_programs_run(program: str, tmp_path: Path, api: Simulator):
    api.set(pending=60, running=200)  # some polls in each state
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    (stack.folder / "__main__.py").write_text(program)
    preview = stack.preview()
    assert "`pulumi up` will start a REBOOT_VM remediation" in preview.output
    assert api.posts() == 0
    up = stack.up(check=True)
    assert '"SUCCEEDED"' in up.output
    if program in (ROOT / "README.md").read_text():
        told, at = plain(preview.output + up.output), 0
        for line in EXCERPT:
            at = told.index(plain(line), at)


@pytest.mark.parametrize("command", RUN_HERE, ids=lambda command: " ".join(command.split()[:3]))
def test_the_commands_run(command: str, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    if command.startswith("togetherai-simulator") and "--help" not in command:
        # What serves until it is stopped, is stopped once it has said that it serves.
        command += " --port 0 > said & until grep -q 'use it' said; do sleep 0.1; done; kill $!; wait $! || true"
    shell = ["bash", "-ec", command]
    done = subprocess.run(
        shell, cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_shows_an_output():
    assert EXCERPT[-1] == '    state: "SUCCEEDED"'


def test_the_plugin_is_installed_under_its_version_and_from_where_the_sdks_have_it():
    install = commands(ROOT / "docs" / "install.md")
    assert f"pulumi plugin install resource {NAME} {__version__} --server {RELEASES}" in install


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "migration.md"], ids=lambda page: page.name)
def test_no_command_is_left_untried(page: Path):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands(page):
        if command.startswith("make "):
            assert command.split()[1] in targets
        else:
            assert command in RUN_HERE or command in OTHERWISE
