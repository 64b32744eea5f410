"""One node, one repair: independent processes on one platform, whose steps interleave at every request.

Answers are lost, and processes are killed and started again.
"""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import started_at
from tests.model.asking import LONG, Asker, all_at_once, arrange, begun

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")

ONE_LOOK = timedelta(seconds=20 * 0.2 * 1.1 + 6 * 2)
"""The time of one look: the first interval of a wait with its jitter, and six ways of at most two seconds: those of the
POST's answer, the look and the cancel."""


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
        named = [record for record in records if record.id in error.lower()]
        assert named, error
        if "was cancelled before it began" in error or "was withdrawn before it began" in error:
            assert any(record.state == "CANCELLED" and not record.start_time for record in named), error
            assert any(record.start_time for record in named) or "others came first" in error, error
    elif asker.outputs and asker.declared.get("decision") != "REJECT":
        assert by_id[asker.outputs["remediationId"].lower()].state == asker.outputs["state"] == "SUCCEEDED"


ASKERS = st.fixed_dictionaries(
    {
        "ifActive": st.sampled_from(["FAIL", "FAIL", "ADOPT"]),
        "wait": st.sampled_from([True, True, False]),
        "keeps": st.booleans(),
        "kills": st.lists(st.tuples(st.integers(1, 7), st.booleans()), max_size=2),
    }
)
DIALECTS = st.none() | st.integers(0, 999)
"""Of the API; see `World`."""
THE_SAME_EVERY_TIME = settings(
    max_examples=120,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.slow
@THE_SAME_EVERY_TIME
@given(
    reading=st.sampled_from(["id", "existing", "conflict", "ignore", "refuse"]),
    seed=st.integers(0, 10**6),
    askers=st.lists(ASKERS, min_size=2, max_size=3),
    lost=st.sampled_from([0, 0.1]),
    coarse=st.booleans(),
    dialect=DIALECTS,
)
def test_whoever_asks_the_node_is_repaired_once(
    reading: str, seed: int, askers: list[dict[str, Any]], lost: float, coarse: bool, dialect: int | None
):
    world, asking = arrange(reading, seed, askers, [], lost, dialect, pending=LONG)
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
            assert at_once(records) <= ONE_LOOK + timedelta(seconds=world.lag)
        assert not [key for key, count in world.effective_posts().items() if count > 1]
    finally:
        for asker in reversed(asking):
            asker.world.close()


@pytest.mark.slow
@THE_SAME_EVERY_TIME
@given(
    reading=st.sampled_from(["id", "existing", "conflict", "ignore", "refuse"]),
    seed=st.integers(0, 10**6),
    runners=st.lists(ASKERS, min_size=2, max_size=3),
    keeps=st.booleans(),
    lost=st.sampled_from([0, 0.1]),
    dialect=DIALECTS,
)
def test_runners_of_one_stack_without_a_lock_end_with_the_same_remediation(
    reading: str, seed: int, runners: list[dict[str, Any]], keeps: bool, lost: float, dialect: int | None
):
    """`pulumi cancel` takes the lock from a runner, but does not stop it."""
    same = {"ifActive": "FAIL", "wait": True, "keeps": keeps}
    world, asking = arrange(reading, seed, [runner | same for runner in runners], [], lost, dialect, pending=LONG)
    try:
        for asker in asking:
            asker.world.name = "prod"
        chance = random.Random(seed)
        all_at_once(world, [asker.run(chance, coarse=False) for asker in asking])
        (ran,) = begun(world.records())
        for asker in asking:
            assert asker.errors == []
            assert asker.outputs is not None
            assert (asker.outputs["remediationId"].lower(), asker.outputs["state"]) == (ran.id, "SUCCEEDED")
    finally:
        for asker in reversed(asking):
            asker.world.close()


@pytest.mark.slow
@THE_SAME_EVERY_TIME
@given(
    seed=st.integers(0, 10**6),
    askers=st.lists(ASKERS, max_size=1),
    reviews=st.lists(st.sampled_from(["APPROVE", "APPROVE", "REJECT"]), min_size=2, max_size=2),
    lost=st.sampled_from([0, 0.1]),
    dialect=DIALECTS,
)
def test_a_proposal_is_decided_once_and_everybody_knows_which_decision_stands(
    seed: int, askers: list[dict[str, Any]], reviews: list[str], lost: float, dialect: int | None
):
    world, asking = arrange("id", seed, askers, reviews, lost, dialect, pending=LONG)
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
