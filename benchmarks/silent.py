"""What a benchmark gives to an operation that reports."""

from __future__ import annotations

from pulumi_resource_togetherai.clusters.report import HEARTBEAT


class Silent:
    """A report that shows nothing."""

    heartbeat = HEARTBEAT

    async def status(self, text: str) -> None:
        """A passing line."""

    async def info(self, text: str) -> None:
        """A line that stays."""

    async def warning(self, text: str) -> None:
        """A line that asks for attention."""
