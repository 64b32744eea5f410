"""Independent processes that ask for the same node: each a stack of its own, with its own program, its own network and
its own accidents. They know of each other by the API alone."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import httpx

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.model.world import NODE, Killed, Network, World

LONG = 2000
"""Seconds that a remediation stays PENDING where whoever was killed has to have time to come back."""
LOST = [{"kind": "drop_after"}, {"kind": "drop_before"}, {"kind": "error", "status": 503, "after": True}]

UNANSWERED = re.compile("cannot list|cannot look|known to|did not confirm")
"""What an error says when the network was too bad to find out: whoever reads that runs the command again."""


@dataclass
class Asker:
    """A process that wants the node repaired, or a proposal decided, and does not let go before it has an answer."""

    world: World
    declared: dict[str, Any]
    kills: list[tuple[int, bool]]
    """At which request of each run it is killed, and whether that still takes effect."""
    review: bool = False
    errors: list[str] | None = None
    """How its last run ended."""
    outputs: dict[str, Any] | None = None
    runs: int = 0
    """How often it was run."""
    killed: int = 0
    """How often it was killed."""

    async def run(self, chance: random.Random, *, coarse: bool) -> None:
        """Runs until it is told how it stands."""
        await asyncio.sleep(chance.uniform(0, 3))
        for kill in itertools.chain(self.kills, itertools.repeat(None, 20)):
            network = self.world.network = Network(self.world.app)
            network.pace = lambda: chance.uniform(0, 2)
            network.bend = in_whole_seconds if coarse else None
            network.kill_at = kill
            try:
                await self._once()
            except Killed:
                self.killed += 1
                await asyncio.sleep(self.world.lag + chance.uniform(0, 30))
                continue
            if not self.errors or not UNANSWERED.search(self.errors[0]):
                return
            await asyncio.sleep(self.world.lag)  # another process can know of nothing younger

    async def _once(self) -> None:
        self.runs += 1
        if not self.review:
            self.errors = await self.world.up_meanwhile({"fix": self.declared})
            held = self.world.stack.get("fix")
            self.outputs = held.resource.outputs if held else None
            return
        self.errors = []
        async with self.world.session() as session:
            reviews = ReviewResource(session, keeps_unfinished=True)
            try:
                made = await reviews.create("urn:pulumi:s::p::t::review", self.declared, self.world.told)
                self.outputs, self.errors = made.outputs, [made.problem] if made.problem else []
            except OperationError as error:
                self.outputs, self.errors = None, [str(error)]


def in_whole_seconds(response: httpx.Response) -> httpx.Response:
    """An API that tells its times in whole seconds."""
    text = re.sub(r"(\d\d:\d\d:\d\d)\.\d+(Z|\+00:00)", r"\1\2", response.text)
    kept = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return httpx.Response(response.status_code, headers=kept, content=text.encode())


def all_at_once(world: World, work: list[Coroutine[Any, Any, None]]) -> None:
    async def gather() -> None:
        await asyncio.gather(*work)

    world.run(gather())


def begun(records: list[Remediation]) -> list[Remediation]:
    return [record for record in records if record.start_time is not None]


def arrange(
    reading: str,
    seed: int,
    askers: list[dict[str, Any]],
    reviews: list[str],
    lost: float,
    dialect: int | None = None,
    **platform: Any,
) -> tuple[World, list[Asker]]:
    random.seed(seed)  # jitter and backing off are the same every time, too
    first = World(reading=reading, seed=seed, dialect=dialect, settings=platform, stack="stack-0")
    worlds = [first, *(World(stack=f"stack-{n}", beside=first) for n in range(1, len(askers) + len(reviews)))]
    where = {"clusterId": "cluster-1", "instanceId": NODE}
    made = list[Asker]()
    for world, asked in zip(worlds, askers, strict=False):
        world.keeps_unfinished = asked["keeps"]
        declared = where | {"mode": "REBOOT_VM", "ifActive": asked["ifActive"], "wait": asked["wait"]}
        made.append(Asker(world, declared, asked["kills"]))
    if reviews:
        proposal = first.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "xid"})
        for world, decision in zip(worlds[len(askers) :], reviews, strict=True):
            declared = where | {"remediationId": proposal["id"], "decision": decision}
            made.append(Asker(world, declared, [], review=True))
    for rule in LOST if lost else []:
        first.control("POST", "/faults", rule | {"probability": lost})
    return first, made
