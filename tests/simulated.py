"""The simulator as a process of its own, and what tests tell it and ask it over HTTP."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from pulumi_resource_togetherai.api.models import Remediation
from togetherai_simulator.clock import Clock
from togetherai_simulator.command import main as run_simulator
from togetherai_simulator.job import Job
from togetherai_simulator.scenario import Scenario, simulate
from togetherai_simulator.server import listen, serve

API_KEY = "test-key"
SPEED = 200
"""Simulated seconds per real one: a remediation's minute passes in a third of a second."""
PATIENCE = 60.0
"""Real seconds after which what a test waits for counts as never happening."""
SPAWN = multiprocessing.get_context("forkserver")
"""Simulators are forked from a process that has imported what they need, so that each starts in a moment.
tests/simulator/test_process.py starts the command as its users do."""
SPAWN.set_forkserver_preload(["__main__", __name__])


class Simulator:
    """A running simulator."""

    def __init__(self, address: str, api_key: str = API_KEY) -> None:
        self.address = address
        self._control = httpx.Client(base_url=f"{address.removesuffix('/v1')}/_simulator", timeout=30)
        self._api = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {api_key}"}, timeout=30)

    def close(self) -> None:
        """Closes the connections."""
        self._control.close()
        self._api.close()

    def requests(self, effect: str | None = None) -> list[dict[str, Any]]:
        """The journal, oldest first; of one effect only, if given."""
        journal: list[dict[str, Any]] = self._answer("GET", "/requests")
        return [entry for entry in journal if effect is None or entry["effect"] == effect]

    def forget_requests(self) -> None:
        """Empties the journal."""
        self._answer("DELETE", "/requests")

    def posts(self) -> int:
        """How many requests tried to start a remediation."""
        return sum(entry["method"] == "POST" and entry["path"].endswith("/remediations") for entry in self.requests())

    def behave(self, instance: str = "cluster-1-node-1", **behaviour: Any) -> None:
        """Tells an instance how its remediations go."""
        cluster = instance.partition("-node-")[0]
        self._answer("PUT", f"/instances/{cluster}/{instance}/behaviour", behaviour)

    def speak(self, **settings: Any) -> None:
        """Changes the platform's settings, such as its `dialect`."""
        self._answer("PATCH", "/settings", settings)

    def propose(self, instance: str, **proposal: Any) -> dict[str, Any]:
        """Has the platform propose a remediation."""
        cluster = instance.partition("-node-")[0]
        return self._answer("POST", f"/instances/{cluster}/{instance}/propose", proposal)

    def force(self, remediation: str, state: str, **more: Any) -> None:
        """Has something outside bring a remediation into a state."""
        self._answer("POST", f"/remediations/{remediation}/state", {"state": state} | more)

    def forget(self, remediation: str) -> None:
        """Has the API's history of a remediation expire."""
        self._answer("POST", f"/remediations/{remediation}/expire")

    def add_fault(self, rule: dict[str, Any]) -> None:
        """Switches a fault on."""
        self._answer("POST", "/faults", rule)

    def clear_faults(self) -> None:
        """Switches all faults off."""
        self._answer("DELETE", "/faults")

    def advance(self, seconds: float) -> None:
        """Moves the simulated clock."""
        self._answer("POST", "/advance", {"seconds": seconds})

    def remediations(self, cluster: str = "cluster-1") -> list[dict[str, Any]]:
        """The API's list for a cluster, asked for as any client would."""
        response = self._api.get(f"/compute/clusters/{cluster}/instances/-/remediations", params={"page_size": 100})
        response.raise_for_status()
        return response.json()["remediations"]

    def create(self, instance: str = "cluster-1-node-1", mode: str = "REMEDIATION_MODE_REBOOT_VM") -> dict[str, Any]:
        """Starts a remediation as somebody else."""
        cluster = instance.partition("-node-")[0]
        path = f"/compute/clusters/{cluster}/instances/{instance}/remediations"
        response = self._api.post(path, json={"mode": mode, "reason": "by hand"})
        response.raise_for_status()
        return response.json()

    def until(self, state: str, count: int = 1, cluster: str = "cluster-1") -> dict[str, Any]:
        """Waits until the cluster has remediations in a state, and returns the first."""
        gives_up = time.monotonic() + PATIENCE
        while time.monotonic() < gives_up:
            found = [item for item in self.remediations(cluster) if item["state"] == state]
            if len(found) >= count:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no remediation came to be {state}; there are {self.remediations(cluster)}")

    def _answer(self, method: str, path: str, body: Any = None) -> Any:
        response = self._control.request(method, path, json=body)
        response.raise_for_status()
        return response.json() if response.content else None


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


@contextmanager
def simulator(
    *flags: str, speed: float = SPEED, api_key: str = API_KEY, scenario: Path | None = None
) -> Generator[Simulator]:
    """Starts a simulator on a free port of the loopback, and stops it. A `scenario` says its clusters and its keys, of
    which `api_key` is the test's own."""
    one_cluster = ["--clusters=1", "--instances=4", f"--api-key={api_key}"]
    what = one_cluster if scenario is None else [f"--scenario={scenario}"]
    options = ["--port=0", f"--speed={speed}", *what, *flags]
    with _spawned(_simulate, options) as address:
        running = Simulator(address, api_key)
        yield running
        running.close()


@contextmanager
def simulators(scenarios: Sequence[dict[str, Any]]) -> Generator[tuple[str, list[Simulator]]]:
    """Starts a simulator for each scenario, all behind one address: the first serves cluster-1, the second cluster-2,
    and so on. Each also has an address of its own. A scenario may say its `speed`."""
    with _spawned(_simulate_all, scenarios) as address:
        running = [Simulator(address.replace("/v1", f"/{number}/v1")) for number in range(1, len(scenarios) + 1)]
        yield address, running
        for each in running:
            each.close()


@contextmanager
def simulator_holding(answers: Sequence[dict[str, Any]], *, instances: int) -> Generator[Simulator]:
    """Starts a simulator that holds remediations as an API has once told of them, oldest first. They go on only when
    told to."""
    with _spawned(_simulate_holding, (answers, instances)) as address:
        running = Simulator(address)
        yield running
        running.close()


class OneAddress:
    """Several simulators behind one address, as an application."""

    def __init__(self, scenarios: Sequence[dict[str, Any]]) -> None:
        self._apps = [
            simulate(
                Scenario.model_validate({"clusters": number, "api_keys": [{"key": API_KEY}]} | scenario),
                clock=Clock(speed=speed),
            )
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


@contextmanager
def _spawned(simulate: Callable[[Any, Connection], None], what: Any) -> Generator[str]:
    """A process that simulates, and prints its address first; ends it."""
    output, its_output = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=simulate, args=(what, its_output))
    process.start()
    its_output.close()
    try:
        with open(output.fileno(), closefd=False) as lines:
            yield lines.readline().split()[-1]
    finally:
        process.terminate()
        process.join()
        process.close()
        output.close()


def _simulate(options: list[str], output: Connection) -> None:
    os.dup2(output.fileno(), 1)
    run_simulator(options)


def _simulate_all(scenarios: Sequence[dict[str, Any]], output: Connection) -> None:
    _serve(OneAddress(scenarios), output)


def _simulate_holding(what: tuple[Sequence[dict[str, Any]], int], output: Connection) -> None:
    answers, instances = what
    scenario = {"instances": instances, "api_keys": [{"key": API_KEY}]}
    app = simulate(Scenario.model_validate(scenario), clock=Clock(speed=SPEED))
    for number, answer in enumerate(answers, 1):
        held = Remediation.model_validate(answer)
        app.platform.registry.add(Job(number=number, remediation=held, entered=app.platform.now, key=held.id))
    app.platform.counters.jobs = len(answers)
    _serve(app, output)


def _serve(app: ASGIApp, output: Connection) -> None:
    listener = listen("127.0.0.1", 0)
    with open(output.fileno(), "w", closefd=False) as lines:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", file=lines, flush=True)
    serve(app, listener)
