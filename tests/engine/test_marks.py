"""The API may say what Pulumi's protocol has a meaning for, or cannot hold: the stack holds the remediation anyway."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pulumi_resource_togetherai.literal import SECRET, SIGNATURE
from pulumi_resource_togetherai.unknown import UNKNOWN
from tests.chaos.gate import Gate, gate
from tests.engine.stack import ENDS_WHEN_INTERRUPTED, PLUGINS, Form, Stack
from tests.simulated import Simulator

NODE = "cluster-1-node-1"
LOOKUP = (
    ENDS_WHEN_INTERRUPTED
    + """\
import pulumi
from pulumi_resource_togetherai.dynamic import get_remediations

(found,) = get_remediations("cluster-1")
pulumi.export("error", found.error_message)
"""
)


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else "bottom"


ODD: dict[str, Any] = {
    "secret": {SIGNATURE: SECRET, "value": "x"},
    "asset": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "/etc/passwd"},
    "unheard of": {SIGNATURE: "x"},
    "unknown": UNKNOWN,
    "deep": nested(60),
    "large": 10**400,
    "no number": float("nan"),
}


@pytest.fixture
def odd(api: Simulator) -> Generator[tuple[Gate, str]]:
    """Something between us and the API that puts odd values into every remediation, and its address."""

    def rewrite(method: str, path: str, body: bytes) -> bytes:
        told = json.loads(body)
        if "/remediations" in path and "code" not in told:
            for item in told.get("remediations", [told]):
                item |= {"linked_alerts": [{"alert_name": UNKNOWN, "annotation": ODD}], SIGNATURE: SECRET}
        return json.dumps(told).encode()

    with gate(api.address) as made:
        made[0].rewrite = rewrite
        yield made


def test_the_stack_holds_it_and_finds_it_as_it_was(tmp_path: Path, form: Form, odd: tuple[Gate, str], api: Simulator):
    api.behave(NODE, outcome="fail", error_message=UNKNOWN)
    stack = Stack(tmp_path / "stack", form, odd[1])
    stack.declare(acceptFailure=True)
    assert stack.preview().code == 0
    stack.up(check=True)
    outputs = stack.resources()["fix"]["outputs"]
    assert outputs["errorMessage"] == f"'{UNKNOWN}'"
    (alert,) = outputs["linkedAlerts"]
    assert alert["alertName"] == f"'{UNKNOWN}'"
    assert alert["annotation"]["secret"] == {f"'{SIGNATURE}'": SECRET, "value": "x"}
    assert alert["annotation"]["unknown"] == f"'{UNKNOWN}'"
    for run in (stack.preview(), stack.up(check=True), stack.refresh(), stack.preview()):
        assert (run.code, run.summary("unchanged")) == (0, 2), run.output
    assert api.posts() == 1
    assert stack.destroy().code == 0


def test_the_stack_holds_one_that_failed(plugin_stack: Stack, api: Simulator):
    api.behave(NODE, outcome="fail", error_message=UNKNOWN)
    plugin_stack.declare()
    assert plugin_stack.up().code == 1
    assert plugin_stack.resources()["fix"]["outputs"]["state"] == "FAILED"
    assert "It does not run again by itself" in plugin_stack.up().output


def test_a_review_of_it_is_held(plugin_stack: Stack, api: Simulator):
    proposal = api.propose(NODE, reason=UNKNOWN)
    project = {
        "name": "training",
        "runtime": "yaml",
        "plugins": PLUGINS,
        "resources": {
            "review": {
                "type": "togetherai:RemediationReview",
                "properties": {
                    "clusterId": "cluster-1",
                    "instanceId": NODE,
                    "remediationId": proposal["id"],
                    "decision": "REJECT",
                },
            }
        },
    }
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps(project))
    plugin_stack.up(check=True)
    assert plugin_stack.resources()["review"]["outputs"]["reason"] == f"'{UNKNOWN}'"


def test_a_lookup_finds_it(tmp_path: Path, form: Form, api: Simulator):
    api.behave(NODE, outcome="fail", error_message=UNKNOWN)
    api.create(NODE)
    api.until("FAILED")
    stack = Stack(tmp_path / "stack", form, api.address)
    if form == "plugin":
        invoke = {"function": "togetherai:getRemediations", "arguments": {"clusterId": "cluster-1"}}
        project = {
            "name": "training",
            "runtime": "yaml",
            "plugins": PLUGINS,
            "variables": {"found": {"fn::invoke": invoke}},
            "outputs": {"error": "${found.remediations[0].errorMessage}"},
        }
        (stack.folder / "Pulumi.yaml").write_text(json.dumps(project))
    else:
        (stack.folder / "__main__.py").write_text(LOOKUP)
    stack.up(check=True)
    told = json.loads(stack.run("stack", "output", "--json", check=True).output)
    assert told == {"error": f"'{UNKNOWN}'"}
