"""The simulated platform as the benchmark sees it: a separate process, its clock, and what it recorded."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from togetherai_simulator import Simulator, running
from waiting.workload import PENDING, Workload

BENCHMARKS = Path(__file__).parents[1]
EVERY_REQUEST = 10_000_000
Kind = Literal["POST", "LIST", "LIST of a cluster", "poll of a cluster", "GET"]
"""A list of a cluster by state is a poll. A list of all of a cluster's remediations is a request before a POST that
several remediations share."""


@dataclass(frozen=True)
class Request:
    """A request that reached the API."""

    time: float
    """When, in simulated seconds."""
    kind: Kind
    status: int | None


@dataclass(frozen=True)
class Remediation:
    """A remediation at the end of the run; times in simulated seconds."""

    instance: str
    created: float
    ended: float | None


class Platform:
    """A running simulator."""

    def __init__(self, simulator: Simulator, speed: float) -> None:
        self.simulator = simulator
        self.speed = speed
        self._real, self._simulated = min((self._look_at_the_clock() for _ in range(20)), key=lambda look: look[0])[1]

    def simulated(self, real: float) -> float:
        """Simulated time at a moment of `time.time()`."""
        return self._simulated + (real - self._real) * self.speed

    def requests(self) -> list[Request]:
        """Every request, oldest first."""
        return [
            Request(_seconds(entry["time"]), _kind(entry["method"], entry["path"], entry["query"]), entry["status"])
            for entry in self.simulator.requests()
        ]

    def remediations(self) -> list[Remediation]:
        """Every remediation."""
        return [
            Remediation(
                item["instance_id"],
                _seconds(item["create_time"]),
                _seconds(item["end_time"]) if "end_time" in item else None,
            )
            for cluster in self.simulator.control("GET", "/state?limit=100000")["clusters"]
            for item in cluster["remediations"]
        ]

    def _look_at_the_clock(self) -> tuple[float, tuple[float, float]]:
        """How long it took to read the clock, and the clock: the quickest reading is the most exact."""
        before = time.time()
        told = _seconds(self.simulator.control("GET", "/clock")["now"])
        after = time.time()
        return after - before, ((before + after) / 2, told)


@contextmanager
def platform(workload: Workload) -> Generator[Platform]:
    """Starts a simulator for a workload, whose journal keeps every request, and stops it."""
    scenario = {
        "clusters": workload.clusters,
        "instances": workload.instances,
        "seed": 1,
        "settings": {"pending": PENDING, "max_page_size": workload.page},
        "behaviours": {instance: {"running": seconds} for instance, seconds in workload.running.items()},
        "journal": EVERY_REQUEST,
    }
    with running(scenario, speed=workload.speed) as simulator:
        yield Platform(simulator, workload.speed)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _kind(method: str, path: str, query: str) -> Kind:
    if method == "POST":
        return "POST"
    if path.endswith("/instances/-/remediations"):
        return "poll of a cluster" if "state=" in query else "LIST of a cluster"
    return "LIST" if path.endswith("/remediations") else "GET"
