"""The explorer of all orders: a slice of what `make explore` executes, and whether it finds what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from tests.model.explore import again, explore, table
from tests.model.orders import Given, Move, NotDeterministic, Redundant, Search, Touch
from tests.model.pair import ASKING, READINGS, Pair, Process


@pytest.mark.slow
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("reading", READINGS)
def test_in_every_order_the_node_is_repaired_once_and_everybody_is_told_so(asking: str, reading: str):
    assert not explore((asking, reading, "none")).bad


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["request-lost", "killed"])
@pytest.mark.parametrize(("asking", "reading"), [("two stacks", "ignore"), ("one stack twice", "conflict")])
def test_the_same_in_every_order_with_a_fault_at_any_write(asking: str, reading: str, fault: str):
    explored = explore((asking, reading, fault))
    assert explored.schedules > 3
    assert not explored.bad


# --- it finds what is wrong ---


def bent(answer: httpx.Response, records: Iterable[dict[str, Any]]) -> httpx.Response:
    """The same list with other remediations in it."""
    return httpx.Response(200, json=answer.json() | {"remediations": list(records)})


def is_list(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.endswith("/remediations")


class WithoutTheLookAfterThePost(Pair):
    """After its POST a process sees its own remediations alone."""

    def answered(self, process: Process, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not is_list(request) or not process.run.started:
            return answer
        records = answer.json()["remediations"]
        return bent(answer, (one for one in records if f"training/{process.stack.name} " in one["reason"]))


class WithoutTheLookBeforeThePost(Pair):
    """Before its POST a process sees nothing."""

    def answered(self, process: Process, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return answer if not is_list(request) or process.run.started else bent(answer, ())


class TooSure(Pair):
    """A process takes what is PENDING for done."""

    def answered(self, process: Process, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        done = f'"state": "SUCCEEDED", "end_time": "{process.stack.app.platform.now.isoformat()}"'
        return httpx.Response(200, text=json.dumps(answer.json()).replace('"state": "PENDING"', done))


def test_without_the_look_after_the_post_it_finds_that_the_node_is_repaired_twice():
    explored = explore(("two stacks", "id", "none"), pair=WithoutTheLookAfterThePost)
    problem, outcome = explored.shortest["duplicate"]
    assert problem == "2 remediations began"
    assert [step.split(" /")[0] for step in outcome.story if "POST" in step] == [
        "A is answered: POST",
        "B is answered: POST",
    ]
    again_the_same = WithoutTheLookAfterThePost(*explored.part, Given(outcome.order)).play()
    assert again_the_same.story == outcome.story
    assert again_the_same.problems == outcome.problems
    assert f'--again "{" ".join(outcome.order)}"' in again(explored.part, outcome)
    assert f"{explored.schedules}: {explored.found['duplicate']}/" in table([explored])


def test_without_the_look_before_the_post_it_finds_that_a_killed_run_posts_twice():
    explored = explore(("two stacks", "ignore", "killed"), limit=20, pair=WithoutTheLookBeforeThePost)
    assert "2 POSTs took effect" in explored.shortest["duplicate"][0]


def test_it_finds_that_success_is_told_where_there_is_none():
    explored = explore(("two stacks", "id", "none"), pair=TooSure)
    assert "success, and its remediation" in explored.shortest["wrong words"][0]


# --- which orders it tries ---


def orders(programs: dict[str, str], *, reduced: bool) -> list[dict[str, str]]:
    """What each actor has seen at the end of each order. A program is a row of `r`, `w` (reads and writes of one thing)
    and `-` (of nothing)."""
    ends, search = list[dict[str, str]](), Search(reduced=reduced)
    touches = {"r": Touch.READS, "w": Touch.WRITES, "-": Touch.NOTHING}
    for _ in search.runs():
        thing, seen, left = "", dict.fromkeys(programs, ""), {who: list(steps) for who, steps in programs.items()}
        try:
            while moves := [Move(who, f"{len(steps)}", touches[steps[0]]) for who, steps in left.items() if steps]:
                who = search.choose(moves).who
                match left[who].pop(0):
                    case "w":
                        thing += who
                    case "r":
                        seen[who] += f"({thing})"
                    case _:
                        pass
        except Redundant:
            continue
        ends.append(seen | {"thing": thing})
    return ends


@pytest.mark.parametrize(
    "programs",
    [
        {"A": "rwr", "B": "rwr"},
        {"A": "rrrw", "B": "rrrw"},
        {"A": "r-w-r", "B": "w--r"},
        {"A": "rwr", "B": "wr", "C": "rw"},
    ],
)
def test_it_leaves_out_no_order_that_makes_a_difference(programs: dict[str, str]):
    all_orders, tried = orders(programs, reduced=False), orders(programs, reduced=True)
    assert len(tried) < len(all_orders)
    assert {str(end) for end in tried} == {str(end) for end in all_orders}


def test_reads_are_tried_in_one_order_only():
    assert len(orders({"A": "rrrr", "B": "rrrr"}, reduced=True)) == 1


def test_writes_of_different_things_are_tried_in_one_order_only():
    one, other = Move("A", "cancel", Touch.WRITES, about="1"), Move("B", "cancel", Touch.WRITES, about="2")
    assert one.commutes(other)
    assert not one.commutes(Move("B", "list", Touch.READS))


@pytest.mark.slow
def test_with_real_processes_too_it_leaves_out_no_order_that_makes_a_difference():
    def ends(*, reduced: bool) -> list[str]:
        found, search = list[str](), Search(reduced=reduced)
        for _ in search.runs():
            pair = Pair("two stacks", "ignore", "none", search)
            try:
                outcome = pair.play()
            except Redundant:
                continue
            by_process = {who: [step for step in outcome.story if step.startswith(who)] for who in "AB"}
            found.append(f"{by_process} {[(record.reason, record.state) for record in pair.records()]}")
        return found

    all_orders, tried = ends(reduced=False), ends(reduced=True)
    assert len(tried) < len(all_orders) / 2
    assert set(tried) == set(all_orders)


def test_it_does_not_go_on_where_the_same_choices_lead_elsewhere():
    search = Search(reduced=False)
    runs, other = search.runs(), Move("B", "post", Touch.WRITES)
    next(runs)
    search.choose([Move("A", "post", Touch.WRITES), other])
    next(runs)
    with pytest.raises(NotDeterministic):
        search.choose([Move("A", "cancel", Touch.WRITES), other])


@pytest.mark.slow
def test_the_same_in_every_order_where_reads_lag():
    assert not explore(("two stacks", "id", "lag-3"), limit=20).bad
