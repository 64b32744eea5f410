"""What will happen on the platform, in the order of simulated time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

from togetherai_simulator.clock import Clock


class Schedule:
    """Things that will happen. Nothing runs in the background: they happen when `catch_up` is called."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._things: list[tuple[datetime, int, Callable[[], None]]] = []
        self._tie = itertools.count()
        self._moment: datetime | None = None

    @property
    def now(self) -> datetime:
        """The simulated time; during `catch_up`, the time of the thing that happens."""
        return self._moment or self._clock.now()

    def at(self, when: datetime, happen: Callable[[], None]) -> None:
        """Makes something happen at a time. It cannot be removed again: `happen` checks whether it still applies."""
        heapq.heappush(self._things, (when, next(self._tie), happen))

    def catch_up(self) -> None:
        """Makes everything happen that was due by now, each thing at its own time."""
        now = self._clock.now()
        while self._things and self._things[0][0] <= now:
            self._moment, _, happen = heapq.heappop(self._things)
            try:
                happen()
            finally:
                self._moment = None
