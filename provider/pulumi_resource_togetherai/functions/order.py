"""The order of a list of remediations. The provider sorts: it is not known what a server does with `order_by`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pulumi_resource_togetherai.api.models import Remediation

_TIMES = {"createTime": "create_time", "updateTime": "update_time"}
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    """By one of a remediation's times, the oldest or the newest first."""

    DEFAULT: ClassVar[str] = "createTime desc"

    time: str
    newest_first: bool

    @classmethod
    def parse(cls, text: str) -> Order:
        """Raises ValueError, with what to write instead, for anything else than `createTime` or `updateTime desc`."""
        time, *direction = text.split() or [""]
        if time not in _TIMES or direction not in ([], ["asc"], ["desc"]):
            raise ValueError(
                f'"{text}" is not an order; write createTime or updateTime, followed by " desc" for the newest first'
            )
        return cls(time, newest_first=direction == ["desc"])

    @property
    def text(self) -> str:
        """The order as a program writes it."""
        return f"{self.time} desc" if self.newest_first else self.time

    def of(self, remediations: Iterable[Remediation]) -> list[Remediation]:
        """The remediations in this order. One without the time counts as older than all others."""
        return sorted(
            remediations, key=lambda item: getattr(item, _TIMES[self.time]) or _NEVER, reverse=self.newest_first
        )
