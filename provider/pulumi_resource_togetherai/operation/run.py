"""What one operation works with: the API, the settings, a reporter, and what may stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.clusters.view import Clusters, View
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.sanitize import sanitize_lines

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

T = TypeVar("T")

GRACE = 5.0
"""How long, in seconds, a write in progress may still take after an interruption: a late answer is better than an
unknown outcome."""


class OperationError(Exception):
    """An operation failed and left nothing new behind. Its text is for a person: what happened, then a line for each
    thing to do."""

    def __init__(self, text: str) -> None:
        super().__init__(sanitize_lines(text))


class Interrupted(Exception):
    """The user asked to stop."""


@contextmanager
def explained(failure: str, *, then: str = "") -> Generator[None]:
    """Turns what stops an operation into the one line that the user reads: what failed, why, and what `then`."""
    try:
        yield
    except ApiError as error:
        raise OperationError(f"{failure}: {error}. {then}".rstrip(". ")) from error
    except Interrupted as error:
        raise OperationError(f"{failure}: interrupted. {then}".rstrip(". ")) from error
    except TimeoutError as error:
        raise OperationError(f"{failure}: timed out. {then}".rstrip(". ")) from error


class Interruption:
    """Whether the user has asked to stop, and the timers of what has to stop then."""

    def __init__(self) -> None:
        self.asked = False
        self.timers = set[asyncio.Timeout]()

    def ask(self) -> None:
        """Stops everything at once. Call it on the event loop."""
        self.asked = True
        for timer in self.timers:
            timer.reschedule(asyncio.get_running_loop().time())


class _Stoppable:
    """The block inside ends at the interruption (Interrupted) or at the deadline (TimeoutError). It has no task of its
    own, because a process may have thousands of them."""

    __slots__ = ("_interruption", "_timer")

    def __init__(self, interruption: Interruption, deadline: float) -> None:
        self._interruption = interruption
        self._timer = asyncio.timeout_at(deadline)

    async def __aenter__(self) -> None:
        if self._interruption.asked:
            raise Interrupted
        await self._timer.__aenter__()
        self._interruption.timers.add(self._timer)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._interruption.timers.discard(self._timer)
        try:
            await self._timer.__aexit__(kind, error, traceback)
        except TimeoutError:
            if self._interruption.asked:
                raise Interrupted from None
            raise


@dataclass(frozen=True)
class Run:
    """One operation on one resource."""

    client: Client
    clusters: Clusters
    config: ProviderConfig
    report: Report
    interruption: Interruption
    deadline: float
    """When to give up, on the event loop's clock."""
    keeps_unfinished: bool
    """Whether the stack keeps the resource if this operation stops half-way (not so for a create of pulumi.dynamic)."""
    stateless: bool = False
    """Whether there is no stack: a person calls the operation at a shell, on whatever the id names."""
    urn: str = ""
    """The resource, for the commands that an error tells people to type."""

    def cluster(self, cluster_id: str) -> View:
        """What is known of a cluster."""
        return self.clusters[cluster_id]

    def stoppable(self) -> _Stoppable:
        """Ends the block inside at an interruption (Interrupted) or at the deadline (TimeoutError)."""
        return _Stoppable(self.interruption, self.deadline)

    async def unless_stopped(self, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
        """Does `work`, or stops it at an interruption (Interrupted) or at the deadline (TimeoutError). `grace` is how
        long, in seconds, it may continue after that."""
        task = asyncio.ensure_future(work)
        try:
            async with self.stoppable():
                await asyncio.wait({task})
        except (Interrupted, TimeoutError):
            if grace:
                await asyncio.wait({task}, timeout=grace)
            if not task.done():
                raise
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return task.result()
