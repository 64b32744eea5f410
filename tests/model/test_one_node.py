"""One node, one repair: independent processes on one platform, whose steps interleave at every request.

Each process is a stack of its own with its own program, its own network and its own accidents: answers are lost, and it
is killed and started again. They know of each other by the API alone.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.precedence import started_at
from pulumi_resource_togetherai.remediation.run import RemediationError
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.model.world import NODE, Killed, Network, World

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")

ONE_LOOK = timedelta(seconds=20 * 0.2 * 1.1 + 6 * 2)
"""The time of one look: the first interval of a wait with its jitter, and six ways of at most two seconds: those of the
POST's answer, the look and the cancel."""
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
                await asyncio.sleep(chance.uniform(0, 30))
                continue
            if not self.errors or not UNANSWERED.search(self.errors[0]):
                return

    async def _once(self) -> None:
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
            except RemediationError as error:
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


def at_once(records: list[Remediation]) -> timedelta:
    """For how long two of them were active at the same moment, at the most."""
    longest = timedelta(0)
    for one, other in itertools.combinations(records, 2):
        if one.end_time and other.end_time:
            together = min(one.end_time, other.end_time) - max(started_at(one), started_at(other))
            longest = max(longest, together)
    return longest


def truthful(asker: Asker, records: list[Remediation]) -> None:
    """What it was told last is so."""
    assert asker.errors is not None
    by_id = {record.id: record for record in records}
    if asker.errors:
        (error,) = asker.errors
        named = [record for record in records if record.id in error]
        assert named, error
        if "was cancelled before it began" in error or "was taken back" in error:
            assert any(record.state == "CANCELLED" and not record.start_time for record in named), error
            assert any(record.start_time for record in named) or "others came first" in error, error
    elif asker.outputs and asker.declared.get("decision") != "REJECT":
        assert by_id[asker.outputs["remediationId"]].state == asker.outputs["state"] == "SUCCEEDED"


ASKERS = st.fixed_dictionaries(
    {
        "ifActive": st.sampled_from(["FAIL", "FAIL", "ADOPT"]),
        "wait": st.sampled_from([True, True, False]),
        "keeps": st.booleans(),
        "kills": st.lists(st.tuples(st.integers(1, 7), st.booleans()), max_size=2),
    }
)
THE_SAME_EVERY_TIME = settings(
    max_examples=120,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def arrange(
    reading: str, seed: int, askers: list[dict[str, Any]], reviews: list[str], lost: float, **platform: Any
) -> tuple[World, list[Asker]]:
    random.seed(seed)  # jitter and backing off are the same every time, too
    first = World(reading=reading, seed=seed, settings=platform, stack="stack-0")
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


@THE_SAME_EVERY_TIME
@given(
    reading=st.sampled_from(["id", "existing", "conflict", "ignore"]),
    seed=st.integers(0, 10**6),
    askers=st.lists(ASKERS, min_size=2, max_size=3),
    lost=st.sampled_from([0, 0.1]),
    coarse=st.booleans(),
)
def test_whoever_asks_the_node_is_repaired_once(
    reading: str, seed: int, askers: list[dict[str, Any]], lost: float, coarse: bool
):
    world, asking = arrange(reading, seed, askers, [], lost, pending=LONG)
    try:
        chance = random.Random(seed)
        all_at_once(world, [asker.run(chance, coarse=coarse) for asker in asking])
        world.control("DELETE", "/faults")
        world.wait(LONG + 100)
        records = world.records()
        assert len(begun(records)) == 1, [asker.errors for asker in asking]
        assert begun(records)[0].state == "SUCCEEDED"
        for asker in asking:
            truthful(asker, records) if asker.declared["wait"] else None
        if not lost and not any(asker.kills for asker in asking):
            assert at_once(records) <= ONE_LOOK
        assert not [key for key, count in world.effective_posts().items() if count > 1]
    finally:
        for asker in reversed(asking):
            asker.world.close()


@THE_SAME_EVERY_TIME
@given(
    seed=st.integers(0, 10**6),
    askers=st.lists(ASKERS, max_size=1),
    reviews=st.lists(st.sampled_from(["APPROVE", "APPROVE", "REJECT"]), min_size=2, max_size=2),
    lost=st.sampled_from([0, 0.1]),
)
def test_a_proposal_is_decided_once_and_everybody_knows_which_decision_stands(
    seed: int, askers: list[dict[str, Any]], reviews: list[str], lost: float
):
    world, asking = arrange("id", seed, askers, reviews, lost, pending=LONG)
    try:
        chance = random.Random(seed)
        all_at_once(world, [asker.run(chance, coarse=False) for asker in asking])
        effects = [entry["effect"] for entry in world.control("GET", "/requests")]
        assert effects.count("approved") + effects.count("rejected") <= 1
        world.control("DELETE", "/faults")
        world.wait(LONG + 100)
        records = world.records()
        assert len(begun(records)) <= 1, [asker.errors for asker in asking]
        (proposal,) = [record for record in records if record.trigger.name == "AUTOMATED"]
        for asker in asking:
            truthful(asker, records) if asker.declared.get("wait", True) else None
            if asker.review and not asker.errors:
                approving = asker.declared["decision"] == "APPROVE"
                assert proposal.state == ("SUCCEEDED" if approving else "CANCELLED")
        if "rejected" in effects:
            assert proposal not in begun(records)
    finally:
        for asker in reversed(asking):
            asker.world.close()


@pytest.mark.parametrize("seed", range(40))
def test_where_nothing_can_be_cancelled_any_more_both_are_recorded_and_both_are_told(seed: int):
    """An API that moves to RUNNING at once."""
    asked: dict[str, Any] = {"ifActive": "FAIL", "wait": True, "keeps": bool(seed % 2), "kills": []}
    world, asking = arrange("id", seed, [asked, asked], [], 0, pending=0)
    try:
        chance = random.Random(seed)
        all_at_once(world, [asker.run(chance, coarse=False) for asker in asking])
        records = world.records()
        assert {record.state for record in records} == {"SUCCEEDED"}
        for asker in asking:
            truthful(asker, records)
        if len(records) == 2:
            told = [line for asker in asking for line in asker.world.told.lines if line.startswith("warning: ")]
            for one in records:
                assert any("the node is being repaired twice" in line and one.id in line for line in told), told
        else:
            assert sum("is being repaired already" in str(asker.errors) for asker in asking) == 1
    finally:
        for asker in reversed(asking):
            asker.world.close()
