"""docs/shell.md keeps its word: each of its commands is run, as it stands there, on the real engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pulumi_resource_togetherai import __version__
from tests.engine.stack import COMMAND_LIMIT, ENGINE, ROOT, VENV, Stack
from tests.simulated import Simulator
from togetherai_simulator import pulumi_environment


def commands(section: str) -> list[str]:
    """The commands of a part of the page, in their order."""
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


SECTIONS = {
    section.partition("\n")[0]: commands(section) for section in (ROOT / "docs" / "shell.md").read_text().split("\n## ")
}
"""The commands of the page, by section."""
QUICK = ["--togetherai:poll-interval", "50ms"]


class Done(NamedTuple):
    """What a command printed on each of its outputs, and how it ended."""

    code: int
    said: str
    beside: str

    @property
    def text(self) -> str:
        return self.said + self.beside


class Shell:
    """A terminal at night: no project, no stack and no login, only the plugin and the key."""

    def __init__(self, folder: Path, api: Simulator, venv: Path = VENV, engine: Path = ENGINE) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.env = {
            "PATH": os.pathsep.join([str(venv), str(engine), "/usr/bin", "/bin"]),
            **pulumi_environment(folder),
            "TOGETHER_BASE_URL": api.address,
            "TOGETHER_API_KEY": "test-key",
        }
        del self.env["PULUMI_BACKEND_URL"]
        plugin = str(venv / "pulumi-resource-togetherai")
        installed = self.run(f"pulumi plugin install resource togetherai {__version__} --file {plugin}")
        assert installed.code == 0, installed.text

    def run(self, command: str, *flags: str) -> Done:
        """A command of the page, with more flags at its end."""
        done = subprocess.run(
            [*shlex.split(command), *flags, *self.settings(command)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def settings(command: str) -> list[str]:
        return [*QUICK, "--color=never"] if command.startswith("pulumi do") else []


@pytest.fixture
def shell(tmp_path: Path, api: Simulator) -> Shell:
    """A shell with the newest engine."""
    return Shell(tmp_path / "night", api)


def page(section: str, **ids: str) -> list[str]:
    """The commands of a section, with ids in place of its placeholders."""
    found = SECTIONS[section]
    for name, value in ids.items():
        found = [command.replace(name, value) for command in found]
    return found


def listed(done: Done) -> list[dict[str, str]]:
    assert done.code == 0, done.text
    return json.loads(done.said)


def outputs(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.text
    return json.loads(done.said)


def test_look(shell: Shell, api: Simulator):
    instances, active, of_the_node = page("Look")
    running, proposed = api.create("cluster-1-node-1"), api.propose("cluster-1-node-2", fault="xid")
    api.until("SUCCEEDED")
    assert len(outputs(shell.run(instances))["instances"]) == 4
    (waiting,) = listed(shell.run(active))
    assert waiting["id"] == f"cluster-1/cluster-1-node-2/{proposed['id']}"
    assert re.fullmatch(r"\S+ PENDING_APPROVAL REBOOT_VM 20\S+Z", waiting["name"])
    (ended,) = listed(shell.run(of_the_node))
    assert ended["id"] == f"cluster-1/cluster-1-node-1/{running['id']}"
    assert [
        each["id"] for each in listed(shell.run(active.replace("PENDING_APPROVAL", "SUCCEEDED"), "--count", "1"))
    ] == [ended["id"]]
    wrong = shell.run(active.replace("RUNNING", "RUNING"))
    assert wrong.code == 1
    assert '"RUNING" is not a state; did you mean RUNNING?' in wrong.beside
    assert api.posts() == 1


def test_rehearse_then_repair_then_wait(shell: Shell, api: Simulator):
    (rehearse,), (repair,) = page("Rehearse"), page("Repair")
    rehearsed = shell.run(rehearse)
    assert rehearsed.code == 0
    assert (
        "`pulumi do` will start a REBOOT_VM remediation of node cluster-1-host-1 of cluster cluster-1, which is "
        "instance cluster-1-node-1, now Ready on host cluster-1-host-1"
    ) in rehearsed.beside
    assert api.posts() == 0
    repaired = shell.run(repair)
    assert repaired.code == 0, repaired.text
    assert "warning: PENDING" in repaired.beside
    assert "warning: SUCCEEDED after" in repaired.beside
    again = shell.run(repair)
    assert again.code == 0
    assert "the same was asked for before and SUCCEEDED" in again.beside
    assert "to run another one, give another `--idempotency-key`" in again.beside
    assert "will start nothing and take over" in shell.run(rehearse).beside
    assert api.posts() == 1
    (remediation,) = api.remediations()
    wait, look = page("Wait", REMEDIATION=remediation["id"])
    read = outputs(shell.run(wait, "--output", "json"))
    assert (read["id"], read["state"]) == (f"cluster-1/cluster-1-node-1/{remediation['id']}", "SUCCEEDED")
    seen = shell.run(look)
    assert seen.code == 0
    assert "SUCCEEDED, started by simulator-user with pulumi do" in seen.beside


def test_another_key_repairs_the_node_once_more(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    assert shell.run(repair).code == 0
    other = repair.replace("INC-1042", "INC-1050")
    assert "was repaired" in shell.run(other.replace("--yes", "--dry-run")).beside
    assert shell.run(other).code == 0
    assert api.posts() == 2
    elsewhere = repair.replace("host-1", "host-2")
    assert shell.run(elsewhere).code == 0, "one incident, two nodes"
    assert api.posts() == 3


def test_a_bad_end_fails_and_runs_again_only_by_a_flag(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    api.behave(outcome="fail", error_message="no healthy host")
    for _ in range(2):
        failed = shell.run(repair)
        assert failed.code == 1
        assert "FAILED after" in failed.beside
        assert "no healthy host" in failed.beside
        assert "set `--retry-failed=true`, or give another `--idempotency-key`" in failed.beside
        assert "`pulumi up" not in failed.text
    assert api.posts() == 1
    (remediation,) = api.remediations()
    wait, look = page("Wait", REMEDIATION=remediation["id"])
    read = shell.run(wait, "--output", "json")
    assert (read.code, read.said) == (1, "")
    assert shell.run(look).code == 0
    api.behave(outcome="succeed")
    assert shell.run(repair, "--retry-failed").code == 0
    assert api.posts() == 2


def test_read_waits_for_whatever_is_under_way_and_a_dry_run_only_looks(shell: Shell, api: Simulator):
    api.behave(outcome="never")
    remediation = api.create()
    api.until("RUNNING")
    wait, look = page("Wait", REMEDIATION=remediation["id"])
    looked = outputs(shell.run(look, "--output", "json"))
    assert looked["state"] == "RUNNING"
    command = [*shlex.split(wait), *shell.settings(wait)]
    with subprocess.Popen(command, cwd=shell.folder, env=shell.env, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert any("warning: RUNNING " in line for line in waiting.stderr)
        api.force(remediation["id"], "SUCCEEDED")
        assert "SUCCEEDED" in waiting.communicate(timeout=COMMAND_LIMIT)[1]
    assert waiting.returncode == 0


def test_ctrl_c_ends_the_wait_and_the_same_command_waits_for_the_rest(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    api.behave(outcome="never")
    command = [*shlex.split(repair), *shell.settings(repair)]
    with subprocess.Popen(
        command, cwd=shell.folder, env=shell.env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as waiting:
        api.until("RUNNING")
        os.killpg(waiting.pid, signal.SIGINT)
        waiting.communicate(timeout=COMMAND_LIMIT)
    assert waiting.returncode == -signal.SIGINT
    (remediation,) = api.remediations()
    api.force(remediation["id"], "SUCCEEDED")
    assert shell.run(repair).code == 0
    assert api.posts() == 1


def test_the_standard_output_holds_the_json_and_nothing_else(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    planned = outputs(shell.run(repair.replace("--yes", "--dry-run"), "--output", "json"))
    assert planned["state"] == "[unknown]"
    done = shell.run(repair, "--output", "json")
    assert outputs(done)["state"] == "SUCCEEDED"
    assert "warning: SUCCEEDED after" in done.beside


def test_approve(shell: Shell, api: Simulator):
    proposed = api.propose("cluster-1-node-2", fault="xid")
    rehearse, approve, reviews = page("Approve", PROPOSED=proposed["id"])
    rehearsed = shell.run(rehearse)
    assert "`pulumi do` will approve remediation" in rehearsed.beside
    assert "Xid" in rehearsed.beside
    assert listed(shell.run(reviews)) == []
    wrong = shell.run(approve.replace("--expected-mode REBOOT_VM", "--expected-mode VM_ONLY"))
    assert wrong.code == 1
    assert listed(shell.run(reviews)) == []
    approved = shell.run(approve)
    assert approved.code == 0, approved.text
    assert "SUCCEEDED" in approved.beside
    assert [each["id"] for each in listed(shell.run(reviews))] == [f"cluster-1/cluster-1-node-2/{proposed['id']}"]


def test_cancel(shell: Shell, api: Simulator):
    api.behave("cluster-1-node-3", outcome="hold")
    pending, untouched = api.create("cluster-1-node-3"), api.propose("cluster-1-node-4", fault="xid")
    (cancel,) = page("Cancel", STARTED=pending["id"])
    assert "PENDING, started by simulator-user" in shell.run(cancel.replace("--yes", "--dry-run")).beside
    cancelled = shell.run(cancel)
    assert cancelled.code == 0, cancelled.text
    assert "PENDING, started by simulator-user" in cancelled.beside
    assert "cancelled remediation" in cancelled.beside
    states = {each["id"]: each["state"] for each in api.remediations()}
    assert states == {pending["id"]: "CANCELLED", untouched["id"]: "PENDING_APPROVAL"}
    again = shell.run(cancel)
    assert again.code == 0
    assert "nothing to cancel" in again.beside


def test_what_has_begun_is_not_cancelled_and_the_wait_for_its_end_is_named(shell: Shell, api: Simulator):
    api.behave(outcome="never")
    remediation = api.create()
    api.until("RUNNING")
    (cancel,) = page("Cancel", STARTED=remediation["id"])
    refused = shell.run(cancel.replace("node-3", "node-1"))
    assert refused.code == 1
    assert "is RUNNING and cannot be cancelled any more" in refused.beside
    wait, _ = page("Wait", REMEDIATION=remediation["id"])
    assert f"`{wait}` waits for its end" in refused.beside


def test_what_a_stack_repairs_is_not_taken_for_ones_own(shell: Shell, plugin_stack: Stack, api: Simulator):
    api.behave(outcome="never")
    plugin_stack.declare(wait=False)
    plugin_stack.up(check=True)
    (repair,) = page("Repair")
    refused = shell.run(repair)
    assert refused.code == 1
    assert "is being repaired already" in refused.beside
    assert "started by fix of Pulumi program training/prod" in refused.beside
    assert "to wait for it here: set `--if-active` to ADOPT" in refused.beside
    assert api.posts() == 1


def test_keep_it(shell: Shell, plugin_stack: Stack, api: Simulator):
    (repair,), (keep,) = page("Repair"), page("Keep it")
    assert shell.run(repair).code == 0
    (remediation,) = api.remediations()
    imported = plugin_stack.run(*shlex.split(keep.replace("REMEDIATION", remediation["id"]))[1:])
    assert imported.code == 0, imported.output
    plugin_stack.declare("node-1", reason="Xid 79")
    assert plugin_stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_a_patch_starts_nothing(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    assert shell.run(repair).code == 0
    (remediation,) = api.remediations()
    patch = f"pulumi do togetherai:Remediation patch cluster-1/cluster-1-node-1/{remediation['id']} --stateless --yes"
    refused = shell.run(patch, "--mode", "VM_ONLY")
    assert refused.code == 1
    assert "a change of mode asks for another one, which only `create` starts. Nothing was changed" in refused.beside
    assert api.posts() == 1


def test_a_mistake_is_answered_with_what_to_write(shell: Shell, api: Simulator):
    (repair,) = page("Repair")
    for wrong, instead in (
        ("--mode REBOTO_VM", "did you mean REBOOT_VM?"),
        ("--if-active adopt", "did you mean ADOPT?"),
        ("--instance-id cluster-1-node-1", "give one of them"),
    ):
        refused = shell.run(repair, *shlex.split(wrong))
        assert refused.code == 1, refused.text
        assert instead in refused.beside
    assert api.requests() == []


def test_every_section_with_commands_has_its_test():
    tested = {"Look", "Rehearse", "Repair", "Wait", "Approve", "Cancel", "Keep it"}
    first, *rest = SECTIONS
    assert tested == {title for title in rest if SECTIONS[title]}
    assert len(SECTIONS[first]) == 2  # the installation, which test_release tries, and the key
