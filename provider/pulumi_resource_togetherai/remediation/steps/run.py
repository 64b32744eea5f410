"""What one operation works with: the API, the settings, a reporter, and what may stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.harmless import harmless
from pulumi_resource_togetherai.remediation.watching.cluster import Cluster, Clusters
from pulumi_resource_togetherai.remediation.watching.report import Report

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

T = TypeVar("T")

GRACE = 5.0
"""How long, in seconds, a write in progress may still take after an interruption: a late answer is better than an
unknown outcome."""


class RemediationError(Exception):
    """An operation failed and left nothing new behind. Its text is for a person: what happened and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(harmless(text))


class Interrupted(Exception):
    """The user asked to stop."""


@contextmanager
def explained(failure: str, *, then: str = "") -> Generator[None]:
    """Turns what stops an operation into the one line that the user reads: what failed, why, and what `then`."""
    try:
        yield
    except ApiError as error:
        raise RemediationError(f"{failure}: {error}. {then}".rstrip(". ")) from error
    except Interrupted as error:
        raise RemediationError(f"{failure}: interrupted. {then}".rstrip(". ")) from error
    except TimeoutError as error:
        raise RemediationError(f"{failure}: timed out. {then}".rstrip(". ")) from error


@dataclass(frozen=True)
class Run:
    """One operation on one resource."""

    client: Client
    clusters: Clusters
    config: ProviderConfig
    report: Report
    interrupted: asyncio.Event
    deadline: float
    """When to give up, on the event loop's clock."""
    keeps_unfinished: bool
    """Whether the stack keeps the resource if this operation stops half-way (not so for a create of pulumi.dynamic)."""

    def cluster(self, cluster_id: str) -> Cluster:
        """What this process's runs share about a cluster."""
        return self.clusters[cluster_id]

    async def unless_stopped(self, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
        """Does `work`, or stops it at an interruption (Interrupted) or at the deadline (TimeoutError). `grace` is how
        long, in seconds, it may continue after that."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self.interrupted.wait())
        remaining = max(0.0, self.deadline - asyncio.get_running_loop().time())
        try:
            await asyncio.wait({task, stop}, timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and grace:
                await asyncio.wait({task}, timeout=grace)
            if task.done():
                return task.result()
            if self.interrupted.is_set():
                raise Interrupted
            raise TimeoutError
        finally:
            task.cancel()
            stop.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)
