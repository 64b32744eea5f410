"""When the fleet example starts the next node, and when it starts none any more."""

from __future__ import annotations

from collections import Counter
from threading import Lock, Thread

import pytest
from slots import Limits, Slots, failures_allowed


class Waiter(Thread):
    """Somebody who asks for a slot, and perhaps has to wait for it."""

    def __init__(self, slots: Slots, cluster: str, name: str) -> None:
        super().__init__(daemon=True)
        self.got: bool | None = None
        self._ask = lambda: slots.take(cluster, name)
        self.start()

    def run(self) -> None:
        self.got = self._ask()

    def answer(self) -> bool | None:
        """The answer; None if there is none yet."""
        self.join(0.05 if self.got is None else 5)
        return self.got

    def answered(self) -> bool:
        """The answer, which has to come."""
        self.join(5)
        assert self.got is not None
        return self.got


def slots(fleet: int = 3, cluster: int = 2, failures: int = 0) -> Slots:
    return Slots(Limits(fleet, cluster, failures))


def test_a_cluster_waits_when_it_has_its_share_though_the_fleet_has_room():
    all_of = slots()
    assert all_of.take("a", "1")
    assert all_of.take("a", "2")
    third = Waiter(all_of, "a", "3")
    assert third.answer() is None
    assert all_of.take("b", "1")
    all_of.ended("a", "1", failed=False)
    assert third.answered()


def test_a_cluster_waits_when_the_fleet_is_full_though_it_has_room_itself():
    all_of = slots()
    for cluster, name in (("a", "1"), ("a", "2"), ("b", "1")):
        assert all_of.take(cluster, name)
    second = Waiter(all_of, "b", "2")
    assert second.answer() is None
    all_of.ended("a", "2", failed=False)
    assert second.answered()


def test_what_is_under_repair_already_takes_slots_beyond_the_limit():
    all_of = slots()
    for number in range(4):
        all_of.occupy("a", str(number))
    first = Waiter(all_of, "b", "1")
    all_of.ended("a", "0", failed=False)
    assert first.answer() is None
    all_of.ended("a", "1", failed=False)
    assert first.answered()


def test_one_failure_more_than_allowed_halts_and_those_who_wait_go_home():
    all_of = slots(failures=1)
    for name in ("1", "2"):
        assert all_of.take("a", name)
    third = Waiter(all_of, "a", "3")
    all_of.ended("a", "1", failed=True)
    assert third.answered()
    assert not all_of.halted
    fourth = Waiter(all_of, "a", "4")
    all_of.ended("a", "2", failed=True)
    assert all_of.halted
    assert not fourth.answered()
    assert not all_of.take("b", "1")


def test_failures_of_earlier_calls_count():
    assert Slots(Limits(3, 2, 1), failures=2).halted
    assert not Slots(Limits(3, 2, 2), failures=2).halted


def test_an_end_counts_once_and_only_for_who_had_a_slot():
    all_of = slots(failures=1)
    assert all_of.take("a", "1")
    for _ in range(3):
        all_of.ended("a", "1", failed=True)
    all_of.ended("a", "never began", failed=True)
    assert all_of.failures == 1


def test_stopping_sends_everybody_home():
    all_of = slots(fleet=1)
    assert all_of.take("a", "1")
    waiting = [Waiter(all_of, cluster, "2") for cluster in ("a", "b")]
    all_of.stop()
    assert [one.answered() for one in waiting] == [False, False]


def test_a_cluster_whose_run_is_over_gives_its_slots_to_others():
    all_of = slots(fleet=2)
    for name in ("1", "2"):
        assert all_of.take("a", name)
    other = Waiter(all_of, "b", "1")
    own = Waiter(all_of, "a", "3")
    all_of.close("a")
    assert other.answered()
    assert not own.answered()
    assert not all_of.halted


@pytest.mark.parametrize(
    ("percent", "nodes", "allowed"),
    [(0, 1000, 0), (10, 6, 0), (10, 10, 1), (10, 19, 1), (5, 1000, 50), (100, 7, 7), (0.1, 1000, 1)],
)
def test_a_share_is_rounded_down_to_whole_nodes(percent: float, nodes: int, allowed: int):
    assert failures_allowed(percent, nodes) == allowed


@pytest.mark.parametrize(("fleet", "cluster"), [(1, 1), (3, 2), (5, 1), (4, 9)])
def test_however_they_come_and_go_no_limit_is_exceeded_and_everybody_has_a_turn(fleet: int, cluster: int):
    all_of, names = slots(fleet, cluster), [str(number) for number in range(30)]
    active, most, done = Counter[str](), Counter[str](), Counter[str]()
    changing = Lock()

    def change(of: str, by: int) -> None:
        with changing:
            for counted in (of, "all"):
                active[counted] += by
                most[counted] = max(most[counted], active[counted])

    def repair(of: str) -> None:
        for name in names:
            assert all_of.take(of, name)
            change(of, 1)
            Thread(target=end, args=(of, name)).start()

    def end(of: str, name: str) -> None:
        change(of, -1)  # first: a slot that is given back may be taken at once
        done[of] += 1
        all_of.ended(of, name, failed=False)

    clusters = [Thread(target=repair, args=(of,)) for of in ("a", "b", "c")]
    for thread in clusters:
        thread.start()
    for thread in clusters:
        thread.join(20)
    assert done.total() >= 3 * len(names) - fleet
    assert most["all"] <= fleet
    assert max(most["a"], most["b"], most["c"]) <= cluster
