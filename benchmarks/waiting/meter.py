"""CPU time and memory of processes, sampled while they run: what has ended can no longer be asked."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

PERIOD = 0.25
"""Real seconds between two samples."""


@dataclass(frozen=True)
class Sample:
    """A process at a moment."""

    time: float
    """By `time.time()`."""
    cpu: float
    """CPU seconds so far."""
    memory: int
    """Bytes that it alone holds (USS)."""


class Meter:
    """Samples processes in a thread of its own. Each process has a role; one that ends keeps its samples."""

    def __init__(self) -> None:
        self._processes: dict[int, tuple[str, psutil.Process]] = {}
        self._samples: defaultdict[str, defaultdict[int, list[Sample]]] = defaultdict(lambda: defaultdict(list))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def watch(self, role: str, process: int) -> None:
        """Samples a process from now on."""
        self._processes[process] = (role, psutil.Process(process))

    def of(self, role: str) -> list[Sample]:
        """The samples of the process that does the work of a role, oldest first: of those with this role the one that
        took the most CPU time. The engine also starts the plugin just to ask for its schema."""
        return max(self._samples[role].values(), key=lambda samples: samples[-1].cpu, default=list[Sample]())

    def cpu(self, role: str) -> float:
        """CPU seconds of all processes with a role."""
        return sum(samples[-1].cpu for samples in self._samples[role].values())

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            for number, (role, process) in list(self._processes.items()):
                try:
                    times, memory = process.cpu_times(), process.memory_full_info()
                except psutil.Error:
                    del self._processes[number]
                    continue
                self._samples[role][number].append(Sample(time.time(), times.user + times.system, memory.uss))
