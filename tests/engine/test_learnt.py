"""What `pulumi up` learns about the server is in the debug log, by both adapters."""

from __future__ import annotations

import pytest

from tests.engine.stack import Stack
from tests.simulated import SPEED, Simulator


@pytest.fixture
def stack_of_a_strange_server(stack: Stack, api: Simulator) -> Stack:
    """Reads lag half a second behind, and `remediation_id` is refused."""
    api.set(idempotency="refuse", dialect={"get_lag": SPEED / 2, "list_lag": SPEED / 2})
    stack.configure("togetherai:pollInterval", "200ms")
    stack.declare()
    return stack


def test_those_who_debug_see_what_the_server_is_like(stack_of_a_strange_server: Stack):
    up = stack_of_a_strange_server.up("--debug", check=True)
    assert "debug: the API refuses `remediation_id`" in up.output
    assert "debug: cluster cluster-1: reads lag behind writes: " in up.output


def test_others_do_not(stack_of_a_strange_server: Stack):
    assert "reads lag" not in stack_of_a_strange_server.up(check=True).output
