"""A program that declares resources of any kind, in each way to write one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.engine.stack import ENDS_WHEN_INTERRUPTED, PLUGINS, Stack

NODE = "cluster-1-node-{}".format
PYTHON = (
    ENDS_WHEN_INTERRUPTED
    + """\
import json
from pathlib import Path

import pulumi
import {module} as togetherai


def revealed(value):
    if isinstance(value, dict):
        if list(value) == ["fn::secret"]:
            return pulumi.Output.secret(revealed(value["fn::secret"]))
        return {{name: revealed(item) for name, item in value.items()}}
    return value


for name, declared in json.loads(Path("declared.json").read_text()).items():
    options = pulumi.ResourceOptions(**declared["options"])
    arguments = {{argument: revealed(value) for argument, value in declared["arguments"].items()}}
    made = getattr(togetherai, declared["kind"])(name, **arguments, opts=options)
    for output in ("reason", "triggers", "comment", "review_comment", "states"):
        if hasattr(made, output):
            pulumi.export(f"{{name}}-{{output}}", getattr(made, output))
"""
)
PROGRAM_FILES = ("Pulumi.yaml", "__main__.py", "declared.json")
"""What a program consists of."""


@dataclass(frozen=True)
class Declared:
    """A resource as a program declares it. Inputs in camelCase."""

    kind: str
    inputs: dict[str, Any]
    options: dict[str, Any]


def secret(value: Any) -> dict[str, Any]:
    """A value that the program marks as secret."""
    return {"fn::secret": value}


def remediation(node: int = 1, /, **inputs: Any) -> Declared:
    return Declared(
        "Remediation", {"clusterId": "cluster-1", "instanceId": NODE(node), "mode": "REBOOT_VM"} | inputs, {}
    )


def review(proposal: str, node: int, /, **inputs: Any) -> Declared:
    where = {"clusterId": "cluster-1", "instanceId": NODE(node), "remediationId": proposal}
    return Declared("RemediationReview", where | {"decision": "APPROVE"} | inputs, {})


def rolling(*nodes: int, **inputs: Any) -> Declared:
    instances = [NODE(node) for node in nodes]
    return Declared(
        "RollingRemediation", {"clusterId": "cluster-1", "instances": instances, "mode": "VM_ONLY"} | inputs, {}
    )


def snake(camel: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel)


def declare(stack: Stack, language: str, **resources: Declared) -> None:
    """Writes the program, in YAML or in Python; in Python by the plugin's SDK or by the dynamic form."""
    project: dict[str, Any] = {"name": "training", "runtime": language}
    if stack.form == "plugin":
        project["plugins"] = PLUGINS
    if language == "yaml":
        project["resources"] = {
            name: {"type": f"togetherai:{one.kind}", "properties": one.inputs, "options": one.options}
            for name, one in resources.items()
        }
        project["outputs"] = {
            f"{name}-reason": f"${{{name}.reason}}" for name, one in resources.items() if one.kind == "Remediation"
        }
    else:
        module = "pulumi_togetherai" if stack.form == "plugin" else "pulumi_resource_togetherai.dynamic"
        (stack.folder / "__main__.py").write_text(PYTHON.format(module=module))
        declared = {
            name: {
                "kind": one.kind,
                "arguments": {snake(key): value for key, value in one.inputs.items()},
                "options": {snake(key): value for key, value in one.options.items()},
            }
            for name, one in resources.items()
        }
        (stack.folder / "declared.json").write_text(json.dumps(declared))
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(project))
