"""Telling the user about one resource, as an operation does it."""

from __future__ import annotations

from typing import Protocol

HEARTBEAT = 60.0
"""How often, in seconds, a wait without news says that it goes on."""


class Report(Protocol):
    """Tells the user about one resource."""

    async def status(self, text: str) -> None:
        """A passing line: what is going on right now."""
        ...

    async def info(self, text: str) -> None:
        """A line that stays."""
        ...

    async def warning(self, text: str) -> None:
        """A line that stays and asks for attention."""
        ...
