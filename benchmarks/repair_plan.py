"""What a plan for a large cluster costs, by default 1,000 nodes with 20 earlier remediations each."""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from datetime import UTC, datetime, timedelta

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.repair.component import planned
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from silent import Silent
from togetherai_simulator import running

URN = "urn:pulumi:prod::training::togetherai:index:ClusterRepair::repair"
POLICY = {
    "clusterId": "cluster-1",
    "rules": [
        {"name": "xid", "when": {"alerts": ["DmesgXidError"]}, "modes": ["REBOOT_VM", "VM_ONLY"]},
        {"name": "down", "when": {"statuses": ["NotReady"], "unhealthyFor": "15m"}, "modes": ["REBOOT_VM"]},
    ],
    "maxConcurrent": 10,
    "maxUnhealthy": "20%",
}


async def measure(address: str, key: str) -> str:
    """One plan."""
    session = Session(ProviderConfig(api_key=key, base_url=address))  # pyright: ignore[reportArgumentType]
    run = session.run(Silent(), 300)
    before, cpu, began = memory(), time.process_time(), time.monotonic()
    made = await planned(run, URN, ClusterRepairInputs.model_validate(POLICY))
    took, used = time.monotonic() - began, time.process_time() - cpu
    sent = run.cluster("cluster-1").sent
    await session.close()
    return (
        f"{made.plan.nodes} nodes: {sent} requests (1 for the cluster; the others for the list, which is read until a "
        f"pass brings nothing that those before it lacked), {took:.1f} s, {used:.2f} s of CPU time, "
        f"{memory() - before:.0f} MB more memory at the most"
    )


def memory() -> float:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Fills a simulated cluster and plans once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--earlier", type=int, default=20, help="earlier remediations of each node")
    parser.add_argument("--page", type=int, default=100, help="the largest page that the API gives")
    options = parser.parse_args()
    scenario = {
        "instances": options.nodes,
        "began_ago": timedelta(days=60).total_seconds(),
        "settings": {"pending": 1, "running": 1, "failure_rate": 0, "max_page_size": options.page},
    }
    with running(scenario, speed=0) as api:
        for _ in range(options.earlier):
            for number in range(1, options.nodes + 1):
                api.create(f"cluster-1-node-{number}")
            api.advance(86400)
        print(f"{datetime.now(UTC):%Y-%m-%d}, pages of {options.page}, {options.earlier} earlier remediations each")
        print(asyncio.run(measure(api.address, api.key)))


if __name__ == "__main__":
    main()
