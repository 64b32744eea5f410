"""Servers that speak otherwise than the simulator does by default, on the real engine: what runs is waited for, nothing
runs twice, and nothing that runs is lost."""

from __future__ import annotations

import functools
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.engine.stack import Form, Run, Stack
from tests.simulated import PATIENCE, Simulator, simulators

LAG = 60.0
"""Simulated seconds, and so 0.3 real ones: six poll intervals."""
LAGS = {"get_lag": LAG, "list_lag": LAG}
DIALECTS: dict[str, dict[str, Any]] = {
    "reads lag": LAGS,
    "unset times are zero": {"unset_times": "zero"},
    "unset times are the epoch": {"unset_times": "epoch"},
    "unset times and texts are empty": {"unset_times": "empty", "unset_texts": "empty"},
    "an empty list is null": {"empty_lists": "null"},
    "an empty list is absent": {"empty_lists": "absent"},
    "a POST is answered with the id alone": LAGS | {"create_answer": "id_201"},
    "a POST is answered with nothing": LAGS | {"create_answer": "empty_202"},
    "what replaced a VM is 404": {"replaced": "all_404"},
}
"""What each of these servers does that the published contract does not say. None knows a repeated POST as such."""
REFUSALS = ("named", "bare")
"""How servers that know no `remediation_id` word their 400."""
STILL = "reads lag, and its clock stands still"
SERVERS = [
    *({"instances": 12, "settings": {"idempotency": "ignore", "dialect": dialect}} for dialect in DIALECTS.values()),
    {"speed": 0, "settings": {"dialect": {"get_lag": 3, "list_lag": 3}}},
    *({"settings": {"idempotency": "refuse", "dialect": {"refused_id": refusal}}} for refusal in REFUSALS),
]
CLUSTERS = {name: f"cluster-{number}" for number, name in enumerate([*DIALECTS, STILL, *REFUSALS], 1)}
AT_ONCE = [f"lagging-{number}" for number in range(1, 13)]
NOT_WAITED_FOR = "replaced-later"


@dataclass
class Course:
    """One stack with a remediation at least on every server: what each command printed, and what it held then."""

    servers: dict[str, Simulator]
    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    held: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict[str, dict[str, dict[str, Any]]])

    def state(self, name: str, after: str) -> str | None:
        """The state in which the stack holds a remediation after a command; None if it is not there, or unfinished."""
        resource = self.held[after].get(name, {})
        return None if resource.get("initErrors") else resource.get("outputs", {}).get("state")

    def started(self, server: str, node: int = 1) -> int:
        """How many remediations of a node were started in all."""
        created = self.servers[server].requests("created")
        return sum(f"/{CLUSTERS[server]}-node-{node}/" in entry["path"] for entry in created)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[Form], Course]]:
    """The course in a form: it runs once, for the first test that asks for it."""
    with ExitStack() as running:

        @functools.cache
        def in_form(form: Form) -> Course:
            address, servers = running.enter_context(simulators(SERVERS))
            stack = Stack(tmp_path_factory.mktemp("course") / "stack", form, address)
            return run(stack, Course(dict(zip(CLUSTERS, servers, strict=True))))

        yield in_form


def run(stack: Stack, course: Course) -> Course:
    def declare(name: str, server: str, node: int = 1, **inputs: Any) -> None:
        stack.declare(name, clusterId=CLUSTERS[server], instanceId=f"{CLUSTERS[server]}-node-{node}", **inputs)

    def keep(command: str, done: Run) -> None:
        course.runs[command] = done
        course.held[command] = stack.resources()

    for node, name in enumerate(AT_ONCE, 1):
        declare(name, "reads lag", node)
    for name in list(DIALECTS)[1:]:
        declare(name, name, mode="VM_ONLY")
    declare(NOT_WAITED_FOR, "what replaced a VM is 404", 2, mode="VM_ONLY", wait=False)
    declare(STILL, STILL, wait=False)
    replacing, not_waited_for = (
        course.servers["what replaced a VM is 404"],
        f"{CLUSTERS['what replaced a VM is 404']}-node-2",
    )
    replacing.behave(not_waited_for, outcome="hold")
    keep("up", stack.up("--continue-on-error"))
    replacing.behave(not_waited_for, outcome="succeed")
    replacing.until("SUCCEEDED", 2, CLUSTERS["what replaced a VM is 404"])
    stack.configure("togetherai:pollInterval", "500ms")
    keep("refresh", refresh_until_reads_catch_up(stack, course.servers[STILL]))
    stack.configure("togetherai:pollInterval", "50ms")
    for refusal in REFUSALS:
        for node in (1, 2):
            declare(f"{refusal}-{node}", refusal, node)
        keep(refusal, stack.up("--continue-on-error"))
    return course


def refresh_until_reads_catch_up(stack: Stack, server: Simulator) -> Run:
    """`pulumi refresh`; the clock of a server whose reads lag moves on once it has not shown a remediation."""
    with stack.running("refresh", "--yes", "--skip-preview") as process:
        gives_up = time.monotonic() + PATIENCE
        while not any(entry["method"] == "GET" and entry["status"] == 404 for entry in server.requests()):
            assert time.monotonic() < gives_up
            time.sleep(0.05)
        server.advance(3)
        return ended(process)


def ended(process: subprocess.Popen[str]) -> Run:
    output, _ = process.communicate(timeout=PATIENCE)
    return Run(process.returncode, output)


@pytest.mark.parametrize("server", list(DIALECTS)[1:])
def test_what_runs_is_waited_for(course: Callable[[Form], Course], form: Form, server: str):
    ran = course(form)
    assert ran.state(server, after="up") == "SUCCEEDED", ran.runs["up"].diagnostics
    assert ran.started(server) == 1


def test_many_at_once_are_waited_for_although_reads_lag(course: Callable[[Form], Course], form: Form):
    ran = course(form)
    assert [ran.state(name, after="up") for name in AT_ONCE] == ["SUCCEEDED"] * 12, ran.runs["up"].diagnostics
    assert [ran.started("reads lag", node) for node in range(1, 13)] == [1] * 12


def test_a_refresh_keeps_what_reads_do_not_show_yet(course: Callable[[Form], Course], form: Form):
    ran = course(form)
    assert ran.state(STILL, after="up") == "PENDING", ran.runs["up"].diagnostics
    assert ran.state(STILL, after="refresh") == "PENDING", ran.runs["refresh"].output
    assert ran.started(STILL) == 1


def test_a_refresh_keeps_what_replaced_the_vm_whose_paths_are_gone(course: Callable[[Form], Course], form: Form):
    ran = course(form)
    assert ran.state(NOT_WAITED_FOR, after="up") == "PENDING", ran.runs["up"].diagnostics
    assert ran.state(NOT_WAITED_FOR, after="refresh") == "SUCCEEDED", ran.runs["refresh"].output
    assert ran.state("what replaced a VM is 404", after="refresh") == "SUCCEEDED"


@pytest.mark.parametrize("refusal", REFUSALS)
def test_where_the_id_is_refused_the_marker_does_alone_and_one_line_says_so(
    course: Callable[[Form], Course], form: Form, refusal: str
):
    ran = course(form)
    names = [f"{refusal}-{node}" for node in (1, 2)]
    assert [ran.state(name, after=refusal) for name in names] == ["SUCCEEDED"] * 2, ran.runs[refusal].diagnostics
    assert [ran.started(refusal, node) for node in (1, 2)] == [1, 1]
    assert ran.runs[refusal].diagnostics.count("the API refuses `remediation_id`") == 1


def test_the_next_up_has_nothing_to_do(course: Callable[[Form], Course], form: Form):
    ran = course(form)
    assert ran.runs[REFUSALS[1]].code == 0
    assert ran.runs[REFUSALS[1]].summary("unchanged") == len(ran.held["refresh"]) + 3  # the stack, and the other two
