"""A replacement that was killed after it had started its remediation: that answers the change, whatever becomes of it.
Until the replacement is complete, the engine asks Diff about the record that was deleted already."""

from __future__ import annotations

import os
import signal

import pytest

from tests.engine.processes import kill_what_is_left
from tests.engine.stack import Stack
from tests.simulated import Simulator


@pytest.mark.parametrize("state", ["SUCCEEDED", "CANCELLED"])
def test_what_a_killed_replacement_started_is_not_started_once_more(stack: Stack, api: Simulator, state: str):
    stack.declare()
    stack.up(check=True)
    api.behave(outcome="never")
    stack.declare(triggers={"run": "2"})
    with stack.running("up", "--yes", "--skip-preview") as up:
        second = api.until("RUNNING")
        os.kill(up.pid, signal.SIGKILL)
        up.wait()
        kill_what_is_left(stack)
    stack.run("cancel", "--yes")
    api.force(second["id"], state)
    api.behave(outcome="succeed")
    for _ in range(2):
        assert stack.up().code == (0 if state == "SUCCEEDED" else 1)
        assert api.posts() == 2
    # Another change runs another one.
    stack.declare(triggers={"run": "3"})
    stack.up(check=True)
    assert api.posts() == 3
