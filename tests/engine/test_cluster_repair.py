"""A cluster is repaired by its policy: preview shows the plan, `up` carries it out, and the records are the memory."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pulumi_resource_togetherai.repair.plan import Word
from tests.chaos.crash import is_create
from tests.chaos.gate import Point, gate
from tests.engine.stack import ENDS_WHEN_INTERRUPTED, Form, Run, Stack
from tests.simulated import Simulator, simulator

NODE = "cluster-1-node-{}".format
DAYS = 86400.0
COOLDOWN = 1800.0
XID: dict[str, Any] = {"name": "xid", "when": {"alerts": ["DmesgXidError"]}, "modes": ["REBOOT_VM", "VM_ONLY"]}
LOST: dict[str, Any] = {"name": "lost", "when": {"xids": ["79"]}, "modes": ["HOST_POWER_CYCLE"]}
FAILED: dict[str, Any] = {"name": "again", "when": {"lastOutcome": ["FAILED"]}, "modes": ["REBOOT_VM", "HOST_AWARE"]}
REST: dict[str, Any] = {"name": "rest", "when": {"proposed": True}, "action": "REJECT"}
OUTPUTS = ("plan", "counts", "states", "leftToPeople")
DYNAMIC = (
    ENDS_WHEN_INTERRUPTED
    + """\
import json
from pathlib import Path

import pulumi
from pulumi_resource_togetherai.dynamic import ClusterRepair

repair = ClusterRepair("repair", **json.loads(Path("repair.json").read_text()))
pulumi.export("plan", repair.plan)
pulumi.export("counts", repair.counts)
pulumi.export("states", repair.states)
pulumi.export("leftToPeople", repair.left_to_people)
"""
)


@pytest.fixture
def api() -> Generator[Simulator]:
    """A cluster of four nodes on a clock that began some days ago: a rest of half an hour passes at once."""
    with simulator(began_ago=10 * DAYS) as running:
        yield running


def declare(stack: Stack, *rules: dict[str, Any], **more: Any) -> None:
    """Has the program declare the repair of the cluster by these rules, and nothing else. Inputs in camelCase."""
    inputs: dict[str, Any] = {"clusterId": "cluster-1", "rules": list(rules), "maxConcurrent": 4} | more
    if stack.form == "dynamic":
        snake = {stack.spelt(name): value for name, value in inputs.items()}
        (stack.folder / "Pulumi.yaml").write_text('{"name": "training", "runtime": "python"}')
        (stack.folder / "repair.json").write_text(json.dumps(snake))
        (stack.folder / "__main__.py").write_text(DYNAMIC)
        return
    program: dict[str, Any] = {
        "name": "training",
        "runtime": "yaml",
        "plugins": stack.plugins,
        "resources": {"repair": {"type": "togetherai:ClusterRepair", "properties": inputs}},
        "outputs": {name: f"${{repair.{name}}}" for name in OUTPUTS},
    }
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))


def add(stack: Stack, resources: dict[str, Any], **options: Any) -> None:
    """Adds resources to the plugin's program, and gives the repair options."""
    program = json.loads((stack.folder / "Pulumi.yaml").read_text())
    program["resources"] |= resources
    program["resources"]["repair"]["options"] = options
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))


def outputs(stack: Stack) -> dict[str, Any]:
    """The stack's outputs."""
    return json.loads(stack.run("stack", "output", "--json", check=True).output)


def table(run: Run) -> list[str]:
    """The plan as a command has shown it: the decision and the rule of each node that it names."""
    rows = [line.split()[:2] for line in run.diagnostics.splitlines() if line.strip().startswith("cluster-1-worker-")]
    return sorted({" ".join(row) for row in rows if row[1] in Word.__members__})


def begun(api: Simulator) -> int:
    """How many remediations have been started, approved or rejected by a program."""
    return sum(entry["effect"] in ("created", "approved", "rejected") for entry in api.requests())


def states(api: Simulator, number: int) -> list[str]:
    """The states of a node's remediations, newest first."""
    return [item["state"] for item in api.remediations() if item["instance_id"] == NODE(number)]


def test_preview_shows_what_up_does_and_a_fault_is_repaired_once(stack: Stack, api: Simulator):
    declare(stack, XID, LOST, REST)
    api.propose(NODE(1), fault="xid")
    api.propose(NODE(2), fault="gpu_lost")
    api.propose(NODE(3), fault="thermal")
    expected = ["cluster-1-worker-1 APPROVE", "cluster-1-worker-2 START", "cluster-1-worker-3 REJECT"]

    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert table(preview) == expected
    assert "no rule fits 1 node: LEAVE" in preview.output
    assert begun(api) == 0

    up = stack.up(check=True)
    assert table(up) == expected
    assert states(api, 1) == ["SUCCEEDED"]
    assert states(api, 2) == ["SUCCEEDED", "CANCELLED"]
    assert states(api, 3) == ["CANCELLED"]
    told = outputs(stack)
    assert told["counts"] == {"APPROVE": 1, "LEAVE": 1, "REJECT": 1, "START": 1}
    assert told["states"] == {
        "cluster-1-worker-1": "SUCCEEDED",
        "cluster-1-worker-2": "SUCCEEDED",
        "cluster-1-worker-3": "CANCELLED",
    }
    assert [(one["node"], one["decision"], one["rule"]) for one in told["plan"]] == [
        ("cluster-1-worker-1", "APPROVE", "xid"),
        ("cluster-1-worker-2", "START", "lost"),
        ("cluster-1-worker-3", "REJECT", "rest"),
    ]

    done = begun(api)
    again = stack.up(check=True)
    assert "no rule fits 4 nodes: LEAVE" in again.output
    assert again.summary("deleted") == 4  # out of the stack, and nothing else: nothing is cancelled
    assert stack.up("--expect-no-changes", check=True).summary("unchanged") == 2
    assert begun(api) == done


def test_the_next_fault_of_a_node_is_repaired_again_by_the_next_step_of_the_ladder(stack: Stack, api: Simulator):
    declare(stack, XID)
    for mode in ("REBOOT_VM", "VM_ONLY"):
        api.propose(NODE(1), fault="xid", force=True)
        stack.up(check=True)
        assert api.remediations()[0]["mode"] == f"REMEDIATION_MODE_{mode}"
        assert api.remediations()[0]["state"] == "SUCCEEDED"
        api.advance(COOLDOWN + 60)


def test_a_failure_fails_the_run_and_after_its_rest_the_node_has_the_next_step(stack: Stack, api: Simulator):
    declare(stack, FAILED)
    api.behave(NODE(1), outcome="fail")
    api.force(api.create(NODE(1))["id"], "FAILED")
    api.advance(COOLDOWN + 60)

    failed = stack.up()
    assert failed.code != 0
    assert f"of instance {NODE(1)} FAILED" in failed.output
    assert "Traceback" not in failed.output
    rests = stack.up(check=True)
    assert table(rests) == ["cluster-1-worker-1 WAIT"]
    assert "`cooldown` is 30m" in rests.output
    assert states(api, 1) == ["FAILED", "FAILED"]

    api.behave(NODE(1), outcome="succeed")
    api.advance(COOLDOWN + 60)
    stack.up(check=True)
    newest = api.remediations()[0]
    assert (newest["mode"], newest["state"]) == ("REMEDIATION_MODE_HOST_AWARE", "SUCCEEDED")


def test_where_nothing_is_to_stop_a_failure_is_recorded(stack: Stack, api: Simulator):
    declare(stack, XID, stopOnFailure=False)
    api.behave(NODE(1), outcome="fail")
    for number in (1, 2):
        api.propose(NODE(number), fault="xid")

    stack.up(check=True)
    assert outputs(stack)["states"] == {"cluster-1-worker-1": "FAILED", "cluster-1-worker-2": "SUCCEEDED"}


@pytest.mark.parametrize("approved", [True, False], ids=["approved", "started"])
def test_what_a_killed_run_has_begun_the_next_one_waits_for(stack: Stack, api: Simulator, form: Form, approved: bool):
    declare(stack, XID, FAILED)
    if approved:
        api.propose(NODE(1), fault="xid")
    else:
        api.force(api.create(NODE(1))["id"], "FAILED")
        api.advance(COOLDOWN + 60)
    api.behave(NODE(1), outcome="never")
    with stack.running("up", "--yes", "--skip-preview"):
        under_way = api.until("RUNNING")
    done = begun(api)
    stack.run("cancel", "--yes")

    declare(stack, REST)  # whatever the rules say now
    with stack.running("up", "--yes", "--skip-preview") as up:
        while "RUNNING" not in (line := up.stdout.readline() if up.stdout else ""):
            assert line, "it ended before the remediation did"
        api.force(under_way["id"], "SUCCEEDED")
        output, _ = up.communicate(timeout=60)
    assert up.returncode == 0, output
    assert "CONTINUE" in output
    assert begun(api) == done
    assert outputs(stack)["states"] == {"cluster-1-worker-1": "SUCCEEDED"}


def test_a_node_that_works_again_leaves_and_nothing_is_cancelled(plugin_stack: Stack, api: Simulator):
    declare(plugin_stack, FAILED)
    api.force(api.create(NODE(1))["id"], "FAILED")
    api.advance(COOLDOWN + 60)
    api.set(pending=100000)
    with plugin_stack.running("up", "--yes", "--skip-preview"):
        api.until("PENDING")
    plugin_stack.run("cancel", "--yes")
    plugin_stack.destroy()

    assert states(api, 1) == ["PENDING", "FAILED"]


def test_too_many_faults_at_once_start_nothing_and_fail_the_run_and_the_preview(stack: Stack, api: Simulator):
    declare(stack, XID, maxUnhealthy="50%")
    api.behave(NODE(1), outcome="never")
    api.propose(NODE(1), fault="xid")
    with stack.running("up", "--yes", "--skip-preview"):
        under_way = api.until("RUNNING")
    stack.run("cancel", "--yes")
    for number in (2, 3):
        api.propose(NODE(number), fault="xid")
    done = begun(api)

    preview = stack.preview()
    assert preview.code != 0
    limit = f"`{stack.spelt('maxUnhealthy')}` is 50% (2 nodes)"
    assert f"error: repair: nothing was started: 3 of 4 nodes are unhealthy, and {limit}" in preview.output.replace(
        "has a problem: ", "error: "
    )
    assert table(preview) == ["cluster-1-worker-1 CONTINUE", "cluster-1-worker-2 WAIT", "cluster-1-worker-3 WAIT"]
    api.force(under_way["id"], "SUCCEEDED")
    for number in (1, 4):
        api.propose(NODE(number), fault="xid", force=True)
    halted = stack.up()
    assert halted.code != 0
    assert "nothing was started: 4 of 4 nodes are unhealthy" in halted.output
    assert "Traceback" not in halted.output
    assert begun(api) == done


def test_a_component_that_is_paused_shows_its_plan_and_does_nothing(stack: Stack, api: Simulator):
    declare(stack, XID, paused=True)
    api.propose(NODE(1), fault="xid")

    paused = stack.up(check=True)
    assert table(paused) == ["cluster-1-worker-1 APPROVE"]
    assert "paused: nothing of this is begun" in paused.output
    assert begun(api) == 0


def test_no_more_nodes_are_under_repair_than_allowed_and_others_wait_for_the_next_run(stack: Stack, api: Simulator):
    declare(stack, XID, maxConcurrent=2)
    for number in range(1, 5):
        api.propose(NODE(number), fault="xid")

    first = stack.up(check=True)
    assert table(first) == [
        "cluster-1-worker-1 APPROVE",
        "cluster-1-worker-2 APPROVE",
        "cluster-1-worker-3 WAIT",
        "cluster-1-worker-4 WAIT",
    ]
    stack.up(check=True)
    assert [states(api, number) for number in range(1, 5)] == [["SUCCEEDED"]] * 4


def test_two_pipelines_at_the_same_moment_repair_each_node_once(tmp_path: Path, api: Simulator, form: Form):
    api.force(api.create(NODE(1))["id"], "FAILED")
    api.advance(COOLDOWN + 60)
    api.propose(NODE(2), fault="xid")
    with gate(api.address) as (late_gate, address):
        early = Stack(tmp_path / "early", form, api.address)
        late = Stack(tmp_path / "late", form, address)
        for stack in (early, late):
            declare(stack, FAILED, XID)
        late_gate.stop_at(Point(is_create, answered=False))
        with late.running("up", "--yes", "--skip-preview") as waiting:
            assert late_gate.reached.wait(60)
            early.up(check=True)
            late_gate.release()
            output, _ = waiting.communicate(timeout=60)
    assert states(api, 2) == ["SUCCEEDED"]
    assert states(api, 1).count("SUCCEEDED") == 1, output


def test_a_remediation_that_cannot_be_read_leaves_its_node_to_a_person_and_no_other(
    tmp_path: Path, api: Simulator, form: Form
):
    earlier = api.create(NODE(1))["id"]
    api.force(earlier, "SUCCEEDED")
    api.advance(COOLDOWN + 60)
    for number in (1, 2):
        api.propose(NODE(number), fault="xid")

    def odd(method: str, path: str, body: bytes) -> bytes:
        return body.replace(f'"id":"{earlier}"'.encode(), b'"id":"../../.."') if method == "GET" else body

    with gate(api.address) as (liar, address):
        liar.rewrite = odd
        stack = Stack(tmp_path / "stack", form, address)
        declare(stack, XID)
        for run in (stack.preview(), stack.up()):
            assert run.code == 0, run.output
            assert table(run) == ["cluster-1-worker-1 PERSON", "cluster-1-worker-2 APPROVE"]
            assert f"of node cluster-1-worker-1 (instance {NODE(1)}) that cannot be read" in run.output
        assert outputs(stack)["leftToPeople"] == ["cluster-1-worker-1"]
    assert states(api, 1) == ["PENDING_APPROVAL", "SUCCEEDED"]
    assert states(api, 2) == ["SUCCEEDED"]


def test_two_of_them_in_one_program_repair_no_node_twice_even_one_after_the_other(plugin_stack: Stack, api: Simulator):
    api.force(api.create(NODE(1))["id"], "FAILED")
    api.advance(COOLDOWN + 60)
    declare(plugin_stack, FAILED)
    program = json.loads((plugin_stack.folder / "Pulumi.yaml").read_text())
    add(plugin_stack, {"other": program["resources"]["repair"]})

    up = plugin_stack.up("--parallel", "1")

    assert states(api, 1) == ["SUCCEEDED", "FAILED"], up.output


def test_it_comes_after_what_it_depends_on_and_its_protection_keeps_no_node_in_the_program(
    stack: Stack, api: Simulator
):
    declare(stack, XID)
    if stack.form == "dynamic":
        first = f'Remediation("first", cluster_id="cluster-1", instance_id="{NODE(3)}", mode="REBOOT_VM")'
        opts = f"pulumi.ResourceOptions(protect=True, depends_on=[{first}])"
        program = DYNAMIC.replace("import ClusterRepair", "import ClusterRepair, Remediation")
        (stack.folder / "__main__.py").write_text(program.replace(".read_text()))", f".read_text()), opts={opts})"))
    else:
        given = {"clusterId": "cluster-1", "instanceId": NODE(3), "mode": "REBOOT_VM"}
        first = {"type": "togetherai:Remediation", "properties": given}
        add(stack, {"first": first}, protect=True, dependsOn=["${first}"])
    api.propose(NODE(1), fault="xid")

    stack.up(check=True)
    done = [entry["effect"] for entry in api.requests() if entry["effect"] in ("created", "approved")]
    assert done == ["created", "approved"]
    up = stack.up(check=True)
    assert "no rule fits 4 nodes" in up.output
    assert [urn for urn in stack.resources() if "RemediationReview" in urn] == []


def test_it_repairs_with_the_provider_that_it_is_given(plugin_stack: Stack, api: Simulator):
    with simulator(api_key="other-key") as other:
        settings = {"apiKey": "other-key", "baseUrl": other.address, "pollInterval": "50ms"}
        declare(plugin_stack, XID)
        provider = {"type": "pulumi:providers:togetherai", "properties": settings}
        add(plugin_stack, {"other": provider}, provider="${other}")
        other.propose(NODE(1), fault="xid")

        plugin_stack.up(check=True)

        assert len(other.requests("approved")) == 1
    assert api.requests() == []


def test_a_run_that_ends_between_a_rejection_and_what_it_made_room_for_is_resumed_by_the_next_one(
    stack: Stack, api: Simulator
):
    declare(stack, LOST)
    api.propose(NODE(1), fault="gpu_lost")
    api.add_fault({"kind": "error", "operation": "create", "status": 403})
    failed = stack.up()
    assert failed.code != 0
    assert states(api, 1) == ["CANCELLED"], failed.output

    api.clear_faults()
    assert table(stack.up(check=True)) == ["cluster-1-worker-1 START"]
    assert states(api, 1) == ["SUCCEEDED", "CANCELLED"]


@pytest.mark.parametrize("skew", [2400, -2400])
def test_of_two_clocks_the_one_counts_by_which_a_node_has_rested_less(stack: Stack, skew: int):
    """The simulated time is that of the records, and this machine's when it starts."""
    with simulator(began_ago=1200) as api:
        stack.env["TOGETHER_BASE_URL"] = api.address
        api.force(api.create(NODE(1))["id"], "FAILED")
        api.advance(1200)
        api.set(dialect={"date_skew": skew})
        declare(stack, FAILED)
        rests = stack.up(check=True)
        assert table(rests) == ["cluster-1-worker-1 WAIT"]
        assert "`cooldown` is 30m" in rests.output
        assert begun(api) == 1


def test_a_secret_input_stays_one_where_pulumi_can_keep_it_and_the_program_is_told_where_it_shows(
    stack: Stack, api: Simulator
):
    declare(stack, XID)
    if stack.form == "dynamic":
        marked = DYNAMIC.replace("**json", "**secret(json").replace(".read_text()))", ".read_text())))")
        secret = "def secret(inputs): return inputs | {'cluster_id': pulumi.Output.secret(inputs['cluster_id'])}\n"
        (stack.folder / "__main__.py").write_text(marked.replace("repair = ", f"{secret}repair = "))
    else:
        program = json.loads((stack.folder / "Pulumi.yaml").read_text())
        program["resources"]["repair"]["properties"]["clusterId"] = {"fn::secret": "cluster-1"}
        (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))
    api.propose(NODE(1), fault="xid")

    for run in (stack.preview(), stack.up(check=True)):
        assert table(run) == ["cluster-1-worker-1 APPROVE"]
        told = f"warning: {stack.spelt('clusterId')} is marked as secret; ids, URNs and messages show it nevertheless"
        assert run.diagnostics.count(told) == 1
    assert states(api, 1) == ["SUCCEEDED"]


def test_with_an_update_plan_a_node_that_was_not_previewed_is_refused(stack: Stack, api: Simulator):
    declare(stack, XID)
    api.propose(NODE(1), fault="xid")
    assert stack.preview("--save-plan=plan.json").code == 0
    kept = stack.up("--plan=plan.json")
    assert kept.code == 0, kept.output
    assert states(api, 1) == ["SUCCEEDED"]

    api.propose(NODE(2), fault="xid")
    assert stack.preview("--save-plan=plan.json").code == 0
    api.propose(NODE(3), fault="xid")
    changed = stack.up("--plan=plan.json")
    assert changed.code != 0
    assert "create is not allowed by the plan: no steps were expected for this resource" in changed.output
    assert states(api, 3) == ["PENDING_APPROVAL"]


@pytest.mark.parametrize(
    ("rules", "more", "line"),
    [
        ([XID | {"modes": ["REBOOT"]}], {}, 'rules.0.modes.0: "REBOOT" is not a mode'),
        ([XID], {"maxUnhealthy": "a fifth"}, "is neither a share nor a number of nodes"),
    ],
)
def test_bad_input_is_one_clear_line_and_asks_nothing(
    stack: Stack, api: Simulator, rules: list[dict[str, Any]], more: dict[str, Any], line: str
):
    declare(stack, *rules, **more)
    preview = stack.preview()
    assert preview.code != 0
    assert line in preview.output
    assert "Traceback" not in preview.output
    assert api.requests() == []


def test_without_an_answer_nothing_is_planned(stack: Stack, api: Simulator):
    declare(stack, XID, clusterId="cluster-9")
    for run in (stack.preview(), stack.up()):
        assert run.code != 0
        assert "cannot plan the repair of cluster cluster-9" in run.output
        assert "Traceback" not in run.output
