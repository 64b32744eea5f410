"""`maxConcurrentPerCluster`: how many nodes of a cluster may be under repair at once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.sanitize import quoted

if TYPE_CHECKING:
    from pulumi_resource_togetherai.clusters.view import View


NAMED = 3
"""How many that hold a slot a line names."""


class ConcurrencyLimit:
    """Starts the remediations of a cluster in the order of their requests, as long as a slot is free.

    Two kinds of nodes occupy a slot, one however many remediations they have: those for which the API lists an active
    remediation, whoever started it, except proposals, which affect no node until they are approved; and those that hold
    a slot here. This limit cannot see another process that starts one at the same moment: after the POST, `precedence`
    decides between the two.
    """

    def __init__(self, view: View, most: int | None) -> None:
        self._view = view
        self.most = most
        """How many nodes may be under repair at once; None for any number."""
        self._queue = asyncio.Lock()
        """Those who wait for a slot queue here, so that the first to ask is the first to start."""
        self._waiting = 0
        """How many wait for a slot."""
        self._held: set[Slot] = set()
        self._released = asyncio.Event()
        """Set when a slot was released."""
        self._usable_since = 0.0
        """On the event loop's clock. A list that was fetched before does not show the last remediation that was started
        here."""

    @contextmanager
    def slot(self, instance_id: str, report: Report) -> Generator[Slot]:
        """A slot for an instance, which is still to be acquired. It is released at the end of the block."""
        slot = Slot(self, instance_id, report)
        try:
            yield slot
        finally:
            slot.release()

    async def acquire(self, slot: Slot) -> bool:
        """Waits until a slot is free. Returns whether that took any time."""
        if self.most is None or slot in self._held:
            return False
        waited = self._queue.locked()
        if waited:
            others = "1 other" if self._waiting == 1 else f"{self._waiting} others"
            await slot.report.status(
                f"waiting for its turn after {others}: at most {self.most} may run at once in cluster {self._view.id}"
            )
        self._waiting += 1
        try:
            async with self._queue:
                waited = await self._wait_for_room(slot, self.most) or waited
                self._held.add(slot)
        finally:
            self._waiting -= 1
        return waited

    def release(self, slot: Slot) -> None:
        """Frees the slot."""
        if slot not in self._held:
            return
        self._held.remove(slot)
        if slot.record is None or not self._view.believed(slot.record).terminal:
            self._usable_since = asyncio.get_running_loop().time()
        self._released.set()

    async def _wait_for_room(self, slot: Slot, limit: int) -> bool:
        waited, known, shown_at = False, "", 0.0
        loop = asyncio.get_running_loop()
        since = loop.time()
        while True:
            self._released.clear()
            try:
                busy = await self.busy()
                busy.pop(self._view.one_node.key(slot.instance_id), None)
            except ApiError as error:
                if not error.transient:
                    raise
                line = what = f"the API does not say what is active in cluster {self._view.id}; still waiting ({error})"
            else:
                if len(busy) < limit:
                    return waited
                what = str(sorted((one, record and record.state) for one, record in busy.items()))
                # What holds it comes before what is known: a terminal cuts lines off at their end.
                waiting = f"waiting {duration_text(loop.time() - since)} for a slot"
                line = f"{waiting}: {self._holders(busy)}; {self._count(busy)}"
            if what != known or loop.time() - shown_at >= slot.report.heartbeat:
                await slot.report.status(line)
                known, shown_at = what, loop.time()
            waited = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._view.interval):
                    await self._released.wait()

    async def why_wait(self, instance_id: str, before: Collection[str] = ()) -> str:
        """Why a remediation of an instance would have to wait now; empty if it would not. `before` are the instances of
        which one starts before it. Raises ApiError."""
        if self.most is None:
            return ""
        busy = await self.busy()
        node_of = self._view.one_node.key
        ahead = {node_of(one) for one in before}.difference(busy)
        if len(ahead.union(busy) - {node_of(instance_id)}) < self.most:
            return ""
        started = f"{len(ahead)} more of this program come first, and `maxConcurrentPerCluster` is {self.most}"
        taken = f"{self._count(busy)}, by {self._holders(busy)}" if busy else ""
        return ", and ".join(part for part in (taken, started if ahead else "") if part)

    async def busy(self) -> dict[str, Remediation | None]:
        """The nodes under repair, each by one of its instances: those that the API lists, with the remediation, and
        those with a slot that it does not list yet."""
        node_of = self._view.one_node.key
        since = max(self._usable_since, asyncio.get_running_loop().time() - self._view.interval)
        active = await self._view.active(since=since)
        held = {node_of(slot.instance_id): slot.record for slot in self._held}
        listed = {
            node_of(record.instance_id): record
            for record in active
            if record.state != RemediationState.PENDING_APPROVAL
        }
        return held | listed

    def _count(self, busy: Mapping[str, Remediation | None]) -> str:
        return f"{len(busy)} of {self.most} in use in cluster {self._view.id}"

    def _holders(self, busy: Mapping[str, Remediation | None]) -> str:
        """What holds the slots, the longest first: with each its state, for how long, and whose it is."""
        now = self._view.now()
        ordered = sorted(busy, key=lambda one: found.create_time or now if (found := busy[one]) else now)
        told = [
            messages.holder(record, now) if (record := busy[one]) else f"{quoted(one)} (starting)"
            for one in ordered[:NAMED]
        ]
        more = [f"and {len(busy) - len(told)} more"] if len(busy) > len(told) else []
        return ", ".join([*told, *more])


class Slot:
    """A slot for one remediation."""

    def __init__(self, limit: ConcurrencyLimit, instance_id: str, report: Report) -> None:
        self._limit = limit
        self.instance_id = instance_id
        self.report = report
        self.record: Remediation | None = None
        """What runs in it. The operation that starts it sets this."""

    async def acquire(self) -> bool:
        """Waits until it is free. Returns whether that took any time; if so, look again before you start. Raises
        ApiError if the API does not list the active remediations."""
        return await self._limit.acquire(self)

    def release(self) -> None:
        """Frees the slot."""
        self._limit.release(self)
