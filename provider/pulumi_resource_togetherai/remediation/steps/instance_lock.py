"""One decision at a time about one instance: what this process starts or approves there, it does one after another.

The second sees what the first one did, and decides as about anybody else's. Other instances are not held up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pulumi_resource_togetherai.remediation.steps.run import Run, explained


@asynccontextmanager
async def claim(run: Run, cluster_id: str, instance_id: str, failure: str) -> AsyncGenerator[None]:
    """Holds an instance: to be taken before the look, and given back once the API has answered.

    Raises RemediationError, which begins with `failure`, when the operation is stopped before its turn comes.
    """
    lock = run.cluster(cluster_id).claims[instance_id]
    if lock.locked():
        await run.report.status(f"waiting for another resource of this program that repairs instance {instance_id}")
    with explained(f"{failure}: another resource of this program was about to repair the node"):
        await run.unless_stopped(lock.acquire())
    try:
        yield
    finally:
        lock.release()
