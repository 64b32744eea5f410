"""A simulated day of a cluster that a ClusterRepair keeps, on the real engine.

Two pipelines run `up` every ten minutes at the same moments, some runs are killed, and a person repairs by hand.
`python -m tests.chaos.day FILE` draws the plugin's day.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.engine.stack import ROOT, Form, Stack
from tests.engine.test_cluster_repair import declare
from tests.simulated import Simulator, simulator

SCENARIO: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "cluster-repair" / "day.yaml").read_text())
SPEED = 300.0
"""Simulated seconds per real one."""
EVERY = 600.0
"""How many simulated seconds are between two starts of `up`, at least."""
KILLED = 0.25
"""The share of the runs that are killed."""
MOST = 2
UNHEALTHY = 4
"""`maxConcurrent`, and what `maxUnhealthy` allows."""
BY_HAND = ((19900.0, 6), (51000.0, 16))
"""When a person reboots which node, in simulated seconds from the start."""
RULES: list[dict[str, Any]] = [
    {"name": "gpu-lost", "when": {"xids": ["79"]}, "modes": ["HOST_AWARE"]},
    {"name": "xid", "when": {"alerts": ["DmesgXidError"]}, "modes": ["REBOOT_VM", "VM_ONLY", "HOST_AWARE"]},
    {"name": "down", "when": {"statuses": ["NotReady"], "unhealthyFor": "5m"}, "modes": ["REBOOT_VM", "HOST_AWARE"]},
]
POLICY: dict[str, Any] = {"maxConcurrent": MOST, "maxUnhealthy": str(UNHEALTHY), "maxAttempts": 3, "cooldown": "30m"}


@dataclass
class Span:
    """Some time of a node."""

    node: int
    begin: datetime
    end: datetime
    what: str
    remediation: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Day:
    """What has happened."""

    began: datetime
    ended: datetime
    remediations: list[dict[str, Any]]
    """All of them, with their timelines, oldest first."""
    faults: list[Span]
    """When something was wrong with which node, by what the simulator was told."""
    status: dict[int, str]
    """How each node is at the end."""
    runs: int = 0
    killed: int = 0
    halted: int = 0
    """How many runs ended because of `maxUnhealthy`."""

    def repairs(self) -> list[Span]:
        """What was under repair, from the decision on."""
        return [
            Span(node_of(item), begun, parsed(item.get("end_time")) or self.ended, by(item), item)
            for item in self.remediations
            if (begun := decided(item)) is not None
        ]


def node_of(item: dict[str, Any]) -> int:
    """The number of a remediation's node."""
    return int(item["instance_name"].rpartition("-")[2])


def by(item: dict[str, Any]) -> str:
    """Whether a person or a program has decided that it runs."""
    return "program" if "[pulumi" in f"{item.get('reason')} {item.get('review_comment')}" else "person"


def parsed(text: str | None) -> datetime | None:
    """A time of the API's."""
    return datetime.fromisoformat(text) if text else None


def decided(item: dict[str, Any]) -> datetime | None:
    """When it was started or approved; None if it never was, or was withdrawn before it began."""
    if item.get("start_time") is None and item["state"] in ("CANCELLED", "AUTO_RESOLVED", "PENDING_APPROVAL"):
        return None
    return parsed(item.get("review_time")) or parsed(item["create_time"])


def repaired_twice(day: Day) -> list[str]:
    """Remediations that a program has begun although nothing was wrong with the node, or another one was under way."""
    wrong, repairs = list[str](), day.repairs()
    for one in repairs:
        if one.what != "program":
            continue
        if not any(fault.node == one.node and fault.begin <= one.begin <= fault.end for fault in day.faults):
            wrong.append(f"node {one.node} at {one.begin}: nothing was wrong with it")
        beside = [other for other in repairs if other.node == one.node and other.remediation is not one.remediation]
        if any(other.begin <= one.begin < other.end for other in beside):
            wrong.append(f"node {one.node} at {one.begin}: it was under repair")
    return wrong


def forgotten(day: Day) -> list[str]:
    """What is still wrong at the end of the day."""
    waiting = [node_of(item) for item in day.remediations if item["state"] == "PENDING_APPROVAL"]
    broken = [number for number, status in day.status.items() if status != "Ready"]
    return [f"node {number}" for number in sorted({*waiting, *broken})]


def exceeded(day: Day) -> list[str]:
    """Moments at which a program began more than it may."""
    wrong, repairs = list[str](), day.repairs()
    for one in repairs:
        if one.what != "program":
            continue
        at_once = {other.node for other in repairs if other.begin <= one.begin < other.end}
        if len(at_once) > MOST:
            wrong.append(f"{one.begin}: {len(at_once)} nodes are under repair")
        ill = {fault.node for fault in day.faults if fault.begin + timedelta(minutes=5) <= one.begin < fault.end}
        if len(ill) > UNHEALTHY:
            wrong.append(f"{one.begin}: {len(ill)} nodes are unhealthy")
    return wrong


def live(form: Form, folder: Path, *, hours: float = 24.0, seed: int = 1) -> Day:
    """Lives the day, or the first hours of it."""
    scenario = {name: value for name, value in SCENARIO.items() if name != "events"}
    scenario["events"] = [event for event in SCENARIO["events"] if event["at"] < (hours - 2.5) * 3600]
    chance = random.Random(seed)
    # The clock starts once it is known when: while the simulator starts, minutes would pass.
    with simulator(speed=0, **scenario) as api:
        began = now(api)
        stacks = [Stack(folder / name, form, api.address, name=name) for name in ("one", "two")]
        for stack in stacks:
            stack.configure("togetherai:maxConcurrentPerCluster", str(MOST))
            declare(stack, *RULES, **POLICY)
        day = Day(began, began, [], [], {})
        api.control("POST", "/clock", {"speed": SPEED})
        by_hand = [entry for entry in BY_HAND if entry[0] < hours * 3600]
        while (passed := (now(api) - began).total_seconds()) < hours * 3600:
            while by_hand and by_hand[0][0] <= passed:
                repair_by_hand(api, by_hand.pop(0)[1])
            two_runs(day, stacks, chance)
            spent = (now(api) - began).total_seconds() - passed
            time.sleep(max(0.0, EVERY - spent) / SPEED)
        api.control("POST", "/clock", {"speed": 0})
        return finished(day, api, scenario["events"])


def now(api: Simulator) -> datetime:
    """The simulated time."""
    return datetime.fromisoformat(api.control("GET", "/clock")["now"])


def repair_by_hand(api: Simulator, number: int) -> None:
    """A person reboots a node, unless somebody does already."""
    nodes = api.http.get("/compute/clusters/cluster-1").raise_for_status().json()["gpu_worker_nodes"]
    instance = next(node["instance_id"] for node in nodes if node["node_id"] == f"cluster-1-worker-{number}")
    active = ("PENDING", "QUARANTINING", "QUARANTINED", "RUNNING")
    if sum(item["state"] in active for item in api.remediations()) < MOST:
        api.create(instance)


def two_runs(day: Day, stacks: Sequence[Stack], chance: random.Random) -> None:
    """`pulumi up` of both pipelines at the same moment; some are killed."""
    running = [
        subprocess.Popen(
            ["pulumi", "--non-interactive", "--color=never", "up", "--yes", "--skip-preview", f"--stack={stack.name}"],
            cwd=stack.folder,
            env=stack.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for stack in stacks
    ]
    for stack, process in zip(stacks, running, strict=True):
        day.runs += 1
        try:
            output, _ = process.communicate(timeout=chance.uniform(0.3, 2.5) if chance.random() < KILLED else 120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            day.killed += 1
            stack.run("cancel", "--yes")
        else:
            assert "bug in the provider" not in output, output
            day.halted += "nothing was started: " in output


def finished(day: Day, api: Simulator, events: Iterable[dict[str, Any]]) -> Day:
    """The day, with all that the simulator knows of it."""
    (cluster,) = api.control("GET", "/state?limit=10000")["clusters"]
    day.ended = now(api)
    day.remediations = cluster["remediations"][::-1]
    day.status = {node["number"]: "Broken" if node["broken"] else "Ready" for node in cluster["nodes"]}
    for event in events:
        if event["do"] in ("break_node", "propose"):
            number = int(event["instance"].rpartition("-")[2])
            begin = day.began + timedelta(seconds=event["at"] - 1)
            what = event.get("fault", "broken")
            day.faults.append(Span(number, begin, cured(day, number, begin, event, events), what))
    return day


def cured(day: Day, number: int, begin: datetime, event: dict[str, Any], events: Iterable[dict[str, Any]]) -> datetime:
    """When a fault was over: mended, gone by itself, or repaired in a mode that helps."""
    gentle = ["REMEDIATION_MODE_REBOOT_VM", "REMEDIATION_MODE_VM_ONLY", "REMEDIATION_MODE_HOST_AWARE"]
    helps = gentle[gentle.index(event.get("cured_by", gentle[0])) :]
    ends = [
        day.began + timedelta(seconds=other["at"])
        for other in events
        if other["do"] == "mend_node" and other["instance"] == event["instance"] and other["at"] > event["at"]
    ]
    for item in day.remediations:
        end = parsed(item.get("end_time"))
        helped = item["state"] == "AUTO_RESOLVED" or (item["state"] == "SUCCEEDED" and item["mode"] in helps)
        if node_of(item) == number and end is not None and end > begin and helped:
            ends.append(end)
    return min(ends, default=day.ended)


def main(path: Path) -> None:
    """Lives the day and draws it."""
    with tempfile.TemporaryDirectory() as folder:
        day = live("plugin", Path(folder))
    print(json.dumps({"runs": day.runs, "killed": day.killed, "halted": day.halted}), datetime.now(UTC))
    from tests.chaos.day_picture import draw

    print("repaired twice", repaired_twice(day), "forgotten", forgotten(day), "exceeded", exceeded(day))
    draw(day, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
