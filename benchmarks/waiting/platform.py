"""The simulated platform as the benchmark sees it: a separate process, its clock, and what it recorded."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import httpx

from waiting.workload import Workload

BENCHMARKS = Path(__file__).parents[1]
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

    def __init__(self, process: int, port: int, speed: float) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}/v1"
        self.speed = speed
        self._control = httpx.Client(base_url=f"http://127.0.0.1:{port}/_simulator", timeout=60)
        self._real, self._simulated = min((self._look_at_the_clock() for _ in range(20)), key=lambda look: look[0])[1]

    def close(self) -> None:
        """Closes the connection."""
        self._control.close()

    def simulated(self, real: float) -> float:
        """Simulated time at a moment of `time.time()`."""
        return self._simulated + (real - self._real) * self.speed

    def requests(self) -> list[Request]:
        """Every request, oldest first."""
        return [
            Request(_seconds(entry["time"]), _kind(entry["method"], entry["path"], entry["query"]), entry["status"])
            for entry in self._ask("/requests")
        ]

    def remediations(self) -> list[Remediation]:
        """Every remediation."""
        return [
            Remediation(
                item["instance_id"],
                _seconds(item["create_time"]),
                _seconds(item["end_time"]) if "end_time" in item else None,
            )
            for cluster in self._ask("/state?limit=100000")["clusters"]
            for item in cluster["remediations"]
        ]

    def _look_at_the_clock(self) -> tuple[float, tuple[float, float]]:
        """How long it took to read the clock, and the clock: the quickest reading is the most exact."""
        before = time.time()
        told = _seconds(self._ask("/clock")["now"])
        after = time.time()
        return after - before, ((before + after) / 2, told)

    def _ask(self, path: str) -> Any:
        return self._control.get(path).raise_for_status().json()


@contextmanager
def platform(workload: Workload) -> Generator[Platform]:
    """Starts a simulator for a workload, and stops it."""
    arguments = map(str, (workload.count, workload.clusters, workload.speed, workload.page))
    command = [sys.executable, "-m", "waiting.patient_simulator", *arguments]
    process = subprocess.Popen(command, cwd=BENCHMARKS, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        running = Platform(process.pid, int(process.stdout.readline()), workload.speed)
        yield running
        running.close()
    finally:
        process.terminate()
        process.communicate()


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _kind(method: str, path: str, query: str) -> Kind:
    if method == "POST":
        return "POST"
    if path.endswith("/instances/-/remediations"):
        return "poll of a cluster" if "state=" in query else "LIST of a cluster"
    return "LIST" if path.endswith("/remediations") else "GET"
