"""The ways on after a remediation that ended badly, on the real engine: each runs again on the user's word alone, and
preview says so before."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import Form, Run, Stack
from tests.simulated import Simulator, simulator

STATES = ("FAILED", "CANCELLED")
WAYS: dict[str, dict[str, Any]] = {
    "triggers": {"triggers": {"again": "1"}},
    "retry": {"retryFailed": True},
    "replace": {},
    "remove": {},
}
"""What a user may do next, and what of it stands in the program."""


@dataclass(frozen=True)
class Course:
    """One stack with a remediation of a node of its own for each state and way: all end badly, and then go that way."""

    nodes: dict[tuple[str, str], str]
    """The node of each way and state."""
    runs: dict[str, Run]
    posts: dict[str, Counter[str]]
    """How many remediations were started, by node, once each command had run."""
    held: dict[str, dict[str, dict[str, Any]]]
    """What the stack held then."""

    def reported(self, command: str, way: str, state: str) -> bool:
        """Whether a command ended with the error that a node's remediation ended badly."""
        lines = self.runs[command].diagnostics.splitlines()
        ending = f"of instance {self.nodes[way, state]} {'was ' * (state == 'CANCELLED')}{state} after"
        return any(
            ending in line and "It does not run again by itself" in recorded
            for line, recorded in zip(lines, lines[2:], strict=False)
        )

    def started(self, command: str, way: str, state: str) -> int:
        """How many remediations of a node were started by the end of a command."""
        return self.posts[command][self.nodes[way, state]]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Form], Course]:
    """The course in a form: it runs once, for the first test that asks for it."""

    @functools.cache
    def in_form(form: Form) -> Course:
        return run(form, tmp_path_factory.mktemp("course") / "stack")

    return in_form


def run(form: Form, folder: Path) -> Course:
    ways = [(way, state) for way in WAYS for state in STATES if (form, way) != ("dynamic", "replace")]
    nodes = {ending: f"cluster-1-node-{number}" for number, ending in enumerate(ways, 1)}
    course = Course(nodes, {}, {}, {})
    with simulator(instances=len(nodes)) as api:
        stack = Stack(folder, form, api.address)

        def keep(command: str, done: Run) -> None:
            course.runs[command] = done
            course.posts[command] = Counter(item["instance_id"] for item in api.remediations())
            course.held[command] = stack.resources()

        end_badly(stack, api, nodes)
        keep("ended", stack.up("--continue-on-error"))
        for (way, state), node in nodes.items():
            api.behave(node, outcome="succeed")
            if way == "remove":
                stack.forget(f"{way}-{state}")
            else:
                stack.declare(f"{way}-{state}", instanceId=node, **WAYS[way])
        replaced = [("--replace", stack.urn(f"{way}-{state}")) for way, state in nodes if way == "replace"]
        flags = [flag for pair in replaced for flag in pair]
        keep("preview", stack.preview(*flags))
        # The one that nothing runs again would end it with an error: its turn comes with the next command.
        keep("up", stack.up("--exclude", stack.urn("retry-CANCELLED"), *flags))
        for state in STATES:
            stack.declare(f"remove-{state}", instanceId=nodes["remove", state])
        keep("again", stack.up("--continue-on-error"))
    return course


def end_badly(stack: Stack, api: Simulator, nodes: dict[tuple[str, str], str]) -> None:
    """Remediations that the platform failed, and some that somebody cancelled while nobody waited."""
    for (way, state), node in nodes.items():
        api.behave(node, outcome="fail" if state == "FAILED" else "hold")
        stack.declare(f"{way}-{state}", instanceId=node, **({"wait": False} if state == "CANCELLED" else {}))
    assert stack.up("--continue-on-error").code == 1
    for item in api.remediations():
        if item["state"] == "PENDING":
            api.force(item["id"], "CANCELLED")
    for (way, state), node in nodes.items():
        stack.declare(f"{way}-{state}", instanceId=node)
    assert stack.refresh().code == 0


def runs_again(course: Course, way: str, state: str, *, attempt: int) -> None:
    assert course.reported("ended", way, state)
    node = course.nodes[way, state]
    told = rf"`pulumi up` will start a REBOOT_VM remediation of instance {node} .*\(attempt {attempt}: "
    assert re.search(told, course.runs["preview"].diagnostics)
    assert course.started("preview", way, state) == 1
    assert not course.reported("up", way, state)
    assert course.started("up", way, state) == 2
    outputs = course.held["up"][f"{way}-{state}"]["outputs"]
    assert (outputs["state"], outputs["attempt"]) == ("SUCCEEDED", attempt)
    ran = (course.posts["up"] - course.posts["preview"]).total()
    assert course.runs["again"].summary("unchanged") == ran + 1
    assert course.started("again", way, state) == 2


@pytest.mark.parametrize("state", STATES)
def test_a_change_of_triggers_runs_it_again(course: Callable[[Form], Course], form: Form, state: str):
    runs_again(course(form), "triggers", state, attempt=2)


def test_retry_failed_runs_a_failed_one_again(course: Callable[[Form], Course], form: Form):
    runs_again(course(form), "retry", "FAILED", attempt=2)


def test_retry_failed_does_not_run_a_cancelled_one_again(course: Callable[[Form], Course], form: Form):
    ran = course(form)
    assert ran.reported("again", "retry", "CANCELLED")
    assert ran.started("again", "retry", "CANCELLED") == 1


@pytest.mark.parametrize("state", STATES)
def test_replace_runs_it_again(course: Callable[[Form], Course], state: str):
    runs_again(course("plugin"), "replace", state, attempt=2)


@pytest.mark.parametrize("state", STATES)
def test_removing_it_is_the_end_of_it(course: Callable[[Form], Course], form: Form, state: str):
    ran = course(form)
    assert not ran.reported("up", "remove", state)
    assert f"remove-{state}" not in ran.held["up"]
    assert ran.reported("again", "remove", state), "declared again as it was, it is reported again"
    assert ran.started("again", "remove", state) == 1


def test_somebody_elses_remediation_is_refused_adopted_or_joined_as_the_program_says(stack: Stack, api: Simulator):
    api.behave(outcome="hold")
    other = api.create()
    stack.declare()
    refused = stack.up()
    assert refused.code == 1
    assert other["id"] in refused.output
    assert f"cluster-1/cluster-1-node-1/{other['id']}" in refused.output
    stack.declare(ifActive="ADOPT", wait=False)
    assert "take over remediation" in stack.preview().output
    stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["adopted"] is True
    assert stack.destroy().code == 0
    assert [item["state"] for item in api.remediations()] == ["PENDING"]
    stack.declare(ifActive="CREATE", wait=False)
    stack.up(check=True)
    assert api.posts() == 2


def test_history_that_expired_takes_no_record_away(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    api.expire(api.remediations()[0]["id"])
    refresh = stack.refresh()
    assert "its record is kept" in refresh.output
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1
