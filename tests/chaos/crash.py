"""The crash matrix: kill -9 at each point of a remediation's life, then unlock the stack and run the command again.

    python -m tests.chaos.crash          # the whole matrix, as a table

Each cell reads `effective POSTs/lost`; everything but 1/0 is a defect.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.gate import PATIENCE, Gate, Point, gate
from tests.engine.processes import kill_the_provider
from tests.engine.stack import Form, Run, Stack
from tests.simulated import Simulator, simulator

READINGS = ("id", "existing", "conflict", "ignore")
FORMS: tuple[Form, ...] = ("plugin", "dynamic")
VICTIMS = ("provider", "pulumi")


def is_create(method: str, path: str, answer: dict[str, Any]) -> bool:
    return method == "POST" and "/remediations?" in path


def _first_look() -> Point:
    """The first request after the POST: at the instance's remediations, to see whether others came first."""
    posted = False

    def is_there(method: str, path: str, answer: dict[str, Any]) -> bool:
        nonlocal posted
        posted = posted or is_create(method, path, answer)
        return posted and method == "GET"

    return Point(is_there, answered=False)


def _shows(state: str) -> Point:
    """An answer that shows a remediation in a state, alone or in a list."""

    def is_there(method: str, path: str, answer: dict[str, Any]) -> bool:
        return method == "GET" and state in {item.get("state") for item in (answer, *answer.get("remediations", ()))}

    return Point(is_there, answered=True)


def _points() -> dict[str, Point]:
    """Where to kill. Made anew for each case: the first look is known by what came before it."""
    return {
        "after the LIST, before the POST": Point(is_create, answered=False),
        "after the POST, before its answer": Point(is_create, answered=True),
        "after the answer, before the first look": _first_look(),
        "while PENDING": _shows("PENDING"),
        "while RUNNING": _shows("RUNNING"),
        "after its end, before the stack is saved": _shows("SUCCEEDED"),
        "during the cancel of a delete": Point(lambda method, path, answer: path.endswith("/cancel"), answered=True),
        "before it withdraws what came second": Point(
            lambda method, path, answer: path.endswith("/cancel"), answered=False
        ),
        "after it withdrew that, before the answer": Point(
            lambda method, path, answer: path.endswith("/cancel"), answered=True
        ),
    }


POINTS = tuple(_points())


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    point: str
    victim: str
    reading: str
    form: Form

    @property
    def is_delete(self) -> bool:
        """Whether it is a delete that is killed."""
        return "delete" in self.point

    @property
    def is_withdrawal(self) -> bool:
        """Whether somebody else's remediation of the node came first."""
        return "withd" in self.point


MATRIX = [Case(*cell) for cell in itertools.product(POINTS, VICTIMS, READINGS, FORMS)]


@dataclass(frozen=True)
class Result:
    """What came of a case."""

    effective_posts: int
    lost: int
    problem: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing ran twice and nothing was lost."""
        return (self.effective_posts, self.lost, self.problem) == (1, 0, "")


def run(case: Case, folder: Path) -> Result:
    """Kills, unlocks, runs again, and counts."""
    # Half a second PENDING and one RUNNING: time to be seen in each.
    flags = (f"--idempotency={case.reading}", "--pending=100", "--running=200")
    with simulator(*flags) as api, gate(api.address) as (stopper, address):
        stack = Stack(folder, case.form, address)
        if case.is_delete:
            api.behave(outcome="hold")
            stack.declare(wait=False)
            stack.up(check=True)
            command = ("destroy", "--yes", "--skip-preview")
        else:
            stack.declare()
            command = ("up", "--yes", "--skip-preview")
        _kill(stack, stopper, case, command, api)
        stack.run("cancel", "--yes")
        again = stack.run(*command)
        if case.is_withdrawal:
            return _after_withdrawal(stack, api, again)
        created = len(api.requests("created"))
        held = {item["outputs"]["remediationId"] for item in stack.resources().values()}
        lost = [item for item in api.remediations() if _is_lost(item, held, case)]
        return Result(created, len(lost), "" if again.code == 0 else again.output)


def _after_withdrawal(stack: Stack, api: Simulator, again: Run) -> Result:
    """The run after the kill has to be told of the other one and leave nothing of its own; once the other one has ended
    the next starts anew. What counts are the remediations that were not withdrawn, but for the other one."""
    (other,) = [item for item in api.remediations() if item["state"] == "PENDING"]
    told = again.code == 1 and "is being repaired already" in again.output and other["id"] in again.output
    api.force(other["id"], "SUCCEEDED")
    api.behave(outcome="succeed")
    anew = stack.up()
    ran = [item for item in api.remediations() if item["state"] != "CANCELLED" and item["id"] != other["id"]]
    held = {item["outputs"]["remediationId"] for item in stack.resources().values()}
    lost = [item for item in ran if item["id"] not in held]
    return Result(len(ran), len(lost), "" if told and anew.code == 0 else again.output + anew.output)


def _kill(stack: Stack, stopper: Gate, case: Case, command: tuple[str, ...], api: Simulator) -> None:
    point = _points()[case.point]
    stopper.stop_at(Point(is_create, answered=False) if case.is_withdrawal else point)
    with stack.running(*command) as pulumi:
        if not stopper.reached.wait(PATIENCE):
            raise AssertionError(f"{case}: the point was never reached")
        if case.is_withdrawal:
            api.behave(outcome="hold")
            api.create()
            stopper.stop_at(point)
            if not stopper.reached.wait(PATIENCE):
                raise AssertionError(f"{case}: nothing was withdrawn")
        if case.victim == "provider":
            kill_the_provider(stack)
            stopper.release()
            pulumi.communicate(timeout=PATIENCE)
        elif "before the stack is saved" in case.point:
            # The provider learns of the end and says so to an engine that can no longer save it.
            os.kill(pulumi.pid, signal.SIGSTOP)
            stopper.release()
            time.sleep(0.3)
            os.kill(pulumi.pid, signal.SIGKILL)
        else:
            os.kill(pulumi.pid, signal.SIGKILL)
            pulumi.wait()
            stopper.release()


def _is_lost(remediation: dict[str, Any], held: set[str], case: Case) -> bool:
    if case.is_delete:
        return remediation["state"] != "CANCELLED"
    return remediation["id"] not in held


def main() -> None:
    """Runs the whole matrix, two cases at a time, and prints it."""
    with tempfile.TemporaryDirectory(prefix="togetherai-crash-") as folder, ThreadPoolExecutor(2) as pool:

        def cell(number: int) -> Result:
            try:
                return run(MATRIX[number], Path(folder) / str(number))
            except Exception as error:  # one broken case is no reason to lose the others
                return Result(0, 0, f"{type(error).__name__}: {error}")

        results = dict(zip(MATRIX, pool.map(cell, range(len(MATRIX))), strict=True))
    columns = list(itertools.product(FORMS, READINGS))
    print("| killed | point | " + " | ".join(f"{form} {reading}" for form, reading in columns) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for point, victim in itertools.product(POINTS, VICTIMS):
        row = [results[Case(point, victim, reading, form)] for form, reading in columns]
        print(f"| {victim} | {point} | " + " | ".join(f"{cell.effective_posts}/{cell.lost}" for cell in row) + " |")
    bad = {case: result for case, result in results.items() if not result.good}
    for case, result in bad.items():
        print(f"\n{case}: {result}")
    print(f"\n{len(results)} cases, {len(bad)} bad")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
