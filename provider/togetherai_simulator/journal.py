"""The newest requests to the API. Older ones are dropped, so memory does not grow however long the simulator runs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from pulumi_resource_togetherai.sanitize import sanitize

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
    ended: bool = False
    """Whether nothing more comes: it was answered, or its connection is gone."""

    @property
    def outcome(self) -> str:
        """Its status; `...` while there is none yet, `none` if the connection was dropped instead."""
        return str(self.status) if self.status else "none" if self.ended else "..."

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def same(self) -> tuple[str | None, ...]:
        """What it shares with requests that differ only in their time."""
        return self.method, self.target, self.outcome, self.effect, self.fault

    def line(self) -> str:
        """The request in a line, for people: what came of it first."""
        came = ", ".join(filter(None, (self.effect, self.fault and f"fault {self.fault}")))
        return sanitize(f"{self.time:%H:%M:%S} {self.outcome:>4} {came:<9} {self.method:<6} {self.target}")

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
        self.on_end: Callable[[Entry], object] | None = None
        """Called with each request that has ended."""

    def open(self, time: datetime, method: str, path: str, query: str, body: bytes) -> Entry:
        """Begins the entry of a request."""
        self.count += 1
        entry = Entry(self.count, time, method, path, query, body[:LONGEST_BODY])
        self.entries.append(entry)
        return entry

    def close(self, entry: Entry) -> None:
        """Ends the entry of a request: whatever it was to be answered has been."""
        entry.ended = True
        if self.on_end is not None:
            self.on_end(entry)

    def latest(self, count: int) -> list[Entry]:
        """The latest `count` requests, oldest first."""
        return list(islice(reversed(self.entries), count))[::-1]

    def clear(self) -> None:
        """Forgets the requests; the numbering goes on."""
        self.entries.clear()
