"""The lookups on the real engine: from YAML through the plugin, and from Python as plain functions."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.engine.stack import PLUGINS, Run, Stack
from tests.simulated import Simulator

PYTHON = """\
import pulumi
from pulumi_resource_togetherai import dynamic

answers = dynamic.{function}(**{arguments!r})
if not isinstance(answers, list):
    answers = [answers]
for number, answer in enumerate(answers):
    pulumi.export(str(number), answer.instance_id + " " + (answer.{field} or ""))
"""
STATS = """\
import pulumi
from pulumi_resource_togetherai.dynamic import get_remediation_stats

stats = get_remediation_stats("cluster-1", window="1h")
reboots = stats.modes["REMEDIATION_MODE_REBOOT_VM"]
pulumi.export("ended", stats.count)
pulumi.export("share", reboots.success_share)
pulumi.export("queue", reboots.outcomes["SUCCEEDED"].queue.count)
pulumi.export("p99", reboots.outcomes["FAILED"].total.p99)
"""
NAMED = """\
import pulumi
from pulumi_resource_togetherai.dynamic import get_cluster, get_clusters, get_node

pulumi.export("cluster", get_cluster("training-1").cluster_id)
pulumi.export("first", get_clusters()[0].cluster_name)
pulumi.export("node", get_node("training-1", "CLUSTER-1-slurm-2").instance_id)
"""
SNAKE = {"get_remediation": "getRemediation", "get_remediations": "getRemediations", "get_instances": "getInstances"}
ITEMS = {"get_remediations": "remediations", "get_instances": "instances"}


def look_up(stack: Stack, function: str, field: str, /, count: int = 1, **arguments: Any) -> Run:
    """Runs a program that exports a field of each of the `count` answers to a lookup."""
    if stack.form == "dynamic":
        text = PYTHON.format(function=function, arguments={"cluster_id": "cluster-1"} | arguments, field=field)
        (stack.folder / "__main__.py").write_text(text)
    else:
        camel = {camelled(name): value for name, value in ({"cluster_id": "cluster-1"} | arguments).items()}
        invoke = {"fn::invoke": {"function": f"togetherai:{SNAKE[function]}", "arguments": camel}}
        items = [f"answer.{ITEMS[function]}[{n}]" for n in range(count)] if function in ITEMS else ["answer"]
        outputs = {
            str(number): f"${{{item}.instanceId}} ${{{item}.{camelled(field)}}}" for number, item in enumerate(items)
        }
        write_yaml(stack, {"answer": invoke}, outputs)
    return stack.up()


def write_yaml(stack: Stack, variables: dict[str, Any], outputs: dict[str, str]) -> None:
    """Gives a stack a program that looks something up."""
    project = {
        "name": "training",
        "runtime": "yaml",
        "plugins": PLUGINS,
        "variables": variables,
        "outputs": outputs,
    }
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(project))


def camelled(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_a_program_sees_the_nodes_of_a_cluster(stack: Stack, api: Simulator):
    up = look_up(stack, "get_instances", "host_name", count=4)
    for number in (1, 2, 3, 4):
        assert f'"cluster-1-node-{number} cluster-1-host-{number}"' in up.output
    assert {entry["method"] for entry in api.requests()} == {"GET"}


def test_a_program_sees_remediations_in_the_order_it_asks_for(stack: Stack, api: Simulator):
    for node in ("cluster-1-node-3", "cluster-1-node-1"):
        api.propose(node, fault="xid")
    up = look_up(
        stack,
        "get_remediations",
        "state",
        count=2,
        state=["PENDING_APPROVAL"],
        mode=["REBOOT_VM"],
        order_by="createTime",
    )
    assert '0: "cluster-1-node-3 PENDING_APPROVAL"' in up.output
    assert '1: "cluster-1-node-1 PENDING_APPROVAL"' in up.output


def test_a_program_sees_one_remediation(stack: Stack, api: Simulator):
    made = api.create()
    up = look_up(stack, "get_remediation", "mode", instance_id="cluster-1-node-1", remediation_id=made["id"])
    assert '"cluster-1-node-1 REMEDIATION_MODE_REBOOT_VM"' in up.output


def test_a_program_sees_how_long_repairs_took(stack: Stack, api: Simulator):
    api.behave("cluster-1-node-2", outcome="fail")
    for node in ("cluster-1-node-1", "cluster-1-node-2", "cluster-1-node-3"):
        api.create(node)
    api.until("SUCCEEDED", 2)
    api.until("FAILED")
    if stack.form == "dynamic":
        (stack.folder / "__main__.py").write_text(STATS)
    else:
        invoke = {"function": "togetherai:getRemediationStats", "arguments": {"clusterId": "cluster-1", "window": "1h"}}
        reboots = 'stats.modes["REMEDIATION_MODE_REBOOT_VM"]'
        outputs = {
            "ended": "${stats.count}",
            "share": f"${{{reboots}.successShare}}",
            "queue": f'${{{reboots}.outcomes["SUCCEEDED"].queue.count}}',
            "p99": f'${{{reboots}.outcomes["FAILED"].total.p99}}',
        }
        write_yaml(stack, {"stats": {"fn::invoke": invoke}}, outputs)
    stack.up(check=True)
    told = json.loads(stack.run("stack", "output", "--json", check=True).output)
    (failed,) = (item for item in api.remediations() if item["state"] == "FAILED")
    took = datetime.fromisoformat(failed["end_time"]) - datetime.fromisoformat(failed["create_time"])
    assert told == {
        "ended": 3,
        "share": pytest.approx(2 / 3),
        "queue": 2,
        "p99": pytest.approx(took.total_seconds(), abs=0.001),
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"state": ["RUNING"]}, "; did you mean RUNNING?"),
        ({"order_by": "colour"}, "; write createTime or updateTime"),
    ],
)
def test_bad_input_is_one_clear_line_and_asks_nothing(
    stack: Stack, api: Simulator, arguments: dict[str, Any], line: str
):
    up = look_up(stack, "get_remediations", "state", **arguments)
    assert up.code != 0
    assert line in up.output
    assert "Traceback" not in up.output
    assert api.requests() == []


def test_an_unknown_cluster_is_one_clear_line(stack: Stack):
    up = look_up(stack, "get_instances", "host_name", cluster_id="cluster-9")
    assert up.code != 0
    assert "getInstances failed: get cluster: 404 NOT_FOUND" in up.output
    assert "Traceback" not in up.output


def test_clusters_and_nodes_are_found_by_their_names(stack: Stack):
    if stack.form == "dynamic":
        (stack.folder / "__main__.py").write_text(NAMED)
    else:
        where = {"cluster": "training-1"}
        variables: dict[str, Any] = {
            "cluster": {"fn::invoke": {"function": "togetherai:getCluster", "arguments": where}},
            "all": {"fn::invoke": {"function": "togetherai:getClusters"}},
            "node": {
                "fn::invoke": {"function": "togetherai:getNode", "arguments": where | {"node": "CLUSTER-1-slurm-2"}}
            },
        }
        outputs = {
            "cluster": "${cluster.clusterId}",
            "first": "${all.clusters[0].clusterName}",
            "node": "${node.instanceId}",
        }
        write_yaml(stack, variables, outputs)

    stack.up(check=True)
    assert json.loads(stack.run("stack", "output", "--json", check=True).output) == {
        "cluster": "cluster-1",
        "first": "training-1",
        "node": "cluster-1-node-2",
    }
