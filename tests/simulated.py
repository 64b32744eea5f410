"""The simulator as tests start it: quick, and with a key of the tests' own."""

from __future__ import annotations

import itertools
import multiprocessing
import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from starlette.types import Receive, Scope, Send

from pulumi_resource_togetherai.api.models import Remediation
from togetherai_simulator import Clock, Simulator, running, serving, simulate
from togetherai_simulator.app import App
from togetherai_simulator.job import Job

API_KEY = "test-key"
KEYS = [{"key": API_KEY}]
SPEED = 200
"""Simulated seconds per real one: a remediation's minute passes in a third of a second."""
PATIENCE = 60.0
"""Real seconds after which what a test waits for counts as never happening."""
# Simulators are forked from a process that has imported what they need, so that each starts in a moment.
# tests/simulator/test_process.py starts the command as its users do.
multiprocessing.set_forkserver_preload(["__main__", __name__])


@contextmanager
def simulator(*, speed: float = SPEED, api_key: str = API_KEY, **scenario: Any) -> Generator[Simulator]:
    """Starts a simulator of a scenario; by default one cluster of four instances."""
    with running({"api_keys": [{"key": api_key}]} | scenario, speed=speed) as running_one:
        yield running_one


@contextmanager
def simulators(scenarios: Sequence[dict[str, Any]]) -> Generator[tuple[str, list[Simulator]]]:
    """Starts a simulator for each scenario, all behind one address: the first serves cluster-1, the second cluster-2,
    and so on. Each also has an address of its own. A scenario may say its `speed`."""
    with serving(OneAddress, scenarios) as (root, process), ExitStack() as stack:
        numbers = range(1, len(scenarios) + 1)
        yield f"{root}/v1", [stack.enter_context(Simulator(f"{root}/{n}/v1", API_KEY, process)) for n in numbers]


@contextmanager
def simulator_holding(answers: Sequence[dict[str, Any]], *, instances: int) -> Generator[Simulator]:
    """Starts a simulator that holds remediations as an API has once told of them, oldest first. They go on only when
    told to."""
    with (
        serving(_holding, answers, instances) as (root, process),
        Simulator(f"{root}/v1", API_KEY, process) as running_one,
    ):
        yield running_one


class OneAddress:
    """Several simulators behind one address, as an application."""

    def __init__(self, scenarios: Sequence[dict[str, Any]]) -> None:
        self._apps = [
            simulate({"clusters": number, "api_keys": KEYS} | scenario, clock=Clock(speed=speed))
            for number, (scenario, speed) in enumerate(map(_with_speed, scenarios), 1)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        cluster = re.match("compute/clusters/cluster-([0-9]+)", rest)
        if first.isdigit():
            await self._apps[int(first) - 1]({**scope, "path": f"/{rest}"}, receive, send)
        else:
            await self._apps[int(cluster[1]) - 1 if cluster else 0](scope, receive, send)


def _with_speed(scenario: dict[str, Any]) -> tuple[dict[str, Any], float]:
    return {name: value for name, value in scenario.items() if name != "speed"}, scenario.get("speed", SPEED)


def _holding(answers: Sequence[dict[str, Any]], instances: int) -> App:
    app = simulate({"instances": instances, "api_keys": KEYS}, clock=Clock(speed=SPEED))
    for number, answer in enumerate(answers, 1):
        held = Remediation.model_validate(answer)
        app.platform.registry.add(Job(number=number, remediation=held, entered=app.platform.now, key=held.id))
    app.platform.counters.jobs = len(answers)
    return app


def course_of(records: Iterable[dict[str, Any]], begin: str) -> list[tuple[datetime, int]]:
    """How many remediations were active from which moment on; `begin` is the field that tells when each became so."""
    moments = list[tuple[datetime, int]]()
    for record in records:
        if record.get(begin):
            moments.append((datetime.fromisoformat(record[begin]), 1))
            if record.get("end_time"):
                moments.append((datetime.fromisoformat(record["end_time"]), -1))
    ordered = sorted(moments)
    counts = itertools.accumulate(change for _, change in ordered)
    return [(moment, active) for (moment, _), active in zip(ordered, counts, strict=True)]
