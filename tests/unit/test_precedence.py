"""Which of several active remediations goes on: the same answer, whoever asks."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Active, Rules, precedence
from tests.unit.examples import NOW, started

SECOND = timedelta(seconds=1)


def test_the_earlier_one_goes_on():
    earlier, later = started("z", 2), started("a", 1)
    assert Active([later, earlier]).ahead_on_the_node(later) == earlier
    assert Active([later, earlier]).ahead_on_the_node(earlier) is None


def test_of_two_that_were_started_at_the_same_time_the_smaller_id_goes_on():
    assert Active([started("b", 1), started("a", 1)]).ahead_on_the_node(started("b", 1)) == started("a", 1)


@pytest.mark.parametrize("state", ["QUARANTINING", "QUARANTINED", "RUNNING", "NEW_STATE"])
def test_what_has_begun_comes_before_what_was_started_earlier(state: str):
    pending, begun = started("a", 9), started("b", 1, state)
    assert Active([pending, begun]).ahead_on_the_node(pending) == begun


def test_a_proposal_stands_in_nobodys_way_and_counts_from_its_approval():
    ours, proposal = started("b", 5), started("a", 600, "PENDING_APPROVAL")
    assert Active([ours, proposal]).ahead_on_the_node(ours) is None
    approved = started("a", 600, review_time=NOW - SECOND)
    assert Active([ours, approved]).ahead_on_the_node(ours) is None
    assert Active([ours, approved]).ahead_on_the_node(approved) == ours


def test_what_has_ended_stands_in_nobodys_way():
    ours, ended = started("b", 1), started("a", 9, "SUCCEEDED", end_time=NOW)
    assert Active([ours, ended]).rivals(ours) == []
    assert Active([ours, ended]).ahead_on_the_node(ours) is None


def test_the_rivals_of_one_are_the_others_of_its_node_in_their_order():
    ours, first, last = started("b", 2), started("z", 3), started("a", 1)
    assert Active([last, ours, first, started("c", 9, instance_id="another")]).rivals(ours) == [first, last]


def test_what_has_begun_gives_way_to_nobody():
    later, earlier = started("b", 1, "RUNNING"), started("a", 9, "RUNNING")
    other = started("c", 9, "RUNNING", instance_id="another")
    assert Rules(one_per_node=True, limit=1).loss(later, Active([later, earlier, other])) is None


def test_a_record_without_times_comes_after_those_with_them():
    assert precedence(started("a", 1)) < precedence(started("a", 1, create_time=None))


def test_only_the_same_node_counts_on_a_node_and_all_nodes_in_the_cluster():
    ours, other = started("b", 1), started("a", 2, instance_id="another")
    assert Active([ours, other]).ahead_on_the_node(ours) is None
    assert Active([ours, other]).nodes_ahead(ours) == 1
    again = started("c", 2, instance_id="another")
    assert Active([ours, other, again]).nodes_ahead(ours) == 1, "nodes count, not remediations"
    beside = started("a", 9, "RUNNING")
    assert Active([ours, other, beside]).nodes_ahead(ours) == 1, "our own node takes no slot from ours"


def test_whatever_the_order_of_the_list_everybody_but_one_gives_way():
    chance = random.Random(7)
    for _ in range(500):
        states = ["PENDING", "PENDING", "RUNNING"]
        records = [started(f"{n}", chance.randint(0, 2), chance.choice(states)) for n in range(chance.randint(2, 5))]
        for listed in itertools.islice(itertools.permutations(records), 6):
            going_on = [one for one in records if Active(listed).ahead_on_the_node(one) is None]
            assert going_on == [min(records, key=precedence)]


def cancelled(ended: float, **more: Any) -> Remediation:
    return started("ours", 10, "CANCELLED", end_time=NOW - ended * SECOND, **more)


def withdrawn(ours: Remediation, *others: Remediation, one_per_node: bool = True, limit: int | None = None) -> bool:
    return Rules(one_per_node, limit).was_withdrawn(ours, [ours, *others])


def test_it_was_withdrawn_if_an_earlier_one_was_active_when_it_ended():
    assert withdrawn(cancelled(5), started("a", 11))
    assert withdrawn(cancelled(5), started("a", 11, "SUCCEEDED", end_time=NOW))
    assert not withdrawn(cancelled(5), started("a", 11, "SUCCEEDED", end_time=NOW - 6 * SECOND))
    assert not withdrawn(cancelled(5), started("a", 9))
    assert withdrawn(cancelled(5), started("a", 9, "RUNNING", start_time=NOW - 6 * SECOND))
    assert not withdrawn(cancelled(5), started("a", 9, "RUNNING", start_time=NOW - 4 * SECOND))


def test_what_came_in_the_second_in_which_it_ended_counts_as_there():
    """Some servers give times in whole seconds."""
    assert withdrawn(cancelled(5), started("a", 11, "SUCCEEDED", end_time=NOW - 5 * SECOND))
    assert withdrawn(cancelled(5), started("a", 9, "RUNNING", start_time=NOW - 5 * SECOND))


def test_it_was_not_withdrawn_if_a_person_ended_it_or_it_had_begun():
    assert not withdrawn(cancelled(5))
    assert not withdrawn(cancelled(5, reviewed_by="sam"), started("a", 11))
    assert not withdrawn(cancelled(5, start_time=NOW - 7 * SECOND), started("a", 11))
    assert not withdrawn(cancelled(5), started("a", 600, "PENDING_APPROVAL"))
    assert not withdrawn(started("ours", 10, "FAILED", end_time=NOW - 5 * SECOND), started("a", 11))
    assert not withdrawn(started("ours", 10, "CANCELLED", end_time=None), started("a", 11))
    assert not withdrawn(cancelled(5), started("a", 11), one_per_node=False)


def test_it_was_withdrawn_if_the_cluster_was_full_without_it():
    others = [started("a", 12, instance_id="x"), started("b", 11, instance_id="y")]
    assert withdrawn(cancelled(5), *others, limit=2)
    assert not withdrawn(cancelled(5), *others, limit=3)
    assert not withdrawn(cancelled(5), *others)


def test_a_persons_cancel_in_a_cluster_that_is_full_with_ours_is_no_withdrawal():
    """The rule lets ours run: only those before it count, not those that fill the cluster with it or after it."""
    before, after = started("a", 12, instance_id="x"), started("c", 9, instance_id="z")
    assert not withdrawn(cancelled(5), before, limit=2)
    assert not withdrawn(cancelled(5), before, after, limit=2)
    assert withdrawn(cancelled(5), before, after, limit=1)
