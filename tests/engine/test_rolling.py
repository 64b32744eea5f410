"""A rolling remediation repairs a few nodes at a time, halts after a failure, and says what ran."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.engine.stack import ENDS_WHEN_INTERRUPTED, Form, Run, Stack
from tests.simulated import Simulator, course_of

NODES = [f"cluster-1-node-{number}" for number in range(1, 5)]
DYNAMIC = (
    ENDS_WHEN_INTERRUPTED
    + """\
import json
from pathlib import Path

import pulumi
from pulumi_resource_togetherai.dynamic import RollingRemediation

for name, arguments in json.loads(Path("rolling.json").read_text()).items():
    rolling = RollingRemediation(name, **arguments)
    pulumi.export(f"{name}-states", rolling.states)
    pulumi.export(f"{name}-counts", rolling.counts)
"""
)


def declare(stack: Stack, /, **components: dict[str, Any]) -> None:
    """Has the program declare rolling remediations, and nothing else. Inputs as the form spells them."""
    if stack.form == "dynamic":
        (stack.folder / "Pulumi.yaml").write_text('{"name": "training", "runtime": "python"}')
        (stack.folder / "rolling.json").write_text(json.dumps(components))
        (stack.folder / "__main__.py").write_text(DYNAMIC)
        return
    program: dict[str, Any] = {
        "name": "training",
        "runtime": "yaml",
        "plugins": stack.plugins,
        "resources": {
            name: {"type": "togetherai:RollingRemediation", "properties": inputs} for name, inputs in components.items()
        },
        "outputs": {
            f"{name}-{output}": f"${{{name}.{output}}}" for name in components for output in ("states", "counts")
        },
    }
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(program))


def rack(form: Form, **more: Any) -> dict[str, Any]:
    """What a program says to reboot all nodes of a cluster."""
    declared = {"clusterId": "cluster-1", "instances": NODES, "mode": "REBOOT_VM"} | more
    spelled = {name: value for name, value in declared.items() if value is not None}
    snake = {
        "clusterId": "cluster_id",
        "maxConcurrent": "max_concurrent",
        "stopOnFailure": "stop_on_failure",
        "retryFailed": "retry_failed",
    }
    return spelled if form == "plugin" else {snake.get(name, name): value for name, value in spelled.items()}


def most_at_once(api: Simulator, *, begun: bool = False) -> int:
    """How many remediations were active at the same moment, at the most; or had `begun`."""
    course = course_of(api.remediations(), "start_time" if begun else "create_time")
    return max((active for _, active in course), default=0)


def outputs(stack: Stack) -> dict[str, Any]:
    """The stack's outputs."""
    return json.loads(stack.run("stack", "output", "--json", check=True).output)


def posted(api: Simulator) -> list[str]:
    """The instances whose remediation was started, in that order."""
    return [entry["path"].split("/")[6] for entry in api.requests("created")]


def halt_at_the_second(stack: Stack, api: Simulator, form: Form) -> Run:
    """Runs a rack whose second node fails, and sees that nothing was started after it."""
    api.behave(NODES[1], outcome="fail")
    declare(stack, rack=rack(form))
    halted = stack.up()
    assert halted.code != 0
    assert f"REBOOT_VM of instance {NODES[1]} FAILED after" in halted.output
    assert "Traceback" not in halted.output
    assert posted(api) == NODES[:2]
    return halted


def test_preview_shows_the_plan_and_up_keeps_to_it(stack: Stack, api: Simulator, form: Form):
    declare(stack, rack=rack(form, maxConcurrent=2))
    preview = stack.preview()
    assert preview.code == 0, preview.output
    for node in NODES:
        assert f"`pulumi up` will start a REBOOT_VM remediation of instance {node}" in preview.output
    assert api.posts() == 0
    up = stack.up(check=True)
    assert most_at_once(api) == 2
    assert sorted(posted(api)) == NODES
    assert outputs(stack) == {"rack-states": dict.fromkeys(NODES, "SUCCEEDED"), "rack-counts": {"SUCCEEDED": 4}}
    for node in NODES:
        assert re.search(rf"{node} +REBOOT_VM +1 +\S+ +SUCCEEDED", up.diagnostics)
    assert stack.up(check=True).summary("unchanged") == 6
    assert api.posts() == 4
    assert stack.destroy().code == 0


def test_nodes_by_their_names_are_repaired_once_though_their_vms_are_replaced(stack: Stack, api: Simulator, form: Form):
    names = ["CLUSTER-1-HOST-1", "cluster-1-worker-2"]
    declare(stack, rack=rack(form, instances=None, nodes=names, mode="VM_ONLY"))
    stack.up(check=True)
    assert posted(api) == NODES[:2]
    assert outputs(stack)["rack-states"] == dict.fromkeys(names, "SUCCEEDED")
    assert stack.up(check=True).summary("unchanged") == 4
    declare(stack, rack=rack(form, instances=None, nodes=names, mode="VM_ONLY", triggers={"incident": "2"}))
    stack.up(check=True)
    assert posted(api) == [*NODES[:2], *(f"{node}-r2" for node in NODES[:2])]


def test_two_names_of_one_node_are_found_in_preview(stack: Stack, api: Simulator, form: Form):
    declare(stack, rack=rack(form, instances=None, nodes=["cluster-1-host-1", "cluster-1-worker-1"]))
    preview = stack.preview()
    assert preview.code != 0
    assert "this program has two resources that start a remediation of node cluster-1-" in preview.output
    assert api.posts() == 0


def test_one_at_a_time_in_the_order_given_unless_told_otherwise(stack: Stack, api: Simulator, form: Form):
    declare(stack, rack=rack(form, instances=NODES[::-1]))
    stack.up(check=True)
    assert most_at_once(api) == 1
    assert posted(api) == NODES[::-1]


def test_a_failure_halts_what_has_not_begun_and_the_next_run_goes_on(stack: Stack, api: Simulator, form: Form):
    halted = halt_at_the_second(stack, api, form)
    assert re.search(r"rack creating \(\ds\) 0 of 4 repaired, 1 under way, 3 not begun", halted.output)
    again = stack.up()  # nothing is posted, and the table says the same
    assert posted(api) == NODES[:2]
    for up in (halted, again):
        (sentence,) = [line for line in up.errors if "halted" in line]
        assert sentence == "error: halted: 1 of 4 repaired, 1 failed, 2 not begun"
        assert re.search(rf"{NODES[0]} +REBOOT_VM +1 +\S+ +SUCCEEDED", up.diagnostics)
        assert re.search(rf"{NODES[1]} +REBOOT_VM +1 +\S+ +FAILED", up.diagnostics)
        assert re.search(rf"{NODES[2]} +not begun", up.diagnostics)
        assert not re.search(r"RollingRemediation rack created", up.output)
        assert not [line for line in up.output.splitlines() if "grpc" in line or "bug in the provider" in line]
    api.behave(NODES[1], outcome="succeed")
    declare(stack, rack=rack(form, retryFailed=True))
    stack.up(check=True)
    assert posted(api) == [*NODES[:2], *NODES[1:]]
    assert outputs(stack)["rack-counts"] == {"SUCCEEDED": 4}


def test_a_component_that_halts_while_the_rest_goes_on_says_so_in_one_line(stack: Stack, api: Simulator, form: Form):
    halt_beside_another(stack, api, form)


def halt_beside_another(stack: Stack, api: Simulator, form: Form) -> None:
    """Runs two racks of which one fails, and sees that the other goes on."""
    api.behave(NODES[0], outcome="fail")
    declare(stack, left=rack(form, instances=NODES[:2]), right=rack(form, instances=NODES[2:]))
    up = stack.up("--continue-on-error")
    assert up.code != 0
    assert sorted(posted(api)) == [NODES[0], *NODES[2:]]
    assert "bug in the provider" not in up.output
    if form == "plugin":  # a component of the dynamic form is in the program, which Pulumi ends with a traceback
        assert "Traceback" not in up.output
        assert up.output.count("error: halted: 0 of 2 repaired, 1 failed, 1 not begun") >= 1
        assert "resource 'right' has a problem" not in up.output
        assert re.search(rf"{NODES[3]} +REBOOT_VM +1 +\S+ +SUCCEEDED", up.diagnostics)


def test_a_failure_that_is_not_to_stop_anything_is_recorded(stack: Stack, api: Simulator, form: Form):
    api.behave(NODES[1], outcome="fail")
    declare(stack, rack=rack(form, stopOnFailure=False))
    up = stack.up(check=True)
    assert outputs(stack)["rack-counts"] == {"SUCCEEDED": 3, "FAILED": 1}
    assert re.search(rf"{NODES[1]} +REBOOT_VM +1 +\S+ +FAILED: ", up.diagnostics)
    assert "3 of 4 repaired, 1 failed" in up.diagnostics
    assert stack.up(check=True).summary("unchanged") == 6
    assert api.posts() == 4


def test_a_node_that_joins_or_leaves_disturbs_no_other(stack: Stack, api: Simulator, form: Form):
    declare(stack, rack=rack(form, instances=NODES[:3]))
    stack.up(check=True)
    declare(stack, rack=rack(form, instances=[NODES[3], *NODES[1:3]]))
    up = stack.up(check=True)
    assert up.summary("created") == up.summary("deleted") == 1
    assert posted(api) == NODES


def test_components_do_not_wait_for_each_other(plugin_stack: Stack, api: Simulator):
    declare(
        plugin_stack,
        left=rack("plugin", instances=NODES[:2]),
        right=rack("plugin", instances=NODES[2:]),
    )
    plugin_stack.up(check=True)
    assert most_at_once(api) == 2


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"instances": [*NODES, NODES[0]]}, f"rack: instances: {NODES[0]} is listed twice"),
        ({"nodes": ["cluster-1-host-1"]}, "rack: instances and nodes: give one of them"),
        ({"instances": None, "nodes": ["a-host", "A-HOST"]}, "rack: nodes: A-HOST is listed twice"),
        ({"maxConcurrent": 0}, "rack: {maxConcurrent}: 0: input should be greater than or equal to 1"),
        ({"mode": "REBOOT"}, '"REBOOT" is not a mode'),
    ],
)
def test_bad_input_is_one_clear_line_and_asks_nothing(
    stack: Stack, api: Simulator, form: Form, more: dict[str, Any], line: str
):
    declare(stack, rack=rack(form, **more))
    preview: Run = stack.preview()
    assert preview.code != 0
    assert line.replace("{maxConcurrent}", stack.spelt("maxConcurrent")) in preview.output
    assert "Traceback" not in preview.output
    assert api.requests() == []


def test_a_list_of_no_nodes_repairs_nothing(stack: Stack, api: Simulator, form: Form):
    declare(stack, rack=rack(form, instances=[]))
    stack.up(check=True)
    assert outputs(stack) == {"rack-states": {}, "rack-counts": {}}
    assert api.requests() == []
