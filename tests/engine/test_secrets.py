"""What a program marked as secret is nowhere in the stack in clear."""

from __future__ import annotations

from tests.engine.stack import Stack
from tests.simulated import Simulator


def test_a_secret_reason_stays_secret_in_inputs_and_outputs(plugin_stack: Stack, api: Simulator):
    plugin_stack.declare(reason={"fn::secret": "names a customer"}, triggers={"incident": {"fn::secret": "hush"}})
    plugin_stack.up(check=True)
    assert api.requests("created")[0]["body"]["reason"].startswith("names a customer")
    for run in (plugin_stack.up(check=True), plugin_stack.refresh()):
        assert run.summary("unchanged") >= 1
        exported = plugin_stack.run("stack", "export", check=True).output
        assert "names a customer" not in exported
        assert "hush" not in exported
    assert plugin_stack.destroy().code == 0


def test_a_secret_reason_stays_secret_when_the_remediation_fails(plugin_stack: Stack, api: Simulator):
    api.behave(outcome="fail")
    plugin_stack.declare(reason={"fn::secret": "names a customer"})
    assert plugin_stack.up().code != 0
    assert plugin_stack.resources()["fix"]["outputs"]["state"] == "FAILED"
    assert "names a customer" not in plugin_stack.run("stack", "export", check=True).output
