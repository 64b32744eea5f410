"""`maxConcurrentPerCluster` on the real engine, through both forms."""

from __future__ import annotations

import os
import re
import signal

from tests.engine.stack import Stack
from tests.engine.test_rolling import most_at_once
from tests.simulated import Simulator


def declare_three(stack: Stack) -> None:
    """Has the program declare three remediations that do not depend on each other."""
    stack.configure("togetherai:maxConcurrentPerCluster", "1")
    for number in (1, 2, 3):
        stack.declare(f"fix-{number}", instanceId=f"cluster-1-node-{number}")


def test_no_more_run_at_once_than_allowed_and_the_others_say_so(stack: Stack, api: Simulator):
    declare_three(stack)
    preview = stack.preview().output
    assert re.search(r"first wait for a free slot in cluster cluster-1: [12] more of this program come first", preview)
    output = stack.up(check=True).output
    assert most_at_once(api) == 1
    assert api.posts() == 3
    holder = r"node-\d \(\w+ \d+s, fix-\d of Pulumi program training/prod\)"
    assert re.search(rf"waiting \S+ for a slot: {holder}; 1 of 1 in use in cluster cluster-1", output)


def test_ctrl_c_reaches_those_that_queue_and_the_next_up_goes_on(plugin_stack: Stack, api: Simulator):
    for number in (1, 2, 3):
        api.behave(f"cluster-1-node-{number}", outcome="never")
    declare_three(plugin_stack)
    with plugin_stack.running("up", "--yes", "--skip-preview") as up:
        remediation = api.until("RUNNING")
        os.kill(up.pid, signal.SIGINT)
        output, _ = up.communicate(timeout=60)
    diagnostics = output.partition("\nDiagnostics:\n")[2]
    assert diagnostics.count("was started: it was waiting for its turn: interrupted") == 2
    assert "Traceback" not in output
    assert api.posts() == 1
    api.force(remediation["id"], "SUCCEEDED")
    for number in (1, 2, 3):
        api.behave(f"cluster-1-node-{number}", outcome="succeed")
    plugin_stack.up(check=True)
    assert api.posts() == 3
    assert most_at_once(api) == 1
