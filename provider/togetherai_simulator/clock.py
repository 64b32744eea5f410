"""Simulated time: a real clock, multiplied by a speed and moved ahead on demand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Anchor(BaseModel):
    """At `real` seconds since the epoch the simulated time was `simulated`. Since then it advances by `speed` simulated
    seconds per second.

    That is enough to go on after a restart: time passes while the simulator is down, so it never runs backwards.
    """

    real: float
    simulated: datetime
    speed: float


class Clock:
    """Simulated time. `now` gives real seconds since the epoch; a test may pass its own."""

    def __init__(self, now: Callable[[], float] = time.time, *, speed: float = 1.0) -> None:
        self._real = now
        real = now()
        self.anchor = Anchor(real=real, simulated=EPOCH + timedelta(seconds=real), speed=speed)

    def now(self) -> datetime:
        """The simulated time, in UTC."""
        return self.anchor.simulated + timedelta(seconds=(self._real() - self.anchor.real) * self.anchor.speed)

    def advance(self, seconds: float) -> None:
        """Jumps ahead by `seconds` of simulated time."""
        self.anchor = Anchor(
            real=self._real(), simulated=self.now() + timedelta(seconds=seconds), speed=self.anchor.speed
        )

    def set_speed(self, speed: float) -> None:
        """From now on `speed` simulated seconds pass per real second; 0 stops the clock."""
        self.anchor = Anchor(real=self._real(), simulated=self.now(), speed=speed)

    def resume(self, anchor: Anchor) -> None:
        """Goes on from a saved anchor."""
        self.anchor = anchor
