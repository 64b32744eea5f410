"""The plugin is started often and used rarely: a start imports nothing that only an operation needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["pydantic", "httpx", "tenacity"])
def test_a_start_of_the_plugin_imports_no(module: str):
    program = f"import sys, pulumi_resource_togetherai.plugin.server; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
