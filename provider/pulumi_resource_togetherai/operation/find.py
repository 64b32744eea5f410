"""Finds a remediation that exists, or did. One look that does not show it proves nothing: reads may come from a replica
that lags, and the API may not serve the paths of an instance any more that was replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.view import Ref, View
from pulumi_resource_togetherai.clusters.watch import GROWTH, QUICK
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.operation.run import Run

W = TypeVar("W", Remediation, Ref)


async def find(
    run: Run,
    cluster_id: str,
    which: W,
    *,
    look: Callable[[View, W], Awaitable[Remediation]] = View.remediation,
) -> Remediation:
    """The remediation as it is now. Raises NotFound once every `look` has lacked it for so long that it is gone. Raises
    ApiError."""
    view, loop, ref = run.cluster(cluster_id), asyncio.get_running_loop(), Ref.of(which)
    since, gap = loop.time(), view.interval * QUICK
    while True:
        asked_at = loop.time()
        if asked_at - since >= view.proof:
            view.leave_no_way_alone()
        try:
            return await look(view, which)
        except NotFound:
            if asked_at - since >= view.proof:
                raise
        await run.report.status(
            f"the API does not show remediation {ref.remediation_id} of instance {ref.instance_id}; its answers may "
            f"lag, so it counts as gone only after {duration_text(view.proof)}"
        )
        await asyncio.sleep(gap)
        gap = min(view.interval, gap * GROWTH)
