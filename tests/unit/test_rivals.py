"""What a wait does about the others that are active: when there is something to judge, and what its user is told."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Active, Loss, Rules
from pulumi_resource_togetherai.clusters.rivals import Contest
from tests.model.world import Telling
from tests.unit.examples import started

EITHER, ALONE = Rules(one_per_node=False, limit=None), Rules(one_per_node=True, limit=None)


OURS = started("ours", 5)
FIRST, LATER, BEGUN = started("first", 9), started("later", 1), started("begun", 1, "RUNNING")
ELSEWHERE = started("elsewhere", 9, instance_id="another")


async def test_a_rival_is_news_once():
    told = Telling()
    contest = Contest(told, ALONE)
    for rivals in ([LATER], [LATER, started("latest", 0)]):
        active = Active([OURS, *rivals])
        assert contest.has_changed(OURS, active)
        assert await contest.evaluate(OURS, active) is None
        assert not contest.has_changed(OURS, active)
    assert len(told.lines) == 2


async def test_nobody_beside_it_is_no_news():
    contest = Contest(Telling(), ALONE)
    assert not contest.has_changed(OURS, Active([OURS]))
    assert await contest.evaluate(OURS, Active([OURS])) is None


async def test_one_that_came_first_is_a_loss_of_which_nobody_is_warned():
    told = Telling()
    contest, active = Contest(told, ALONE), Active([OURS, FIRST])
    for _ in range(2):
        assert contest.has_changed(OURS, active)
        loss = await contest.evaluate(OURS, active)
        assert loss == Loss(FIRST, 0)
    assert told.lines == []


async def test_what_can_no_longer_be_withdrawn_goes_on_and_says_so():
    told = Telling()
    contest, active = Contest(told, ALONE, can_withdraw=False), Active([OURS, FIRST])
    assert contest.has_changed(OURS, active)
    assert await contest.evaluate(OURS, active) is None
    assert not contest.has_changed(OURS, active)
    assert len(told.lines) == 1


@pytest.mark.parametrize(
    ("rival", "words"),
    [(LATER, "came first"), (BEGUN, "is being repaired twice"), (FIRST, "is being repaired twice")],
    ids=["a later one", "one that has begun", "an earlier one"],
)
async def test_a_rival_is_named_with_what_it_means(rival: Remediation, words: str):
    told = Telling()
    contest = Contest(told, ALONE, can_withdraw=False)
    await contest.evaluate(OURS, Active([OURS, rival]))
    (line,) = told.lines
    assert words in line
    assert rival.id in line


async def test_two_that_have_begun_are_a_node_that_is_repaired_twice_whichever_came_first():
    told = Telling()
    await Contest(told, ALONE).evaluate(started("ours", 5, "RUNNING"), Active([started("ours", 5, "RUNNING"), BEGUN]))
    assert "came first" not in told.lines[0]


async def test_of_two_with_one_place_neither_is_said_to_have_come_first():
    told = Telling()
    await Contest(told, ALONE, can_withdraw=False).evaluate(OURS, Active([OURS, started("aaa", 5)]))
    assert "came first" not in told.lines[0]


async def test_where_two_may_run_a_rival_is_no_news_and_nobody_is_warned():
    told = Telling()
    contest, active = Contest(told, EITHER), Active([OURS, FIRST, BEGUN])
    assert not contest.has_changed(OURS, active)
    assert await contest.evaluate(OURS, active) is None
    assert told.lines == []


@pytest.mark.parametrize("beside", [[], [LATER], [BEGUN]], ids=["alone", "with a later one", "with one that has begun"])
async def test_a_cluster_that_is_full_is_news_whoever_else_is_on_the_node(beside: list[Remediation]):
    contest = Contest(Telling(), Rules(one_per_node=False, limit=1))
    active = Active([OURS, ELSEWHERE, *beside])
    assert contest.has_changed(OURS, active)
    loss = await contest.evaluate(OURS, active)
    assert loss == Loss(None, 1)
