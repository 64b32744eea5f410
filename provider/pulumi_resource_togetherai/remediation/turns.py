"""`maxConcurrentPerCluster`: a guard on how many nodes of a cluster are under repair at once."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.enums import ACTIVE_STATES, RemediationState
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.report import HEARTBEAT, Report
from pulumi_resource_togetherai.remediation.watcher import Watcher

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client


class Turns:
    """Lets remediations of a cluster start in the order in which they were asked for, while there is room.

    What counts: all that is active by the API's word, whoever started it, but for proposals, which take no node away
    until somebody approves them; and what was let through here and has not ended. Two processes that start at the same
    moment do not see each other here: after the POST, the order of `precedence` decides between them.
    """

    def __init__(
        self, client: Client, cluster_id: str, watcher: Watcher, limit: int | None, *, interval: float
    ) -> None:
        """`limit`: how many may be active at once; None for any number. `interval`: how long to wait between two looks,
        in seconds."""
        self._client = client
        self._cluster_id = cluster_id
        self._watcher = watcher
        self._limit = limit
        self._interval = interval
        self._line = asyncio.Lock()
        self._let_through: set[Turn] = set()
        self._left = asyncio.Event()
        """Set when one that was let through is over."""
        self._ended: set[str] = set()
        """Remediations that ended since they were listed."""
        self._listed: tuple[float, list[Remediation]] | None = None
        self._listed_too_early = 0.0
        """A list from before this moment, on the event loop's clock, lacks what was started here."""

    @contextmanager
    def turn(self, report: Report) -> Generator[Turn]:
        """A turn, still to be taken; at the end of the block it is over."""
        turn = Turn(self, report)
        try:
            yield turn
        finally:
            turn.give_up()

    async def take(self, turn: Turn) -> bool:
        """Waits until there is room. Returns whether that took any time."""
        if self._limit is None or turn in self._let_through:
            return False
        waited = self._line.locked()
        if waited:
            await turn.report.status(
                f"waiting for its turn: {self._limit} may run at once in cluster {self._cluster_id}"
            )
        async with self._line:
            waited = await self._wait_for_room(turn.report, self._limit) or waited
            self._let_through.add(turn)
        return waited

    def over(self, turn: Turn) -> None:
        """Makes room for another."""
        if turn not in self._let_through:
            return
        self._let_through.remove(turn)
        if turn.record is not None and turn.record.terminal:
            self._ended.add(turn.record.id)
        else:
            self._listed_too_early = asyncio.get_running_loop().time()
        self._left.set()

    async def _wait_for_room(self, report: Report, limit: int) -> bool:
        waited, told, told_at = False, "", 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._left.clear()
            try:
                busy = await self._busy()
            except ApiError as error:
                if not error.transient:
                    raise
                now = f"the API does not say what is active in cluster {self._cluster_id}; still waiting ({error})"
            else:
                if busy < limit:
                    return waited
                now = f"waiting for {busy} of {limit} to finish in cluster {self._cluster_id}"
            if now != told or loop.time() - told_at >= HEARTBEAT:
                await report.status(now)
                told, told_at = now, loop.time()
            waited = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._left.wait()

    async def _busy(self) -> int:
        """How many are active: those listed, and those let through that the list does not show yet."""
        listed = {
            record.id
            for record in await self._active()
            if record.state != RemediationState.PENDING_APPROVAL and record.id not in self._ended
        }
        ours = {turn.record.id for turn in self._let_through if turn.record is not None}
        not_started_yet = sum(turn.record is None for turn in self._let_through)
        return len(listed | ours) + not_started_yet

    async def _active(self) -> list[Remediation]:
        """What is active, as it was listed at most an interval ago."""
        now = asyncio.get_running_loop().time()
        usable_from = max(self._listed_too_early, now - self._interval)
        for listed in (self._watcher.listed, self._listed):
            if listed is not None and listed[0] > usable_from:
                return listed[1]
        active = await self._client.list_remediations(self._cluster_id, states=ACTIVE_STATES)
        self._listed = now, active
        return active


class Turn:
    """One remediation's turn."""

    def __init__(self, turns: Turns, report: Report) -> None:
        self._turns = turns
        self.report = report
        self.record: Remediation | None = None
        """The remediation, as it was last seen; to be told by whoever starts it."""

    async def take(self) -> bool:
        """Waits until there is room. Returns whether that took any time: then look again before you start. Raises
        ApiError when the API does not say what is active."""
        return await self._turns.take(self)

    def give_up(self) -> None:
        """Makes room for another."""
        self._turns.over(self)
