"""docs/operations.md: its commands and programs run, and what it says comes true."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.processes import printed_until
from tests.engine.stack import ROOT, Form, Stack
from tests.simulated import Simulator, simulator

PAGE = (ROOT / "docs" / "operations.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def shell(stack: Stack, command: str) -> str:
    """Runs a command of the page where the stack's program is."""
    path = f"{stack.env['PATH']}{os.pathsep}{Path(str(shutil.which('jq'))).parent}"
    env = stack.env | {"PATH": path, "PULUMI_STACK": stack.name}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=stack.folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("jq"), reason="there is no jq")
def test_the_stack_tells_what_it_has_repaired(stack: Stack, api: Simulator):
    stack.declare("second", instanceId="cluster-1-node-2", reason="INC-2")
    stack.up(check=True)
    stack.declare("first", reason="INC-1")
    stack.up(check=True)
    command = blocks("sh")[0]
    lines = [line.split("\t") for line in shell(stack, command).splitlines()]
    told = [(instance, mode, state, reason.partition(" [pulumi ")[0]) for _, instance, mode, state, reason in lines]
    assert told == [
        ("cluster-1-node-2", "REMEDIATION_MODE_REBOOT_VM", "SUCCEEDED", "INC-2"),
        ("cluster-1-node-1", "REMEDIATION_MODE_REBOOT_VM", "SUCCEEDED", "INC-1"),
    ]
    assert all(ended.startswith("20") for ended, *_ in lines)


def test_an_ended_one_taken_out_and_brought_back_by_revert_runs_nothing(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    stack.forget()
    asked = len(api.requests())
    stack.up(check=True)
    assert stack.resources() == {}
    assert len(api.requests()) == asked, "nothing is sent about what has ended"
    stack.declare()
    back = stack.up(check=True)
    assert "it belongs to this resource and SUCCEEDED" in back.output
    assert "so nothing runs" in back.output
    assert api.posts() == 1
    stack.declare(triggers={"incident": "INC-2"})
    stack.up(check=True)
    assert api.posts() == 2


def test_a_refresh_that_is_interrupted_gives_the_lock_back_and_the_next_up_resumes(plugin_stack: Stack, api: Simulator):
    api.behave(outcome="never")
    plugin_stack.declare(timeout="1s")
    assert plugin_stack.up().code == 1
    plugin_stack.declare()
    with plugin_stack.running("up", "--yes", "--skip-preview") as up:  # records the longer timeout
        printed_until(up, "RUNNING")
        os.kill(up.pid, signal.SIGINT)
        up.communicate(timeout=60)
    (command,) = (block for block in blocks("sh") if "refresh" in block)
    interrupted = plugin_stack.running("refresh", "--yes", "--skip-preview")
    assert command.startswith("timeout --signal=INT ")
    assert command.rstrip().endswith("pulumi refresh --yes --skip-preview")
    with interrupted as refresh:
        printed_until(refresh, "RUNNING")
        os.kill(refresh.pid, signal.SIGINT)
        output, _ = refresh.communicate(timeout=60)
    assert "stopped waiting for REBOOT_VM of instance" in output
    (remediation,) = api.remediations()
    api.force(remediation["id"], "SUCCEEDED")
    plugin_stack.up(check=True)  # nothing has to be unlocked
    assert plugin_stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert api.posts() == 1


@pytest.fixture
def accounts() -> dict[str, Any]:
    """A scenario of two clusters that two accounts have, each with a key that sees its own."""
    keys = [
        {"key": "test-key"},
        {"key": "research-key", "user": "research", "clusters": ["cluster-1"]},
        {"key": "production-key", "user": "production", "clusters": ["cluster-2"]},
        {"key": "next-key", "clusters": ["cluster-1"]},
    ]
    return {"clusters": 2, "instances": 2, "api_keys": keys}


def test_a_key_that_is_revoked_during_a_wait_is_replaced_and_nothing_runs_twice(
    tmp_path: Path, form: Form, accounts: dict[str, Any]
):
    with simulator(**accounts) as api:
        api.behave(outcome="never")
        stack = Stack(tmp_path / "stack", form, api.address, api_key="research-key")
        stack.declare()
        with stack.running("up", "--yes", "--skip-preview") as up:
            remediation = api.until("RUNNING")
            api.add_fault({"kind": "error", "status": 401})
            output, _ = up.communicate(timeout=60)
        assert up.returncode != 0
        assert "can no longer see REBOOT_VM of instance" in output
        assert "401" in output
        api.clear_faults()
        api.force(remediation["id"], "SUCCEEDED")
        stack.env["TOGETHER_API_KEY"] = "next-key"
        stack.up(check=True)
        assert stack.resources()["fix"]["outputs"]["remediationId"] == remediation["id"]
        assert api.posts() == 1


def test_another_key_in_the_configuration_runs_nothing_again(tmp_path: Path, form: Form, accounts: dict[str, Any]):
    with simulator(**accounts) as api:
        stack = Stack(tmp_path / "stack", form, api.address, api_key=None)
        stack.declare()
        for key in ("research-key", "next-key"):
            stack.run("config", "set", "--secret", "togetherai:apiKey", key, check=True)
            stack.up(check=True)
        assert api.posts() == 1
        assert stack.up(check=True).summary("unchanged") == 2


PROGRAMS = {
    "python": ("__main__.py", blocks("python")[0], "{name: training, runtime: python}"),
    "dynamic": ("__main__.py", blocks("python")[1], "{name: training, runtime: python}"),
    "yaml": ("program.yaml", next(block for block in blocks("yaml") if "resources:" in block), ""),
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_each_account_is_served_with_its_own_key(tmp_path: Path, accounts: dict[str, Any], language: str):
    file, program, project = PROGRAMS[language]
    with simulator(**accounts) as api:
        stack = Stack(tmp_path / "stack", "dynamic", api.address, api_key=None)
        (stack.folder / file).write_text(program)
        declared = (
            yaml.safe_load(project) if project else {"name": "training", "runtime": "yaml"} | yaml.safe_load(program)
        )
        (stack.folder / "Pulumi.yaml").write_text(json.dumps(declared))
        for account in ("research", "production"):
            stack.run("config", "set", "--secret", f"{account}Key", f"{account}-key", check=True)
        preview = stack.preview()
        assert preview.code == 0, preview.output
        assert preview.output.count("`pulumi up` will start a REBOOT_VM remediation of") >= 2
        stack.up(check=True)
        for number, account in enumerate(("research", "production"), 1):
            (made,) = api.remediations(f"cluster-{number}")
            assert made["requested_by"] == account
        assert not [text for text in (preview.output, json.dumps(stack.resources())) if "research-key" in text]


def test_rate_limits_delay_a_run_and_end_none(stack: Stack, api: Simulator):
    api.add_fault({"kind": "rate_limit", "seconds": 0, "count": 4})
    stack.declare()
    stack.up(check=True)
    assert api.posts() >= 1
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED"]


def test_a_post_that_is_refused_for_the_rate_says_so_and_starts_nothing(stack: Stack, api: Simulator):
    stack.configure("togetherai:maxRetries", "0")
    api.add_fault({"kind": "rate_limit", "seconds": 0, "operation": "create"})
    stack.declare()
    up = stack.up()
    assert up.code == 1
    assert "was started: create remediation: 429" in up.output
    api.clear_faults()
    stack.up(check=True)
    assert len(api.remediations()) == 1


def test_it_runs_without_a_home(stack: Stack, api: Simulator):
    del stack.env["HOME"]
    stack.declare()
    assert stack.preview().code == 0
    stack.up(check=True)
    assert api.posts() == 1
