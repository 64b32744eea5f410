"""How an operation reports to the user about its resource."""

from __future__ import annotations

from typing import Protocol

HEARTBEAT = 60.0
"""How often, in seconds, a wait without changes reports that it is still waiting."""


class Report(Protocol):
    """Reports to the user about one resource."""

    @property
    def heartbeat(self) -> float:
        """How often, in seconds, a wait without changes reports that it is still waiting: HEARTBEAT, or more often
        where that is no line of its own."""
        ...

    async def status(self, text: str) -> None:
        """A passing line: what is going on right now."""
        ...

    async def info(self, text: str) -> None:
        """A line that stays."""
        ...

    async def warning(self, text: str) -> None:
        """A line that stays and asks for attention."""
        ...
