"""The crash matrix: kill -9 at each point of a remediation's life, then unlock the stack and run the command again.

    python -m tests.chaos.crash                          # on one machine, as a table
    python -m tests.chaos.crash --backend postgres s3    # on machines that share the state

On one machine the provider or `pulumi` is killed and the command run again where it was. Machines that share the state
are runners of a pipeline: one vanishes with all its processes, or is only believed to have vanished and goes on after
the next one has unlocked the stack; the next one has a folder of its own and nothing but the program, the backend's
address and the passphrase.

Each cell reads `effective POSTs/lost`; everything but 1/0 is a defect.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from tests.backends import SERVERS, NotToBeHad
from tests.chaos.gate import PATIENCE, Gate, Point, gate
from tests.engine.processes import comes_true, is_spoken_to, kill_the_provider, kill_what_is_left
from tests.engine.stack import Backend, Form, Run, Stack
from tests.simulated import Simulator, simulator

READINGS = ("id", "existing", "conflict", "ignore")
FORMS: tuple[Form, ...] = ("plugin", "dynamic")
VICTIMS = ("provider", "pulumi")
"""What is killed on one machine."""
RUNNERS = ("runner", "nobody")
"""What is killed where machines share the state; nobody, where the first runner is only believed to have vanished."""


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
        "while QUARANTINED": _shows("QUARANTINED"),
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

    @property
    def is_beyond_us(self) -> bool:
        """Whether a request arrives after everything is over at a server that ignores the key: docs/reliability.md says
        that nothing on the client's side can keep that from running twice."""
        return (self.point, self.victim, self.reading) == (POINTS[0], "nobody", "ignore")


def matrix(victims: tuple[str, ...]) -> list[Case]:
    """Every cell but those that are beyond us."""
    cells = itertools.starmap(Case, itertools.product(POINTS, victims, READINGS, FORMS))
    return [case for case in cells if not case.is_beyond_us]


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

    def __str__(self) -> str:
        return f"{self.effective_posts}/{self.lost}"


def run(case: Case, folder: Path, backend: Backend | None = None, name: str = "prod") -> Result:
    """Kills, unlocks, runs again, and counts. `name` is the stack's in the backend; without one its state is kept in
    the folder."""
    # Half a second PENDING and QUARANTINED, and one RUNNING: time to be seen in each.
    settings = {"idempotency": case.reading, "pending": 100, "quarantined": 100, "running": 200}
    with simulator(settings=settings) as api, gate(api.address) as (stopper, address):
        stack = Stack(folder / "first", case.form, address, backend=backend, name=name)
        if case.is_delete:
            api.behave(outcome="hold")
            stack.declare(wait=False)
            stack.up(check=True)
            command = ("destroy", "--yes", "--skip-preview")
        else:
            stack.declare(mode="HOST_AWARE" if "QUARANTINED" in case.point else "REBOOT_VM")
            command = ("up", "--yes", "--skip-preview")
        with _stopped_at(case, stack, stopper, command, api) as pulumi:
            if case.victim == "nobody":
                stack = stack.elsewhere(folder / "second")
                stack.run("cancel", "--yes", check=True)
                stack.run(*command, check=not case.is_withdrawal)
            else:
                _kill(case, stack, stopper, pulumi)
            stopper.release()
            pulumi.communicate(timeout=PATIENCE)
        if case.victim == "runner":
            stack = stack.elsewhere(folder / "second")
        if case.victim != "nobody":
            stack.run("cancel", "--yes", check=True)
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


@contextmanager
def _stopped_at(
    case: Case, stack: Stack, stopper: Gate, command: tuple[str, ...], api: Simulator
) -> Generator[subprocess.Popen[str]]:
    """The command, one of whose requests is held where the case says."""
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
        yield pulumi


def _kill(case: Case, stack: Stack, stopper: Gate, pulumi: subprocess.Popen[str]) -> None:
    if case.victim == "provider":
        kill_the_provider(stack)
        return
    if "before the stack is saved" in case.point:
        # The provider learns of the end and says so to an engine that can no longer save it.
        os.kill(pulumi.pid, signal.SIGSTOP)
        stopper.release()
        if not comes_true(lambda: is_spoken_to(pulumi.pid), PATIENCE):
            raise AssertionError(f"{case}: the provider said nothing of the end")
    os.kill(pulumi.pid, signal.SIGKILL)
    pulumi.wait()
    if case.victim == "runner":
        kill_what_is_left(stack)


def _is_lost(remediation: dict[str, Any], held: set[str], case: Case) -> bool:
    if case.is_delete:
        return remediation["state"] != "CANCELLED"
    return remediation["id"] not in held


def main() -> None:
    """Runs the matrix of each backend that is asked for, two cases at a time, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--backend", nargs="+", choices=["file", *SERVERS], default=["file"], help="where state is kept"
    )
    bad = 0
    for name in parser.parse_args().backend:
        if name == "file":
            bad += _report("one machine", VICTIMS, None)
            continue
        try:
            with SERVERS[name]() as backend:
                bad += _report(name, RUNNERS, backend)
        except NotToBeHad as reason:
            sys.exit(f"{name}: {reason}")
    sys.exit(bool(bad))


def _report(title: str, victims: tuple[str, ...], backend: Backend | None) -> int:
    cases = matrix(victims)
    with tempfile.TemporaryDirectory(prefix="togetherai-crash-") as folder, ThreadPoolExecutor(2) as pool:

        def cell(number: int) -> Result:
            try:
                return run(cases[number], Path(folder) / str(number), backend, f"case-{number}")
            except Exception as error:  # one broken case is no reason to lose the others
                return Result(0, 0, f"{type(error).__name__}: {error}")

        done = track(pool.map(cell, range(len(cases))), title, total=len(cases), console=Console(stderr=True))
        results = dict(zip(cases, done, strict=True))
    columns = list(itertools.product(FORMS, READINGS))
    print(f"{title}\n\n| killed | point | " + " | ".join(f"{form} {reading}" for form, reading in columns) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for point, victim in itertools.product(POINTS, victims):
        row = [results.get(Case(point, victim, reading, form), "-") for form, reading in columns]
        print(f"| {victim} | {point} | " + " | ".join(map(str, row)) + " |")
    bad = {case: result for case, result in results.items() if not result.good}
    for case, result in bad.items():
        print(f"\n{case}: {result!r}")
    print(f"\n{title}: {len(results)} cases, {len(bad)} bad", flush=True)
    return len(bad)


if __name__ == "__main__":
    main()
