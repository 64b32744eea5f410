"""The ways to ask about remediations, and which of them an API serves. None is given up for good: a way that is refused
is left alone for some minutes, and questions are answered the next cheapest way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound, Refused

LEFT_ALONE = 300.0
"""For how long, in seconds, a way that was refused is not tried again."""


class Way(Enum):
    """A way to ask. The value says what the API does not serve while it is left alone."""

    BY_ID = "a remediation by its id"
    OF_NODE = "the remediations of one instance"
    OF_CLUSTER = "the remediations of all instances in one list"
    ACTIVE = "the active remediations of all instances in one list"
    ENDED = "the ended remediations of all instances in one list"


class Ways:
    """Which ways of one cluster's API are open."""

    def __init__(self, note: Callable[[str], object]) -> None:
        """`note` takes a line for those who debug."""
        self._note = note
        self._closed = dict[Way, tuple[float, float]]()
        """Until when, on the event loop's clock, and for questions that are worth how many pages at most."""

    def open(self, way: Way, *, worth: float = float("inf")) -> bool:
        """Whether a way is worth trying for a question that would otherwise take so many requests."""
        until, pages = self._closed.get(way, (0.0, 0.0))
        return worth > pages or asyncio.get_running_loop().time() >= until

    def close(self, way: Way, because: str, *, worth: float = float("inf")) -> None:
        """Leaves a way alone for some minutes; with `worth` only for questions that are worth no more pages."""
        self._note(f"not asking for {way.value} for {LEFT_ALONE:.0f} s: {because}")
        self._closed[way] = asyncio.get_running_loop().time() + LEFT_ALONE, worth

    def try_all_again(self) -> None:
        """Leaves no way alone any more: what no other way has shown may be there."""
        self._closed.clear()

    def refused(self, way: Way, error: ApiError) -> bool:
        """Whether an error says that the API does not serve a way, which is then left alone. The 404 of a single
        instance or remediation says nothing about the way."""
        about_one = way in (Way.BY_ID, Way.OF_NODE) and isinstance(error, NotFound | CredentialRefused)
        if about_one or not isinstance(error, Refused | NotFound | CredentialRefused):
            return False
        self.close(way, str(error))
        return True
