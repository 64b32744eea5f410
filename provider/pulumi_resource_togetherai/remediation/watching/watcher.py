"""Watches the remediations of one cluster: all that wait for one share one list per poll."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound, Refused
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.rules.estimate import Estimates
from pulumi_resource_togetherai.remediation.rules.precedence import Active
from pulumi_resource_togetherai.remediation.watching.contest import Contest
from pulumi_resource_togetherai.remediation.watching.report import Report

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

JITTER = 0.1
"""The share by which an interval varies at random, so that many processes do not ask at the same moment."""
QUICK = 0.2
"""The first interval, as a share of the longest. A remediation that ends quickly is seen quickly."""
GROWTH = 1.5
"""The factor from one interval to the next, up to the longest."""
PATIENCE = 3
"""After this many lists in a row that lack an active remediation, lists are given up. One list may lag behind."""


@dataclass(eq=False)
class Follower:
    """A wait for news of one remediation."""

    record: Remediation
    report: Report
    contest: Contest | None = None
    """The rules about other active remediations; None if no rule applies."""
    active: Active | None = None
    """What else was active at the last poll that included this; None before the first one."""
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _error: BaseException | None = None

    async def news(self, within: float) -> bool:
        """Waits for news for at most `within` seconds. Returns whether the state or the mode changed, or other active
        remediations appeared; `record` is the newest in any case. Raises ApiError if the poll failed."""
        try:
            async with asyncio.timeout(within):
                await self._told.wait()
        except TimeoutError:
            return False
        self._told.clear()
        error, self._error = self._error, None
        if error is not None:
            raise error
        return True

    @property
    def looks_around(self) -> bool:
        """Whether other active remediations matter: at the first poll, and as long as this one can be withdrawn."""
        return self.contest is not None and (self.active is None or self.record.cancellable)

    def tell(self, seen: Remediation | BaseException, active: Active | None = None) -> None:
        """Takes the result of a poll."""
        if isinstance(seen, BaseException):
            self._error = seen
        else:
            known, self.record, self._error = self.record, seen, None
            self.active = active or self.active
            others = self.contest is not None and active is not None and self.contest.has_news(seen, active)
            if (seen.state, seen.mode) == (known.state, known.mode) and not others:
                return
        self._told.set()


class Watcher:
    """Polls as long as somebody waits.

    A single remediation is fetched by itself, several by listing the cluster's active ones. One that is no longer in
    the list has ended, and is then fetched.
    """

    def __init__(
        self,
        client: Client,
        cluster_id: str,
        look: Callable[[Remediation], Awaitable[Remediation]],
        standing: Callable[[Remediation], Awaitable[tuple[Remediation, Active]]],
        estimates: Estimates,
        *,
        interval: float,
    ) -> None:
        """`look` fetches one remediation, combined with others if there are many; `standing` fetches one with what else
        is active. `estimates` learns from the answers. `interval` is the longest time between two polls, in seconds."""
        self._client = client
        self._cluster_id = cluster_id
        self._look = look
        self._standing = standing
        self._estimates = estimates
        self._interval = interval
        self._followers: set[Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._lists_serve = True
        self._missing_in_a_row = 0
        self.listed: tuple[float, list[Remediation]] | None = None
        """The active remediations as they were last listed, and when, on the event loop's clock."""

    @contextmanager
    def following(self, record: Remediation, report: Report, contest: Contest | None = None) -> Generator[Follower]:
        """Watches a remediation while the block runs; with a `contest`, also what else is active."""
        follower = Follower(record, report, contest)
        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._poll())
            self._task.add_done_callback(self._stopped)
        try:
            yield follower
        finally:
            self._followers.remove(follower)
            if not self._followers:
                self._task.cancel()
                self._task = None

    async def _poll(self) -> None:
        gap = self._interval * QUICK
        while True:
            await asyncio.sleep(gap * random.uniform(1 - JITTER, 1 + JITTER))
            gap = min(self._interval, gap * GROWTH)
            await self._round(list(self._followers))

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """If the polling task fails, passes the error to all that wait, which would otherwise wait for ever."""
        if not task.cancelled() and (defect := task.exception()):
            for follower in self._followers:
                follower.tell(defect)

    async def _round(self, followers: list[Follower]) -> None:
        if len(followers) > 1 and self._lists_serve:
            asked_at = asyncio.get_running_loop().time()
            try:
                listed = await self._client.list_active_remediations(self._cluster_id)
            except (CredentialRefused, NotFound, Refused) as error:
                await self._give_up_lists(followers[0].report, str(error))
            except ApiError as error:
                for follower in followers:
                    follower.tell(error)
                return
            else:
                self.listed = asked_at, listed
                self._estimates.note(listed, self._client.now())
                by_id, active = {record.id: record for record in listed}, Active(listed)
                for follower in followers:
                    if seen := by_id.get(follower.record.id):
                        follower.tell(seen, active)
                followers = [follower for follower in followers if follower.record.id not in by_id]
                await self._look_up(followers, self._among_others)
                await self._judge_lists(followers)
                return
        await self._look_up(followers, self._by_itself)

    async def _among_others(self, follower: Follower) -> None:
        follower.tell(await self._look(follower.record))

    async def _by_itself(self, follower: Follower) -> None:
        record = follower.record
        if follower.looks_around:
            follower.tell(*await self._standing(record))
        else:
            seen = await self._client.get_remediation(record.cluster_id, record.instance_id, record.id)
            self._estimates.note([seen], self._client.now())
            follower.tell(seen)

    async def _look_up(self, followers: list[Follower], look: Callable[[Follower], Awaitable[None]]) -> None:
        async def tell(follower: Follower) -> None:
            try:
                await look(follower)
            except ApiError as error:
                follower.tell(error)

        await asyncio.gather(*(tell(follower) for follower in followers))

    async def _judge_lists(self, unlisted: list[Follower]) -> None:
        """Stops using lists that omit active remediations: a server may list fewer than it has."""
        missing = next((follower for follower in unlisted if not follower.record.terminal), None)
        self._missing_in_a_row = self._missing_in_a_row + 1 if missing else 0
        if missing and self._missing_in_a_row >= PATIENCE:
            await self._give_up_lists(missing.report, f"remediation {missing.record.id} is active but not listed")

    async def _give_up_lists(self, report: Report, because: str) -> None:
        self._lists_serve = False
        await report.info(
            f"the active remediations of cluster {self._cluster_id} cannot be watched together ({because}); each is "
            "polled by itself"
        )
