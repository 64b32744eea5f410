"""docs/migration.md keeps its word: each of its commands and programs is run, in its order."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, Run, Stack
from tests.simulated import Simulator

BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```(sh|yaml)\n(.*?)^```$", (ROOT / "docs" / "migration.md").read_text(), re.MULTILINE | re.DOTALL
)
LISTING, SHOW_ACTIVE, IMPORT, IMPORTED, TG, CURL, DECLARED = (text for _, text in BLOCKS)


def program(stack: Stack, text: str) -> None:
    """Makes a program of the page that of the stack."""
    (stack.folder / "Pulumi.yaml").write_text(text)


def shell(stack: Stack, command: str, api: Simulator) -> Run:
    """Runs a command of the page as it stands there."""
    env = stack.env | {"TOGETHER_BASE_URL": api.address.removesuffix("/v1"), "TOGETHER_PROJECT_ID": "project"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=stack.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture
def stack(tmp_path: Path, api: Simulator) -> Stack:
    """The stack of the page's programs."""
    made = Stack(tmp_path / "stack", "plugin", api.address)
    program(made, SHOW_ACTIVE)
    made.run("stack", "init", check=True)
    return made


def test_what_was_started_by_hand_is_seen_and_taken_over(stack: Stack, api: Simulator):
    api.behave(outcome="never")
    remediation = api.create()
    api.until("RUNNING")
    listed = shell(stack, LISTING, api)
    assert listed.code == 0, listed.output
    preview = stack.preview()
    assert remediation["id"] in preview.output
    api.force(remediation["id"], "SUCCEEDED")
    arguments = shlex.split(IMPORT.replace("REMEDIATION\n", remediation["id"]))[1:]
    program(stack, "name: repairs\nruntime: yaml\n")
    imported = stack.run(*arguments[:1], "--skip-preview", *arguments[1:])
    assert imported.code == 0, imported.output
    program(stack, IMPORTED)
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


@pytest.mark.parametrize("command", [TG, CURL], ids=["tg", "curl"])
def test_a_program_asks_for_what_the_command_asked_for(stack: Stack, api: Simulator, command: str):
    done = shell(stack, command, api)
    assert done.code == 0, done.output
    (by_hand,) = api.requests("created")
    program(stack, DECLARED.replace("cluster-1-node-2", "cluster-1-node-3"))
    stack.up(check=True)
    (_, declared) = api.requests("created")
    assert declared["path"] == by_hand["path"].replace("node-2", "node-3")
    assert declared["body"]["mode"] == by_hand["body"]["mode"]
    assert declared["body"]["reason"].startswith(by_hand["body"]["reason"])
