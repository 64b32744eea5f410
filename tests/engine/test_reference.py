"""The examples of the reference run, and the engine takes the schema as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from pulumi_resource_togetherai.schema import schema
from tests.engine.stack import ENGINE, ROOT, VENV, Stack
from tests.simulated import Simulator

GUIDE = ROOT / "provider" / "pulumi_resource_togetherai" / "schema" / "guide"
PLACEHOLDER = "3f0e8d3c-5f6a-4d59-9a53-8f7d0c1f2a44"
"""The remediation that the examples speak of."""
EXPECTED = {
    "Remediation": "`pulumi up` will start a",
    "RemediationReview": "`pulumi up` will approve",
    "RollingRemediation": "`pulumi up` will start a",
    "ClusterRepair": "no rule fits 4 nodes: LEAVE",
    "getRemediation": "PENDING_APPROVAL",
    "getRemediations": "proposals",
    "getRemediationStats": "REMEDIATION_MODE_REBOOT_VM",
    "getInstances": "",
    "getCluster": "",
    "getClusters": "training-1",
    "getNode": "cluster-1-node-1",
}
"""What the preview of an example says."""
PROPOSED = ("RemediationReview", "getRemediation", "getRemediations")
"""The examples that are about a proposal."""
BLOCK = re.compile(r"^```(python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(guide.stem, language, code, id=f"{guide.stem}-{language}-{number}")
    for guide in sorted(GUIDE.glob("*.md"))
    for number, (language, code) in enumerate(BLOCK.findall(guide.read_text()))
]


def test_every_resource_and_function_has_an_example_in_python_and_in_yaml():
    package = schema()
    named = {token.rpartition(":")[2] for token in [*package["resources"], *package["functions"]]}
    for language in ("python", "yaml"):
        assert {example.values[0] for example in EXAMPLES if example.values[1] == language} == named


@pytest.mark.parametrize(("name", "language", "code"), EXAMPLES)
def test_the_example_can_be_previewed(name: str, language: str, code: str, tmp_path: Path, api: Simulator):
    proposal = api.propose("cluster-1-node-1", fault="xid")["id"] if name in PROPOSED else ""
    if name == "getRemediationStats":
        api.create("cluster-1-node-4")
        api.until("SUCCEEDED")
    posts = api.posts()
    code = code.replace(PLACEHOLDER, proposal)
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    if language == "python":
        (stack.folder / "Pulumi.yaml").write_text("name: reference\nruntime: python\n")
        (stack.folder / "__main__.py").write_text(code)
    else:
        (stack.folder / "Pulumi.yaml").write_text(f"name: reference\nruntime: yaml\n{code}")
    stack.run("stack", "init", check=True)
    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert EXPECTED[name] in preview.output
    assert api.posts() == posts


def test_the_engine_reads_the_schema_as_it_is_written(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    plugin = shutil.which("pulumi-resource-togetherai", path=str(VENV))
    command = [ENGINE / "pulumi", "package", "get-schema", str(plugin)]
    done = subprocess.run(command, env=stack.env, cwd=stack.folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    told, written = _in_order(json.loads(done.stdout)), _in_order(schema())
    assert {name: told[name] for name in written} == written
    assert not {name for name in told if told[name]} - set(written)


def _in_order(value: Any) -> Any:
    """With what is required in order, and what is empty left out, as the engine writes it."""
    if isinstance(value, dict):
        empty: list[tuple[str, Any]] = [("required", []), ("properties", {})]
        spec = {name: item for name, item in cast(dict[str, Any], value).items() if (name, item) not in empty}
        return {name: sorted(item) if name == "required" else _in_order(item) for name, item in spec.items()}
    return [_in_order(item) for item in cast(list[Any], value)] if isinstance(value, list) else value
