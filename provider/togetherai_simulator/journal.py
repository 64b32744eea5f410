"""The newest requests to the API. Older ones are dropped, so memory does not grow however long the simulator runs."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_BODY = 10_000
"""How many bytes of a request body are kept at most."""


@dataclass(slots=True)
class Entry:
    """One request and its result."""

    seq: int
    time: datetime
    method: str
    path: str
    query: str
    body: bytes
    status: int | None = None
    """The HTTP status of the answer; None while there is none yet, or if the connection was dropped instead."""
    effect: str | None = None
    """What the request changed: created, replayed, approved, rejected or cancelled."""
    fault: str | None = None
    """The faults injected into it, joined by +."""

    def as_json(self) -> dict[str, Any]:
        """The entry for the control API; the body as JSON if it is JSON, else as text."""
        return {
            "seq": self.seq,
            "time": self.time.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": _readable(self.body),
            "status": self.status,
            "effect": self.effect,
            "fault": self.fault,
        }


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class Journal:
    """The latest requests."""

    def __init__(self, size: int) -> None:
        """`size` is in requests."""
        self.entries: deque[Entry] = deque(maxlen=size)
        self.count = 0

    def open(self, time: datetime, method: str, path: str, query: str, body: bytes) -> Entry:
        """Begins the entry of a request."""
        self.count += 1
        entry = Entry(self.count, time, method, path, query, body[:LONGEST_BODY])
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forgets the requests; the numbering goes on."""
        self.entries.clear()
