"""A plain loop over the vendor's client, as a user would write it: `python -m waiting.vendor_loop < work.json`.

It reads one line of JSON (base_url, api_key, mode, interval and patience in seconds, targets), prints `ready`, starts
at the next line, and prints when it saw that each remediation had ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, cast

from together import AsyncTogether

AT_ONCE = asyncio.Semaphore(100)
"""As many requests as the client has connections. With more, each of 1000 waiters that queue inside the client makes
every request more expensive (some 50 ms of CPU time each), and the loop does not finish. So this loop is a little
better than a plain one."""
TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "AUTO_RESOLVED")


async def repair(client: AsyncTogether, cluster: str, instance: str, mode: str, interval: float) -> float:
    """Starts a remediation and polls it until it has ended. Returns when the loop saw that."""
    remediations = client.clusters.remediations
    async with AT_ONCE:
        made = await remediations.create(instance, cluster_id=cluster, mode=cast(Any, mode))
    state = made.state
    while state not in TERMINAL:
        await asyncio.sleep(interval)
        async with AT_ONCE:
            state = (await remediations.retrieve(made.id, cluster_id=cluster, instance_id=instance)).state
    return time.time()


async def main() -> None:
    """Repairs everything at once."""
    work = json.loads(sys.stdin.readline())
    async with AsyncTogether(base_url=work["base_url"], api_key=work["api_key"]) as client:
        _ = client.clusters.remediations  # imported on first use
        print("ready", flush=True)
        sys.stdin.readline()
        started = time.time()
        repairs = {
            asyncio.create_task(repair(client, cluster, instance, work["mode"], work["interval"])): instance
            for cluster, instance in work["targets"]
        }
        done, late = await asyncio.wait(repairs, timeout=work["patience"])
    given_up = time.time() if late else None
    for task in late:
        task.cancel()
    failed = {task: error for task in done if (error := task.exception())}
    returned = {repairs[task]: task.result() for task in done if task not in failed}
    failures = [f"{type(error).__name__}: {error}" for error in failed.values()]
    told = {"started": started, "returned": returned, "given_up": given_up, "failures": failures}
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    asyncio.run(main())
