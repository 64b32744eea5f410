"""Callers that ask at the same time share a few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pulumi_resource_togetherai.api.errors import ApiError

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


class Batch(Generic[K, T]):
    """Looks things up by key, combining lookups made at the same time.

    The answer to a lookup comes from a request that was sent after it, unless the caller accepts an older answer.
    """

    def __init__(
        self,
        fetch_one: Callable[[K], Awaitable[T]],
        fetch_all: Callable[[Sequence[K], int], Awaitable[Answers[K, T] | None]],
        *,
        min_interval: float,
    ) -> None:
        """`fetch_all` fetches all things, or at least those under the keys that it is given, if that takes no more
        requests than the second argument says; else it returns None. `min_interval`: the least number of seconds
        between two calls of it, so that a thousand lookups in quick succession do not fetch a thousand things a
        thousand times."""
        self._fetch_one = fetch_one
        self._fetch_all = fetch_all
        self._min_interval = min_interval
        self._open_batch: _Batch[K, T] | None = None
        self._sending = asyncio.Lock()
        self._all: tuple[float, Answers[K, T]] | None = None
        """When all was fetched last, on the event loop's clock, and the answers."""
        self._single: dict[K, tuple[float, T]] = {}
        """What was fetched one by one: when, and the answer."""

    async def look(self, key: K, *, max_age: float = 0.0) -> T:
        """The thing under a key, as it was at most `max_age` seconds ago. Raises ApiError."""
        if max_age and (known := self._known(key, max_age)) is not None:
            return known
        batch = self._open_batch
        if batch is None:
            batch = self._open_batch = _Batch()
            batch.task = asyncio.create_task(self._send(batch, may_be_old=max_age > 0))
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

    def forget(self) -> None:
        """Answers nobody any more with what is there by now."""
        self._all = None
        self._single.clear()

    def _known(self, key: K, max_age: float) -> T | None:
        oldest = asyncio.get_running_loop().time() - max_age
        if self._all is not None and self._all[0] >= oldest and (answer := self._all[1](key)) is not None:
            return answer
        at, single = self._single.get(key, (float("-inf"), None))
        return single if at >= oldest else None

    async def _send(self, batch: _Batch[K, T], *, may_be_old: bool) -> None:
        loop = asyncio.get_running_loop()
        async with self._sending:
            if self._all is not None:
                await asyncio.sleep(self._all[0] + self._min_interval - loop.time())
            self._open_batch = None  # later callers need a later request
            sent_at, rest = loop.time(), list(batch.answers)
            one_after_another = may_be_old and len(self._single) >= FEW
            if not may_be_old:
                self._single.clear()  # nobody wants an old answer any more
            if len(rest) > FEW or one_after_another:
                try:
                    answers = await self._fetch_all(rest, max(len(rest), FEW))
                except ApiError as error:
                    batch.answers.update(dict.fromkeys(rest, error))
                    return
                if answers is not None:
                    self._all = sent_at, answers if may_be_old else lambda _key: None
                    batch.answers.update({key: answers(key) for key in rest})
                    rest = [key for key in rest if batch.answers[key] is None]
            await asyncio.gather(*(self._fetch(batch, key, sent_at, keep=may_be_old) for key in rest))

    async def _fetch(self, batch: _Batch[K, T], key: K, sent_at: float, *, keep: bool) -> None:
        try:
            answer = batch.answers[key] = await self._fetch_one(key)
            if keep:
                self._single[key] = sent_at, answer
        except ApiError as error:
            batch.answers[key] = error
