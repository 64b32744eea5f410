"""Request coalescing: callers that ask at the same time share a few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound, Refused

K = TypeVar("K")
T = TypeVar("T")

Answers = Callable[[K], T | None]
"""The answers of one request for all things: the thing under a key, or None if it has to be fetched by itself."""

FEW = 3
"""Up to this many things are fetched one by one, more of them by one request for all."""


@dataclass(eq=False)
class _Batch(Generic[K, T]):
    """The callers since the last request was sent, and their answers."""

    asking: int = 0
    answers: dict[K, T | ApiError | None] = field(default_factory=dict[K, T | ApiError | None])
    task: asyncio.Task[None] | None = None


class Coalescer(Generic[K, T]):
    """Looks things up by key, combining lookups made at the same time.

    The answer to a lookup comes from a request that was sent after it, unless the caller accepts an older answer.
    """

    def __init__(
        self,
        fetch_one: Callable[[K], Awaitable[T]],
        fetch_all: Callable[[Sequence[K]], Awaitable[Answers[K, T]]],
        *,
        min_interval: float,
    ) -> None:
        """`fetch_all` fetches all things, or at least those under the keys that it is given. `min_interval`: the least
        number of seconds between two calls of it, so that a thousand lookups in quick succession do not fetch a
        thousand things a thousand times."""
        self._fetch_one = fetch_one
        self._fetch_all = fetch_all
        self._min_interval = min_interval
        self._open_batch: _Batch[K, T] | None = None
        self._sending = asyncio.Lock()
        self._all: tuple[float, Answers[K, T]] | None = None
        """When all was fetched last, on the event loop's clock, and the answers."""
        self._single: dict[K, tuple[float, T]] = {}
        """What was fetched one by one: when, and the answer."""
        self._all_refused = False
        """Whether the API refuses to answer for all."""

    async def look(self, key: K, *, at_most_old: float = 0.0) -> T:
        """The thing under a key, as it was at most `at_most_old` seconds ago. Raises ApiError."""
        if at_most_old and (known := self._known(key, at_most_old)) is not None:
            return known
        batch = self._open_batch
        if batch is None:
            batch = self._open_batch = _Batch()
            batch.task = asyncio.create_task(self._send(batch, may_be_old=at_most_old > 0))
        assert batch.task is not None
        batch.asking += 1
        batch.answers[key] = None
        try:
            await asyncio.shield(batch.task)
        finally:
            batch.asking -= 1
            if not batch.asking:
                batch.task.cancel()
                if self._open_batch is batch:
                    self._open_batch = None
        answer = batch.answers[key]
        if isinstance(answer, ApiError):
            raise answer
        assert answer is not None
        return answer

    def _known(self, key: K, at_most_old: float) -> T | None:
        oldest = asyncio.get_running_loop().time() - at_most_old
        if self._all is not None and self._all[0] >= oldest:
            return self._all[1](key)
        at, answer = self._single.get(key, (0.0, None))
        return answer if at >= oldest else None

    async def _send(self, batch: _Batch[K, T], *, may_be_old: bool) -> None:
        loop = asyncio.get_running_loop()
        async with self._sending:
            if self._all is not None:
                await asyncio.sleep(self._all[0] + self._min_interval - loop.time())
            self._open_batch = None  # later callers need a later request
            sent_at, rest = loop.time(), list(batch.answers)
            one_after_another = may_be_old and len(self._single) >= FEW
            if (len(rest) > FEW or one_after_another) and not self._all_refused:
                try:
                    answers = await self._fetch_all(rest)
                except (CredentialRefused, NotFound, Refused):
                    self._all_refused = True
                except ApiError as error:
                    batch.answers.update(dict.fromkeys(rest, error))
                    return
                else:
                    self._all = sent_at, answers
                    batch.answers.update({key: answers(key) for key in rest})
                    rest = [key for key in rest if batch.answers[key] is None]
            await asyncio.gather(*(self._fetch(batch, key, sent_at) for key in rest))

    async def _fetch(self, batch: _Batch[K, T], key: K, sent_at: float) -> None:
        try:
            answer = batch.answers[key] = await self._fetch_one(key)
            self._single[key] = sent_at, answer
        except ApiError as error:
            batch.answers[key] = error
