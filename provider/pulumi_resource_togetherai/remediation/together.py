"""Looking up many things for the price of a few requests: whoever asks before a request is sent shares its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound, Refused

K = TypeVar("K")
T = TypeVar("T")

Told = Callable[[K], T | None]
"""What one request for everything told: the thing under a key, or None if that is still to be asked for."""

FEW = 3
"""So many things are asked for one by one; more of them by one request for everything."""


@dataclass(eq=False)
class _Round(Generic[K, T]):
    """Those who asked since the last request was sent, and what they are answered."""

    asking: int = 0
    answers: dict[K, T | ApiError | None] = field(default_factory=dict[K, T | ApiError | None])
    task: asyncio.Task[None] | None = None


class Together(Generic[K, T]):
    """Looks things up by key, together with those that are asked for at the same time.

    An answer is from a request that was sent after the question, unless the question allows an older one.
    """

    def __init__(
        self,
        one: Callable[[K], Awaitable[T]],
        everything: Callable[[Sequence[K]], Awaitable[Told[K, T]]],
        *,
        apart: float,
    ) -> None:
        """`one` asks for one thing, `everything` for all of them, or for those alone that it is given: the latter every
        `apart` seconds at most, so that a thousand questions in a row are not a thousand requests for a thousand
        things."""
        self._one = one
        self._everything = everything
        self._apart = apart
        self._gathering: _Round[K, T] | None = None
        self._line = asyncio.Lock()
        self._told: tuple[float, Told[K, T]] | None = None
        """When everything was last asked for, on the event loop's clock, and what was told."""
        self._by_itself: dict[K, tuple[float, T]] = {}
        """What was asked for one by one: when, and the answer."""
        self._refused = False
        """Whether the API does not answer when it is asked for everything."""

    async def look(self, key: K, *, at_most_old: float = 0.0) -> T:
        """The thing under a key, as it was at most `at_most_old` seconds ago. Raises ApiError."""
        if at_most_old and (known := self._known(key, at_most_old)) is not None:
            return known
        current = self._gathering
        if current is None:
            current = self._gathering = _Round()
            current.task = asyncio.create_task(self._send(current, may_be_old=at_most_old > 0))
        assert current.task is not None
        current.asking += 1
        current.answers[key] = None
        try:
            await asyncio.shield(current.task)
        finally:
            current.asking -= 1
            if not current.asking:
                current.task.cancel()
                if self._gathering is current:
                    self._gathering = None
        answer = current.answers[key]
        if isinstance(answer, ApiError):
            raise answer
        assert answer is not None
        return answer

    def _known(self, key: K, at_most_old: float) -> T | None:
        oldest = asyncio.get_running_loop().time() - at_most_old
        if self._told is not None and self._told[0] >= oldest:
            return self._told[1](key)
        at, answer = self._by_itself.get(key, (0.0, None))
        return answer if at >= oldest else None

    async def _send(self, current: _Round[K, T], *, may_be_old: bool) -> None:
        loop = asyncio.get_running_loop()
        async with self._line:
            if self._told is not None:
                await asyncio.sleep(self._told[0] + self._apart - loop.time())
            self._gathering = None  # whoever asks from now on has to wait for a later request
            sent_at, rest = loop.time(), list(current.answers)
            one_after_another = may_be_old and len(self._by_itself) >= FEW
            if (len(rest) > FEW or one_after_another) and not self._refused:
                try:
                    told = await self._everything(rest)
                except (CredentialRefused, NotFound, Refused):
                    self._refused = True
                except ApiError as error:
                    current.answers.update(dict.fromkeys(rest, error))
                    return
                else:
                    self._told = sent_at, told
                    current.answers.update({key: told(key) for key in rest})
                    rest = [key for key in rest if current.answers[key] is None]
            await asyncio.gather(*(self._ask(current, key, sent_at) for key in rest))

    async def _ask(self, current: _Round[K, T], key: K, sent_at: float) -> None:
        try:
            answer = current.answers[key] = await self._one(key)
            self._by_itself[key] = sent_at, answer
        except ApiError as error:
            current.answers[key] = error
