"""Every example is run as it stands: preview, up, up again, refresh, destroy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.stack import ROOT, Stack
from tests.simulated import Simulator

EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(
    project.parent.name
    for project in EXAMPLES.glob("*/Pulumi.yaml")
    if "name: repair\n" in project.read_text() and not re.search(r"(runtime|name): (nodejs|go)\n", project.read_text())
)
"""The examples that repair one node. Those that look something up first, and those in languages whose host may be
missing, have tests of their own."""


@pytest.mark.parametrize("example", PROGRAMS)
def test_the_example_runs_and_runs_once(example: str, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "plugin", api.address)
    stack.copy(EXAMPLES / example)
    for name, value in {"cluster": "cluster-1", "instance": "cluster-1-node-2"}.items():
        stack.configure(f"repair:{name}", value)
    preview = stack.preview()
    assert "`pulumi up` will start a" in preview.output
    assert api.posts() == 0
    up = stack.up(check=True)
    assert '"SUCCEEDED"' in up.output
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.refresh().code == 0
    assert stack.destroy().code == 0
    assert api.posts() == 1
