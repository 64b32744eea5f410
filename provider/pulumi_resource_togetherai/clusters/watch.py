"""Watches the remediations of one cluster: all that wait for one share one list per poll."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, Incomplete, NotFound, Refused
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Active
from pulumi_resource_togetherai.clusters.report import HEARTBEAT
from pulumi_resource_togetherai.clusters.rivals import Contest

if TYPE_CHECKING:
    from pulumi_resource_togetherai.clusters.view import View

JITTER = 0.1
"""By how much of itself an interval is shorter at random, so that many processes do not ask at the same moment."""
QUICK = 0.2
"""The time before a remediation is first looked at, as a share of the longest interval. So others that were started at
the same moment are seen soon, and a remediation that ends quickly is too."""
GROWTH = 1.5
"""The factor from one interval to the next, up to the longest."""
CHEAP = 0.1
"""As long as all requests about a cluster are fewer than this share of what as many waits would send that each ask once
per interval, polls come twice as often. So many waits, which share each list, learn of an end soonest."""
PATIENCE = 3
"""After this many lists in a row that lack most of what is active, such lists are left alone. One list may lag."""


MOST_BEATS = 20
"""How many waits say in a second that they go on, where each may say it often."""


class Follower:
    """A wait for news of one remediation."""

    __slots__ = (
        "_error",
        "_news",
        "_waiter",
        "active",
        "contest",
        "heartbeat",
        "missing_since",
        "record",
        "shown",
        "told_at",
    )

    def __init__(self, record: Remediation, contest: Contest | None, heartbeat: float) -> None:
        """`contest`: the rules about other active remediations; None if no rule applies. `heartbeat`: after how many
        seconds without news the wait ends for once."""
        self.heartbeat = heartbeat
        self.record = record
        self.contest = contest
        self.active: Active | None = None
        """What else was active at the last poll that included this; None before the first one."""
        self.missing_since: float | None = None
        """Since when, on the event loop's clock, every answer lacks the remediation; None if it was in the last."""
        self.shown = False
        """Whether an answer has shown it since the wait began."""
        self.told_at = asyncio.get_running_loop().time()
        self._waiter: asyncio.Future[None] | None = None
        self._news = False
        self._error: BaseException | None = None

    async def news(self) -> bool:
        """Waits for news, but not much longer than the heartbeat. Returns whether the state or the mode changed, or
        other active remediations appeared; `record` is the newest in any case. Raises ApiError if the poll failed."""
        if not self._news and self._error is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self.told_at = asyncio.get_running_loop().time()
        news, self._news = self._news, False
        error, self._error = self._error, None
        if error is not None:
            raise error
        return news

    @property
    def watches_rivals(self) -> bool:
        """Whether other active remediations matter: at the first poll, and as long as this one can be withdrawn."""
        return self.contest is not None and (self.active is None or self.record.cancellable)

    def tell(self, seen: Remediation, active: Active | None = None) -> None:
        """Takes the result of a poll."""
        known, self.record, self._error = self.record, seen, None
        self.active = active or self.active
        others = self.contest is not None and active is not None and self.contest.has_changed(seen, active)
        if (seen.state, seen.mode) != (known.state, known.mode) or others:
            self._news = True
            self.beat()

    def fail(self, error: BaseException) -> None:
        """Takes the reason why a poll brought nothing."""
        self._error = error
        self.beat()

    def beat(self) -> None:
        """Ends the wait, with news or without."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Watcher:
    """Polls as long as somebody waits.

    A single remediation is fetched by itself, several by listing the cluster's active ones. One that is no longer in
    the list has ended, and is then looked for among those that have.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._followers: set[Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._at = 0.0
        """When the next poll is due, on the event loop's clock."""
        self._sooner = asyncio.Event()
        """Set when that has become earlier."""
        self._alone = 0.0
        """How many requests the waits would have sent so far if each asked once per interval."""
        self._useless = 0
        """How many lists in a row lacked most of what is active."""
        self._beats: asyncio.TimerHandle | None = None

    @contextmanager
    def following(
        self, record: Remediation, contest: Contest | None = None, heartbeat: float = HEARTBEAT
    ) -> Generator[Follower]:
        """Watches a remediation while the block runs; with a `contest`, also what else is active."""
        loop, follower = asyncio.get_running_loop(), Follower(record, contest, heartbeat)
        self._followers.add(follower)
        first_look = loop.time() + self._view.interval * QUICK * random.uniform(1 - JITTER, 1)
        if self._task is None:
            self._at = first_look
            self._task = asyncio.create_task(self._poll())
            self._task.add_done_callback(self._stopped)
            self._beats = loop.call_later(heartbeat / 4, self._beat)
        elif first_look < self._at:
            self._at = first_look
            self._sooner.set()
        try:
            yield follower
        finally:
            self._followers.remove(follower)
            if not self._followers:
                self._task.cancel()
                self._task = None
                if self._beats is not None:
                    self._beats.cancel()

    def _beat(self) -> None:
        """Has those say that they wait still who have had no news for a while."""
        loop = asyncio.get_running_loop()
        shortest = min((follower.heartbeat for follower in self._followers), default=HEARTBEAT)
        for follower in self._followers:
            if loop.time() - follower.told_at >= max(follower.heartbeat, len(self._followers) / MOST_BEATS):
                follower.beat()
        self._beats = loop.call_later(shortest / 4, self._beat)

    async def _poll(self) -> None:
        loop, gap = asyncio.get_running_loop(), self._view.interval * QUICK
        polled_at = loop.time()
        while True:
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._at):
                    await self._sooner.wait()
                continue  # the next poll is due earlier than it was
            self._alone += len(self._followers) * (loop.time() - polled_at) / self._view.interval
            polled_at = loop.time()
            cheap = self._view.sent < CHEAP * self._alone
            gap = min(self._view.interval / (2 if cheap else 1), gap * GROWTH)
            self._at = loop.time() + gap * random.uniform(1 - JITTER, 1)
            await self._round(list(self._followers))

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """If the polling task fails, passes the error to all that wait, which would otherwise wait for ever."""
        if not task.cancelled() and (defect := task.exception()):
            for follower in self._followers:
                follower.fail(defect)

    async def _round(self, followers: list[Follower]) -> None:
        if len(followers) > 1 and await self._all_by_one_list(followers):
            return
        await self._each(followers, self._by_itself)

    async def _all_by_one_list(self, followers: Sequence[Follower]) -> bool:
        """Whether one list served them all, or will again once the API answers."""
        try:
            listed = await self._view.poll_active(len(followers))
        except (CredentialRefused, Incomplete, NotFound, Refused):
            return False
        except ApiError as error:
            for follower in followers:
                follower.fail(error)
            return True
        by_id, active = {folded(record.id): record for record in listed}, Active(listed, self._view.one_node.key)
        unlisted = list[Follower]()
        for follower in followers:
            seen = by_id.get(folded(follower.record.id))
            if seen is None:
                unlisted.append(follower)
            else:
                self._shown(follower)
            follower.tell(seen or follower.record, active)
        await self._each(unlisted, self._among_the_ended)
        hidden = sum(not follower.record.terminal for follower in unlisted)
        self._useless = self._useless + 1 if hidden > len(followers) / 2 else 0
        if self._useless >= PATIENCE:
            self._useless = 0
            because = f"it lacks {hidden} of {len(followers)} that are active"
            self._view.leave_active_lists_alone(because, len(followers))
        return True

    async def _among_the_ended(self, follower: Follower) -> None:
        follower.tell(await self._view.ended(follower.record))
        self._shown(follower)

    async def _by_itself(self, follower: Follower) -> None:
        if follower.watches_rivals:
            seen, active = await self._view.record_with_active(follower.record)
            follower.tell(seen or follower.record, active)
            if seen is None:
                follower.tell(await self._view.glance(follower.record))
        else:
            follower.tell(await self._view.glance(follower.record))
        self._shown(follower)

    async def _each(self, followers: Sequence[Follower], look: Callable[[Follower], Awaitable[None]]) -> None:
        async def one(follower: Follower) -> None:
            try:
                await look(follower)
            except NotFound as lacking:
                await self._missing(follower, lacking)
            except ApiError as error:
                follower.fail(error)

        await asyncio.gather(*(one(follower) for follower in followers))

    async def _missing(self, follower: Follower, lacking: NotFound) -> None:
        """A remediation that was seen before is gone only if every way to ask has lacked it for a while: reads may lag,
        and the API may not know the paths of an instance any more that was replaced."""
        now = asyncio.get_running_loop().time()
        if follower.missing_since is None:
            follower.missing_since = now
        missing = now - follower.missing_since
        if missing < self._view.interval:
            return
        if missing >= self._view.proof:
            self._view.leave_no_way_alone()
        try:
            seen = await self._view.remediation(follower.record)
        except NotFound:
            if missing >= self._view.proof:
                follower.fail(lacking)
        except ApiError as error:
            follower.fail(error)
        else:
            self._shown(follower)
            follower.tell(seen)

    def _shown(self, follower: Follower) -> None:
        """Takes in that an answer shows a remediation. If the answers so far lacked it, they lag behind the POST."""
        if follower.missing_since is not None and not follower.shown:
            self._view.lagged(follower.record, asyncio.get_running_loop().time() - follower.missing_since)
        follower.missing_since, follower.shown = None, True
