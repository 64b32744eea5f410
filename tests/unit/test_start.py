"""The plugin is started often and used rarely, and a program declares without doing: neither imports what only an
operation needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["pydantic", "httpx", "tenacity"])
def test_a_start_of_the_plugin_imports_no(module: str):
    assert not imports("pulumi_resource_togetherai.plugin.server", module)


@pytest.mark.parametrize(
    "module",
    ["httpx", "tenacity", *(f"pulumi_resource_togetherai.{kind}.operations" for kind in ("remediation", "review"))],
)
def test_a_program_of_the_dynamic_form_imports_no(module: str):
    assert not imports("pulumi_resource_togetherai.dynamic", module)


def imports(one: str, other: str) -> bool:
    """Whether a process that imports one module has imported another one with it."""
    program = f"import sys, {one}; print({other!r} in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return told.strip() == "True"
