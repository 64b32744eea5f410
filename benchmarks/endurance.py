"""A day's work in minutes: many waiters through ten simulated hours, with faults on 10 % of all requests.

    python benchmarks/endurance.py [--waiters 1000] [--hours 10] [--speed 200]

One process of the provider's core uses the simulator over real sockets. Each waiter starts a remediation and waits for
its end. If its command fails, the waiter runs it again, as you would run `pulumi up` again. Every simulated hour the
benchmark counts the process's tasks and open files (sockets included) and measures its memory. It ends with 1 if a
remediation is lost, if a node is repaired twice, or if something grows from the second hour to the last but one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from silent import Silent
from togetherai_simulator import running

HOUR = 3600.0
STRUCK = 0.1
"""The share of the requests that a fault strikes."""
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503, "after": True},
    {"kind": "rate_limit", "seconds": 1},
    {"kind": "truncated"},
    {"kind": "malformed"},
    {"kind": "html"},
]
GROWTH = 1.05
"""The most that memory may grow from the second hour to the last but one."""


@dataclass
class Waiters:
    """The waiters, and their results."""

    resources: RemediationResource
    ended: dict[str, str] = field(default_factory=dict[str, str])
    """The state in which each node's remediation ended, by the remediation's id."""
    again: Counter[str] = field(default_factory=Counter[str])
    """How often a command was run again, by the reason."""

    async def repair(self, number: int) -> None:
        """One waiter."""
        node = f"cluster-1-node-{number}"
        urn = f"urn:pulumi:prod::training::togetherai:index:Remediation::{node}"
        declared = {"clusterId": "cluster-1", "instanceId": node, "mode": "REBOOT_VM", "timeout": "12h"}
        while True:
            try:
                made = await self.resources.create(urn, declared, Silent())
            except OperationError as error:
                self.again[str(error).rpartition(": ")[2][:60]] += 1
                continue
            if made.problem is None:
                self.ended[made.outputs["remediationId"]] = made.outputs["state"]
                return
            self.again[made.problem[:60]] += 1


@dataclass(frozen=True)
class Weight:
    """What the process holds at one moment."""

    hour: float
    waiting: int
    tasks: int
    files: int
    mib: float


async def endure(waiters: int, hours: float, speed: float) -> tuple[Waiters, list[Weight]]:
    """Runs all waiters to their end."""
    settings = {"pollInterval": f"{round(60_000 / speed)}ms", "requestTimeout": "10s", "maxRetries": "5"}
    session = Session(ProviderConfig.model_validate(settings))
    all_of = Waiters(RemediationResource(session, keeps_unfinished=True))
    process, weights = psutil.Process(), list[Weight]()
    work = asyncio.gather(*(all_of.repair(number) for number in range(1, waiters + 1)))
    started = time.monotonic()
    for hour in range(1, round(hours) + 1):
        await asyncio.wait({work}, timeout=max(0.0, started + hour * HOUR / speed - time.monotonic()))
        memory = process.memory_full_info().uss / 2**20
        waiting = waiters - len(all_of.ended)
        weights.append(Weight(hour, waiting, len(asyncio.all_tasks()), process.num_fds(), memory))
    await work
    await session.close()
    await asyncio.sleep(0.2)
    weights.append(Weight(hours, 0, len(asyncio.all_tasks()), process.num_fds(), weights[-1].mib))
    return all_of, weights


def main() -> int:
    """Runs the benchmark and prints the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiters", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=10.0, help="simulated")
    parser.add_argument("--speed", type=float, default=200.0, help="simulated seconds per second")
    options = parser.parse_args()
    length = options.hours * HOUR
    share = 1 - (1 - STRUCK) ** (1 / len(FAULTS))
    scenario = {
        "instances": options.waiters,
        "settings": {"pending": 60, "running": length - 60},
        "faults": [fault | {"probability": share} for fault in FAULTS],
    }
    with running(scenario, speed=options.speed) as simulator:
        os.environ |= simulator.environment
        all_of, weights = asyncio.run(endure(options.waiters, options.hours, options.speed))
        requests = simulator.requests()
        state = simulator.control("GET", f"/state?limit={10 * options.waiters}")
    records: list[dict[str, Any]] = state["clusters"][0]["remediations"]
    twice = len(records) - len({record["instance_id"] for record in records})
    lost = [record for record in records if record["id"] not in all_of.ended]
    struck = sum(entry["fault"] is not None for entry in requests)
    print("| hour | waiting | tasks | open files | MiB |\n|---|---|---|---|---|")
    for weight in weights:
        print(f"| {weight.hour:g} | {weight.waiting} | {weight.tasks} | {weight.files} | {weight.mib:.0f} |")
    print(f"\n{len(requests)} requests in the journal, {struck / len(requests):.1%} of them struck by a fault")
    print(f"{len(records)} remediations, {twice} on a node that had one already, {len(lost)} lost")
    print(f"{all_of.again.total()} commands run again: {dict(all_of.again.most_common(3))}")
    first, last = weights[1], weights[-3]
    grown = last.mib > first.mib * GROWTH or last.tasks > first.tasks or last.files > first.files + 2
    print(f"from hour {first.hour:g} to hour {last.hour:g}: memory times {last.mib / first.mib:.3f}")
    return int(bool(twice or lost or grown or weights[-1].tasks > 1))


if __name__ == "__main__":
    sys.exit(main())
