"""CPU time and memory of processes, sampled while they run: nothing can be read from a process that has ended."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

import psutil

PERIOD = 0.25
"""Real seconds between two samples."""


@dataclass(frozen=True)
class Sample:
    """What a process used up to a moment."""

    time: float
    """By `time.time()`."""
    cpu: float
    """CPU seconds so far."""
    memory: int
    """The bytes that only this process holds (USS)."""


class Meter:
    """Samples processes in a thread of its own. Each process has a role. The samples of an ended process are kept."""

    def __init__(self) -> None:
        self._processes: dict[int, tuple[str, psutil.Process]] = {}
        self._samples: defaultdict[str, defaultdict[int, dict[int, Sample]]] = defaultdict(lambda: defaultdict(dict))
        """By role, process and round."""
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

    def of(self, role: str, processes: int = 1) -> list[Sample]:
        """The samples of the `processes` that do the work of a role, added up, oldest first. These are the processes of
        the role that took the most CPU time: the engine also starts the plugin only to ask for its schema."""
        busiest = sorted(self._samples[role].values(), key=_cpu)[-processes:]
        rounds = sorted(set[int].intersection(*map(set[int], busiest))) if busiest else []
        return [
            Sample(
                busiest[0][number].time,
                sum(samples[number].cpu for samples in busiest),
                sum(samples[number].memory for samples in busiest),
            )
            for number in rounds
        ]

    def cpu(self, role: str) -> float:
        """CPU seconds of all processes with a role."""
        return sum(map(_cpu, self._samples[role].values()))

    def _run(self) -> None:
        for number in count():
            if self._stop.wait(PERIOD):
                return
            for process_id, (role, process) in list(self._processes.items()):
                try:
                    times, memory = process.cpu_times(), process.memory_full_info()
                except psutil.Error:
                    del self._processes[process_id]
                    continue
                self._samples[role][process_id][number] = Sample(time.time(), times.user + times.system, memory.uss)


def _cpu(samples: dict[int, Sample]) -> float:
    """The CPU seconds of a process in total."""
    return samples[max(samples)].cpu
