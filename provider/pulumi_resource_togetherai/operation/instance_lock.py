"""One decision at a time about one instance. This process starts and approves remediations of an instance one by one.

The second decision sees what the first one started, and treats it like a remediation of somebody else. Other instances
are not held up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pulumi_resource_togetherai.operation.run import Run, explained


@asynccontextmanager
async def claim(run: Run, cluster_id: str, instance_id: str, failure: str) -> AsyncGenerator[None]:
    """Holds the lock of an instance. Take it before looking, and release it when the API has answered.

    Raises OperationError, which begins with `failure`, when the operation is stopped before its turn comes.
    """
    lock = run.cluster(cluster_id).locks[instance_id]
    taken = lock.locked()
    if taken:
        await run.report.status(f"waiting for another resource of this program that repairs instance {instance_id}")
    with explained(f"{failure}: another resource of this program was about to repair the node" if taken else failure):
        await run.unless_stopped(lock.acquire())
    try:
        yield
    finally:
        lock.release()
