"""One node, one repair, on the real engine: whoever asks, from wherever, at the same moment."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.crash import is_create
from tests.chaos.gate import PATIENCE, Gate, Point, gate
from tests.engine.stack import PLUGINS, Form, Run, Stack
from tests.simulated import SPEED, Simulator, simulator

ADOPTING = {"ifActive": "ADOPT"}


@dataclass
class Race:
    """Two stacks, `early` and `late`, that have both looked before either has posted; then early posts first."""

    api: Simulator
    early: Stack
    late: Stack
    late_gate: Gate

    def run(self) -> tuple[Run, Run]:
        """`pulumi up` of both. Returns how they ended."""
        self.late_gate.stop_at(Point(is_create, answered=False))
        with self.late.running("up", "--yes", "--skip-preview") as late:
            assert self.late_gate.reached.wait(PATIENCE)
            with self.early.running("up", "--yes", "--skip-preview") as early:
                while not self.api.posts():
                    assert early.poll() is None
                    time.sleep(0.02)
                self.late_gate.release()
                late_output, _ = late.communicate(timeout=PATIENCE)
                if late.returncode:
                    self.finish()
                early_output, _ = early.communicate(timeout=PATIENCE)
        return Run(early.returncode, early_output), Run(late.returncode, late_output)

    def finish(self) -> None:
        """Lets what is active come to its end."""
        self.api.advance(3000)

    def states(self) -> list[str]:
        """The states of all remediations."""
        return sorted(item["state"] for item in self.api.remediations())


@contextmanager
def race(
    folder: Path, form: Form, *, speed: float = SPEED, inputs: dict[str, Any] | None = None, **settings: Any
) -> Generator[Race]:
    """Two stacks that declare a remediation of the same node."""
    with simulator(settings=settings, speed=speed) as api, gate(api.address) as (late_gate, address):
        stacks = [Stack(folder / name, form, address, name=name) for name in ("early", "late")]
        stacks[0].env["TOGETHER_BASE_URL"] = api.address
        for stack in stacks:
            stack.configure("togetherai:recentWindow", "24h")  # a test's second is minutes of the simulator's
            stack.declare(**(inputs or {}))
        yield Race(api, stacks[0], stacks[1], late_gate)


def test_of_two_stacks_at_once_one_runs_and_the_other_is_told(tmp_path: Path, form: Form):
    with race(tmp_path, form, pending=600, running=100) as both:
        early, late = both.run()
        assert (early.code, late.code) == (0, 1)
        assert both.states() == ["CANCELLED", "SUCCEEDED"]
        by_state = {item["state"]: item["id"] for item in both.api.remediations()}
        (error,) = [line for line in late.errors if "is being repaired already" in line]
        assert by_state["SUCCEEDED"] in error
        assert by_state["CANCELLED"] in error
        assert re.search(r"which came first: remediation .*, started by \S+ of Pulumi program training/early; ", error)
        assert "was cancelled before it began" in error
        assert both.late.resources() == {}
        # What was withdrawn is no bad end: the same program runs, and says what happened lately.
        again = both.late.preview()
        assert "was withdrawn before it began" in again.diagnostics
        assert re.search(r"warning: instance cluster-1-node-1 .* was repaired .* ago at ", again.diagnostics)
        with both.late.running("up", "--yes", "--skip-preview") as up:
            both.api.until("PENDING")
            both.finish()
            up.communicate(timeout=PATIENCE)
        assert up.returncode == 0
        assert both.states() == ["CANCELLED", "SUCCEEDED", "SUCCEEDED"]


def test_of_two_stacks_with_adopt_both_wait_for_the_same_one(tmp_path: Path, form: Form):
    with race(tmp_path, form, pending=300, running=300, inputs=ADOPTING) as both:
        early, late = both.run()
        assert (early.code, late.code) == (0, 0)
        assert both.states() == ["CANCELLED", "SUCCEEDED"]
        held = [stack.resources()["fix"]["outputs"] for stack in (both.early, both.late)]
        assert held[0]["remediationId"] == held[1]["remediationId"]
        assert [one["adopted"] for one in held] == [False, True]


@pytest.mark.parametrize("by_name", ["early", "late"])
def test_of_one_stack_by_the_nodes_name_and_one_by_its_instance_one_runs(tmp_path: Path, form: Form, by_name: str):
    with race(tmp_path, form, pending=600, running=100) as both:
        naming = both.early if by_name == "early" else both.late
        naming.declare(node="CLUSTER-1-HOST-1", instanceId=None)
        early, late = both.run()
        assert (early.code, late.code) == (0, 1)
        assert both.states() == ["CANCELLED", "SUCCEEDED"]
        (error,) = [line for line in late.errors if "is being repaired already" in line]
        assert "was cancelled before it began" in error


def test_who_names_the_fresh_vm_does_not_repair_it_while_the_repair_that_replaced_it_runs(tmp_path: Path, form: Form):
    with simulator(settings={"pending": 0, "running": 1e5, "replaces_at_once": True}) as api:
        first, second = (Stack(tmp_path / name, form, api.address, name=name) for name in ("first", "second"))
        first.declare(node="cluster-1-slurm-1", instanceId=None, mode="VM_ONLY", wait=False)
        first.up(check=True)
        api.until("RUNNING")
        second.declare(instanceId="cluster-1-node-1-r2", mode="VM_ONLY")
        for refused in (second.preview(), second.up()):
            assert refused.code != 0
            assert "instance cluster-1-node-1-r2 of cluster cluster-1 is being repaired already" in refused.output
            assert "of instance cluster-1-node-1 in cluster cluster-1, RUNNING" in refused.output
        assert api.posts() == 1


def test_an_api_that_begins_at_once_leaves_both_and_both_are_named(tmp_path: Path, form: Form):
    with race(tmp_path, form, pending=0, running=600) as both:
        early, late = both.run()
        assert (early.code, late.code) == (0, 0)
        assert both.states() == ["SUCCEEDED", "SUCCEEDED"]
        (told,) = {line.strip() for line in late.diagnostics.splitlines() if "the node is being repaired twice" in line}
        for item in both.api.remediations():
            assert item["id"] in late.diagnostics
        assert told.startswith("warning: ")


def test_an_api_that_tells_times_in_whole_seconds_changes_nothing(tmp_path: Path):
    with race(tmp_path, "plugin", pending=1000, running=1000, speed=1) as both:
        both.late_gate.rewrite = lambda method, path, body: re.sub(rb"(:\d\d)\.\d+Z", rb"\1Z", body)
        both.early.env["TOGETHER_BASE_URL"] = both.late.env["TOGETHER_BASE_URL"]
        early, late = both.run()
        assert sorted([early.code, late.code]) == [0, 1]
        assert both.states() == ["CANCELLED", "SUCCEEDED"]


def test_preview_names_two_resources_of_one_node_and_up_starts_one(stack: Stack, api: Simulator):
    stack.declare("one")
    stack.declare("two")
    preview = stack.preview()
    assert preview.code == 1
    assert re.search(r'two resources that start a remediation of .*: "(one|two)" and "(one|two)"', preview.output)
    assert api.posts() == 0
    up = stack.up()
    assert up.code == 1
    assert "is being repaired already" in up.output
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED"]


def test_preview_warns_of_two_resources_of_one_node_where_up_refuses_neither(stack: Stack, api: Simulator):
    stack.declare("one", **ADOPTING)
    stack.declare("two", **ADOPTING)
    preview = stack.preview()
    assert preview.code == 0
    assert re.search(r'warning: this program has two resources .*: "(one|two)" and "(one|two)"', preview.diagnostics)
    stack.up(check=True)
    assert api.posts() == 1


def test_a_resource_renamed_without_an_alias_is_warned_of(stack: Stack, api: Simulator):
    stack.configure("togetherai:recentWindow", "24h")  # the default hour is 18 real seconds here
    stack.declare("old")
    stack.up(check=True)
    stack.forget("old")
    stack.declare("new")
    preview = stack.preview()
    assert preview.code == 0
    (repaired,) = api.remediations()
    way = f"`{stack.spelt('ifRecent')}` to IGNORE"
    for part in ("warning: ", "was repaired", repaired["id"], "Pulumi program training/prod", way):
        assert part in preview.diagnostics
    stack.configure("togetherai:ifRecent", "FAIL")
    assert "`pulumi up` will refuse" in stack.preview().output
    refused = stack.up()
    assert refused.code == 1
    assert "Nothing was posted" in refused.output
    assert api.posts() == 1
    stack.declare("new", ifRecent="IGNORE")
    assert "was repaired" not in stack.up(check=True).output
    assert api.posts() == 2


def test_two_explicit_providers_of_one_program_are_two_processes_and_one_runs(plugin_stack: Stack, api: Simulator):
    api.add_fault({"kind": "latency", "operation": "create", "seconds": 200, "count": 2})  # both have looked by then
    api.behave(pending=600)
    provider = {"type": "pulumi:providers:togetherai", "properties": {"pollInterval": "50ms"}}
    node = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-1", "mode": "REBOOT_VM"}
    program: dict[str, Any] = {
        "name": "training",
        "runtime": "yaml",
        "plugins": PLUGINS,
        "resources": {"east": provider, "west": provider}
        | {
            f"fix-{name}": {
                "type": "togetherai:Remediation",
                "properties": node,
                "options": {"provider": f"${{{name}}}"},
            }
            for name in ("east", "west")
        },
    }
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps(program))
    with plugin_stack.running("up", "--yes", "--skip-preview", "--continue-on-error") as up:
        api.until("CANCELLED")
        output, _ = up.communicate(timeout=PATIENCE)
    assert up.returncode == 1
    assert sorted(item["state"] for item in api.remediations()) == ["CANCELLED", "SUCCEEDED"]
    assert "was cancelled before it began" in output


def test_two_programs_that_decide_one_proposal_both_learn_which_decision_stands(tmp_path: Path, api: Simulator):
    proposal = api.propose("cluster-1-node-1", fault="xid")
    ended = dict[str, Run]()
    for decision in ("REJECT", "APPROVE"):
        stack = Stack(tmp_path / decision, "plugin", api.address, name=decision.lower())
        program = json.loads((stack.folder / "Pulumi.yaml").read_text())
        where = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-1", "remediationId": proposal["id"]}
        program["resources"] = {
            "review": {"type": "togetherai:RemediationReview", "properties": where | {"decision": decision}}
        }
        (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))
        ended[decision] = stack.up()
    assert [ended[decision].code for decision in ("REJECT", "APPROVE")] == [0, 1]
    assert "was rejected or cancelled by" in ended["APPROVE"].output
    assert api.remediations()[0]["state"] == "CANCELLED"


@pytest.mark.parametrize("running", [False, True], ids=["pending", "running"])
def test_a_proposal_is_not_approved_while_its_node_is_being_repaired(
    plugin_stack: Stack, api: Simulator, running: bool
):
    proposal = api.propose("cluster-1-node-1", fault="xid")
    api.behave(outcome="never" if running else "hold")
    other = api.create()
    api.until("RUNNING" if running else "PENDING")
    program = json.loads((plugin_stack.folder / "Pulumi.yaml").read_text())
    where = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-1", "remediationId": proposal["id"]}
    program["resources"] = {
        "review": {"type": "togetherai:RemediationReview", "properties": where | {"decision": "APPROVE"}}
    }
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps(program))
    for ended in (plugin_stack.preview(), plugin_stack.up()):
        assert ended.code == 1
        assert "cannot be approved while its node is being repaired" in ended.output
        assert other["id"] in ended.output
