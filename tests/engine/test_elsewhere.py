"""Both forms on the real engine, on a system that lacks what Windows lacks."""

from __future__ import annotations

import os
import signal

import pytest

from tests.engine.processes import is_clear_within
from tests.engine.stack import Stack
from tests.portable.test_plugin import LIKE_WINDOWS
from tests.simulated import Simulator


@pytest.fixture
def elsewhere(stack: Stack) -> Stack:
    """A stack on such a system."""
    stack.env["PYTHONPATH"] = str(LIKE_WINDOWS)
    stack.declare()
    return stack


def test_a_remediation_runs(elsewhere: Stack, api: Simulator):
    assert "SUCCEEDED after" in elsewhere.up(check=True).output
    assert elsewhere.destroy().code == 0
    assert api.posts() == 1


def test_the_plugin_is_interrupted_and_goes_on(plugin_stack: Stack, api: Simulator):
    plugin_stack.env["PYTHONPATH"] = str(LIKE_WINDOWS)
    plugin_stack.declare()
    api.behave(outcome="never")
    with plugin_stack.running("up", "--yes", "--skip-preview") as up:
        remediation = api.until("RUNNING")
        os.kill(up.pid, signal.SIGINT)
        output, _ = up.communicate(timeout=60)
    assert "stopped waiting for REBOOT_VM of instance" in output
    assert "Traceback" not in output
    assert is_clear_within(plugin_stack, 5)
    api.force(remediation["id"], "SUCCEEDED")
    plugin_stack.up(check=True)
    assert api.posts() == 1
