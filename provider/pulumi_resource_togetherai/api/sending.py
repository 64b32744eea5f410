"""Whether any of a request has left this machine, as far as httpcore tells (httpx's extension `trace`).

httpcore names each step: it opens a connection, asks a proxy for one, negotiates TLS, and only then sends the request.
It may name its steps anew in any release. So only the steps that are known here to come before the request count as
such; after any other one, the request may have left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BEFORE = re.compile(r"(connection|proxy|socks)\.\w+\.(started|complete|failed)")
"""Steps towards a connection."""
_ENDS = re.compile(r"http11\.\w+\.(complete|failed)|http11\.response_closed\.started")
"""What follows a step that has been told before."""


class Sending:
    """One try of one request. Given to httpx as the request's `trace`."""

    def __init__(self) -> None:
        self._began = False
        self._may_have_left = False

    async def __call__(self, step: str, details: Mapping[str, Any]) -> None:
        """Takes in a step."""
        self._began = True
        asks_proxy = getattr(details.get("request"), "method", None) == b"CONNECT"
        if not (_BEFORE.fullmatch(step) or _ENDS.fullmatch(step) or asks_proxy):
            self._may_have_left = True

    @property
    def has_not_left(self) -> bool:
        """Whether nothing of the request has left for certain."""
        return self._began and not self._may_have_left
