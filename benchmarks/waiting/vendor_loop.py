"""A plain loop over the vendor's client, as a user would write it: `python -m waiting.vendor_loop < work.json`.

Reads one line of JSON (base_url, api_key, mode, interval in seconds, targets), says `ready`, starts at the next line,
and prints when each remediation was seen to have ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, cast

from together import AsyncTogether

TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "AUTO_RESOLVED")


async def repair(client: AsyncTogether, cluster: str, instance: str, mode: str, interval: float) -> float:
    """Starts a remediation and looks at it until it has ended. Returns when that was seen."""
    made = await client.clusters.remediations.create(instance, cluster_id=cluster, mode=cast(Any, mode))
    state = made.state
    while state not in TERMINAL:
        await asyncio.sleep(interval)
        seen = await client.clusters.remediations.retrieve(made.id, cluster_id=cluster, instance_id=instance)
        state = seen.state
    return time.time()


async def main() -> None:
    """Repairs everything at once."""
    work = json.loads(sys.stdin.readline())
    async with AsyncTogether(base_url=work["base_url"], api_key=work["api_key"]) as client:
        _ = client.clusters.remediations  # imported on first use
        print("ready", flush=True)
        sys.stdin.readline()
        started = time.time()
        ends = await asyncio.gather(
            *(
                repair(client, cluster, instance, work["mode"], work["interval"])
                for cluster, instance in work["targets"]
            ),
            return_exceptions=True,
        )
    returned = {
        instance: end for (_, instance), end in zip(work["targets"], ends, strict=True) if isinstance(end, float)
    }
    failures = [f"{type(end).__name__}: {end}" for end in ends if not isinstance(end, float)]
    print(json.dumps({"started": started, "returned": returned, "failures": failures}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    asyncio.run(main())
