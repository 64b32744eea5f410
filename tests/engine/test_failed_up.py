"""Somebody who has read nothing, at 3 a.m.: the output of a failed `pulumi up` alone says which node, why, what is
recorded, and what to type. What it says to type is typed here as it stands there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.engine.processes import kill_what_is_left
from tests.engine.stack import Form, Run, Stack
from tests.engine.test_rolling import NODES, declare, rack
from tests.simulated import Simulator

NODE = NODES[0]
KEPT: dict[Form, str] = {
    "plugin": "The stack keeps it as unfinished.",
    "dynamic": "The stack keeps no record of it, but the next `pulumi up` finds it again by its key.",
}
"""What is recorded of a remediation that has been started."""
COMMAND = re.compile(r"`(pulumi [^`]+)`|(pulumi (?:up|import) .+)")


def way(run: Run, begins: str) -> str:
    """The line of an output that begins so."""
    (line,) = {line.strip() for line in run.output.splitlines() if line.strip().startswith(begins)}
    return line


def command(line: str) -> str:
    """The command in a line."""
    found = COMMAND.search(line)
    assert found, f"no command in {line!r}"
    return found[1] or found[2]


def typed(stack: Stack, text: str) -> Run:
    """What comes of a command that is typed at a shell in the program's folder, and confirmed."""
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=stack.folder,
        env=stack.env | {"PULUMI_STACK": stack.name, "PULUMI_SKIP_CONFIRMATIONS": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def edit(line: str, stack: Stack) -> dict[str, bool]:
    """The input that a line says to set, in camelCase."""
    found = re.search(r"set `(\w+)(?:: true|=True)`", line)
    assert found, f"nothing to set in {line!r}"
    name = re.sub(r"_(\w)", lambda letter: letter[1].upper(), found[1])
    assert found[1] == stack.spelt(name)
    return {name: True}


def names(run: Run, *texts: str) -> None:
    """Sees that a failed command's report says all of it, and shows no inside of a program."""
    assert run.code != 0
    for text in texts:
        assert text in run.diagnostics, f"{text!r} is not in:\n{run.diagnostics}"
    assert "Traceback" not in run.output


def stopped(stack: Stack, api: Simulator, state: str, stop: Callable[[subprocess.Popen[str]], object]) -> Run:
    """An `up` that something happens to while it waits."""
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.until(state)
        stop(up)
        output, _ = up.communicate(timeout=60)
    return Run(up.returncode, output)


def test_a_repair_that_failed(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="fail", error_message="host did not come back")
    stack.declare()
    failed = stack.up()
    (remediation,) = api.remediations()
    names(failed, f"REBOOT_VM of instance {NODE} FAILED after", "host did not come back")
    names(failed, f"remediation {remediation['id']} in cluster cluster-1", KEPT[form], "does not run again by itself")
    api.behave(outcome="succeed")
    if form == "plugin":
        again = command(way(failed, "or run it again now: "))
        assert again == f"pulumi up --replace '{stack.urn()}'"
    else:
        line = way(failed, "to run it again: ")
        stack.declare(**edit(line, stack))
        again = command(line)
    ran = typed(stack, again)
    assert ran.code == 0, ran.output
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED", "FAILED"]


def test_a_run_that_was_killed_and_the_next_one_that_timed_out(stack: Stack, api: Simulator, form: Form):
    def kill(up: subprocess.Popen[str]) -> None:
        os.kill(up.pid, signal.SIGKILL)
        up.wait()
        kill_what_is_left(stack)

    api.behave(outcome="never")
    stack.declare()
    stopped(stack, api, "RUNNING", kill)
    stack.declare(timeout="1s")
    locked = stack.up()
    assert locked.code != 0
    assert typed(stack, command(way(locked, "error: the stack is currently locked"))).code == 0
    timed_out = stack.up()
    (remediation,) = api.remediations()
    names(timed_out, f"timed out waiting for REBOOT_VM of instance {NODE}, which is RUNNING after", KEPT[form])
    names(timed_out, f"remediation {remediation['id']} in cluster cluster-1")
    api.force(remediation["id"], "SUCCEEDED")
    ran = typed(stack, command(way(timed_out, "next: ")))
    assert ran.code == 0, ran.output
    assert api.posts() == 1


def test_a_key_that_is_refused_during_the_wait(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="never")
    stack.declare()
    failed = stopped(stack, api, "RUNNING", lambda _: api.add_fault({"kind": "error", "status": 401}))
    api.clear_faults()
    (remediation,) = api.remediations()
    names(failed, f"can no longer see REBOOT_VM of instance {NODE}, last seen", "401 UNAUTHENTICATED", KEPT[form])
    names(failed, "The API key came from the environment variable TOGETHER_API_KEY")
    names(failed, f"remediation {remediation['id']} in cluster cluster-1")
    api.force(remediation["id"], "SUCCEEDED")
    ran = typed(stack, command(way(failed, "next: ")))
    assert ran.code == 0, ran.output
    assert api.posts() == 1


def test_a_node_that_somebody_else_repairs(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="never")
    theirs = api.create()
    stack.declare()
    refused = stack.up()
    names(refused, f"instance {NODE} of cluster cluster-1 is being repaired already: remediation {theirs['id']}")
    names(refused, "started by simulator-user", "Nothing was posted", "The stack records nothing of it")
    if form == "plugin":
        with ThreadPoolExecutor() as pool:
            taking = pool.submit(typed, stack, command(way(refused, "to take it over: ")))
            api.force(theirs["id"], "SUCCEEDED")  # it waits for the end
        assert taking.result().code == 0, taking.result().output
        assert stack.resources()["fix"]["outputs"]["remediationId"] == theirs["id"]
    else:
        api.force(theirs["id"], "SUCCEEDED")
    api.behave(outcome="succeed")
    ran = typed(stack, command(way(refused, "next: ")))
    assert ran.code == 0, ran.output
    assert stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"


def test_a_rolling_repair_that_halted(stack: Stack, api: Simulator, form: Form):
    api.behave(NODES[1], outcome="fail", error_message="no healthy host")
    declare(stack, rack=rack(form))
    halted = stack.up()
    failed = next(item for item in api.remediations() if item["state"] == "FAILED")
    names(halted, "halted: 1 of 4 repaired, 1 failed, 2 not begun", f"{NODES[2]}  ", "not begun in this run")
    names(halted, f"REBOOT_VM of instance {NODES[1]} FAILED after", "no healthy host", KEPT[form])
    names(halted, f"remediation {failed['id']} in cluster cluster-1")
    api.behave(NODES[1], outcome="succeed")
    if form == "plugin":
        again = command(way(halted, "or run it again now: "))
    else:
        line = way(halted, "to run it again: ")
        declare(stack, rack=rack(form, **edit(line, stack)))
        again = command(line)
    ran = typed(stack, again)
    assert ran.code == 0, ran.output
    assert {item["instance_id"] for item in api.remediations() if item["state"] == "SUCCEEDED"} == set(NODES)
    assert api.posts() == 5
