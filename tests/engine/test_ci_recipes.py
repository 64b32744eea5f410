"""The shell steps of the pipelines in examples/ci run, in their order, on the real engine.

Left out are only the steps that install: what they install is there (test_templates runs `pulumi install`). What would
post a comment meets a stand-in that keeps it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.engine.stack import ROOT, VENV, Stack
from tests.simulated import Simulator

CI = ROOT / "examples" / "ci"
SECRETS = ("TOGETHER_API_KEY", "PULUMI_CONFIG_PASSPHRASE", "GITLAB_TOKEN")
"""What the recipes keep in environments. A machine has each under another name, until a step is given it."""
STAND_IN = """#!/bin/sh
for argument in "$@"; do echo "$argument"; done >> "$KEEPS"
cat preview.txt >> "$KEEPS"
"""

Steps = Callable[[str], str]
"""The shell text of a job."""


INSTALL = "pulumi install"
ACTION = {
    "preview": "pulumi preview --stack prod --color never",
    "up": "pulumi up --yes --skip-preview --stack prod --color never",
}
"""What pulumi/actions runs for its `command`."""


def github(job: str) -> str:
    """A job's steps but those that install."""
    steps: list[dict[str, Any]] = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"][job]["steps"]
    assert [step["run"] for step in steps if step.get("name") == "Install"] == [INSTALL]
    return "\n".join(given(step.get("env", ()), shell(step)) for step in steps if step.get("name") != "Install")


def shell(step: dict[str, Any]) -> str:
    """A step as shell text. pulumi/actions cannot run here: this is what its documentation says of the inputs used."""
    told: dict[str, Any] = step.get("with", {})
    if "command" not in told:
        return step.get("run", "true")
    assert (told["stack-name"], told["work-dir"]) == ("prod", "repairs")
    select = "pulumi stack select --create prod; " if told.get("upsert") else ""
    comment = " 2>&1 | tee -a $KEEPS" if told.get("comment-on-pr") else ""
    return select + ACTION[told["command"]] + comment


def given(names: Iterable[str], commands: str) -> str:
    """Commands that have secrets, which what follows them has not."""
    return "\n".join(["(", *(f'export {name}="$THE_{name}"' for name in names), commands, ")"])


def gitlab(job: str) -> str:
    """A job's scripts; the folder and the installation are its `before_script`, which is the same for all."""
    pipeline: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    assert pipeline["default"]["before_script"] == ["cd repairs", INSTALL]
    assert "before_script" not in pipeline[job]
    lines: list[str] = pipeline[job]["script"]
    after = [line for line in pipeline[job].get("after_script", []) if line != "cd repairs"]
    return given(SECRETS if "environment" in pipeline[job] else (), "\n".join([*lines, *after]))


class Runner:
    """A machine that runs jobs in a checkout of the program."""

    def __init__(self, folder: Path, steps: Steps, api: Simulator) -> None:
        self.stack = Stack(folder / "stack", "plugin", api.address)
        self.program = folder / "repairs"
        self.kept = folder / "comments"
        self._steps = steps
        shutil.copytree(CI / "program", self.program)
        (self.program / "venv").symlink_to(VENV.parent)  # what `pulumi install` would make
        stand_ins = folder / "bin"
        stand_ins.mkdir()
        (stand_ins / "curl").write_text(STAND_IN)
        (stand_ins / "curl").chmod(0o755)
        self._env = self.stack.env | {
            "PATH": f"{stand_ins}{os.pathsep}{self.stack.env['PATH']}",
            "CI": "true",
            "KEEPS": str(self.kept),
            "CI_API_V4_URL": "https://example.com/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "2",
            "GITLAB_TOKEN": "token",
        }
        self._env |= {f"THE_{name}": self._env.pop(name) for name in SECRETS}

    def elsewhere(self, folder: Path, api: Simulator) -> Runner:
        """Another machine with a fresh checkout, which shares nothing with this one but where the stack is kept."""
        there = Runner(folder, self._steps, api)
        there._env["PULUMI_BACKEND_URL"] = self._env["PULUMI_BACKEND_URL"]
        return there

    def start(self, job: str) -> subprocess.Popen[str]:
        """Starts a job, in a process group of its own."""
        return subprocess.Popen(
            ["bash", "-eo", "pipefail", "-c", self._steps(job)],
            cwd=self.program,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, job: str) -> str:
        """Runs a job, which must end well, and returns what it printed."""
        process = self.start(job)
        try:
            output, _ = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == 0, output
        return output


@pytest.fixture(params=[github, gitlab], ids=["github", "gitlab"])
def runner(request: pytest.FixtureRequest, tmp_path: Path, api: Simulator) -> Runner:
    """A machine for each recipe."""
    return Runner(tmp_path, request.param, api)


def test_a_pull_request_is_previewed_and_a_merge_repairs_once(runner: Runner, api: Simulator):
    preview = runner.run("preview")
    assert "ok    cluster  cluster-1 (training-1) is known: 4 GPU worker nodes" in preview
    assert "`pulumi up` will start a REBOOT_VM remediation" in preview
    assert "`pulumi up` will start a REBOOT_VM remediation" in runner.kept.read_text()
    assert api.posts() == 0
    assert '"SUCCEEDED"' in runner.run("up")
    assert api.posts() == 1
    runner.run("up")
    assert api.posts() == 1


def test_a_run_that_was_cut_off_is_unlocked_and_goes_on_elsewhere(runner: Runner, api: Simulator, tmp_path: Path):
    api.behave(outcome="never")
    up = runner.start("up")
    remediation = api.until("RUNNING")
    os.killpg(up.pid, signal.SIGKILL)
    up.communicate()
    api.force(remediation["id"], "SUCCEEDED")
    assert "SUCCEEDED" in runner.elsewhere(tmp_path / "elsewhere", api).run("after-interruption")
    assert api.posts() == 1


def test_the_rehearsal_touches_nothing_real_and_leaves_nothing_behind(runner: Runner, api: Simulator):
    output = runner.run("rehearse")
    assert "`pulumi up` will start a REBOOT_VM remediation" in output
    assert '"SUCCEEDED"' in output
    assert api.requests() == []
    left = [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(runner.program)]
    assert left == []


GITHUB: dict[str, Any] = yaml.safe_load((CI / "github-actions.yml").read_text())
GITLAB: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
REPAIRING = ("up", "after-interruption")


def test_both_recipes_keep_one_run_per_stack_and_cut_none_off():
    one = {"group": "repairs-prod", "cancel-in-progress": False}
    assert [GITHUB["jobs"][job]["concurrency"] for job in REPAIRING] == [one, one]
    assert {GITLAB[job]["resource_group"] for job in REPAIRING} == {"repairs-prod"}
    assert {GITLAB[job]["interruptible"] for job in REPAIRING} == {False}


def test_no_pull_request_takes_the_place_of_a_run_that_waits():
    assert "concurrency" not in GITHUB
    for job in ("rehearse", "preview"):
        assert GITHUB["jobs"][job].get("concurrency", {}).get("group") != "repairs-prod"
        assert "resource_group" not in GITLAB[job]


def test_a_secret_reaches_only_steps_that_need_it_in_an_environments_jobs():
    assert "secrets." not in str({name: part for name, part in GITHUB.items() if name != "jobs"})
    for name, job in GITHUB["jobs"].items():
        outside = {key: part for key, part in job.items() if key != "steps"}
        installing = [step for step in job["steps"] if step.get("name") == "Install" or "@" in step.get("uses", "")]
        assert "secrets." not in str(outside)
        assert "secrets." not in str([step for step in installing if "command" not in step.get("with", {})])
        assert ("secrets." in str(job["steps"])) == ("environment" in job) == (name != "rehearse")
        assert (job.get("permissions", {}).get("pull-requests") == "write") == (name == "preview")
    assert GITHUB["permissions"] == {"contents": "read"}
    assert [job for job in GITLAB if "environment" in GITLAB[job]] == ["preview", *REPAIRING]
    assert "variables" not in GITLAB


def test_what_nobody_has_read_gets_no_key():
    """On GitHub the preview waits for a reviewer of its environment; on GitLab it is for protected branches."""
    environments = {job: GITHUB["jobs"][job]["environment"] for job in ("preview", *REPAIRING)}
    assert environments == {"preview": "repairs-preview"} | dict.fromkeys(REPAIRING, "repairs")
    (rule,) = GITLAB["preview"]["rules"]
    assert '$CI_COMMIT_REF_PROTECTED == "true"' in rule["if"]
    assert rule["when"] == "manual"
    for job in REPAIRING:
        assert [rule["if"] for rule in GITLAB[job]["rules"]] == ["$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"]
