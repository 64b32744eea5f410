"""The benchmark of many remediations still runs, and its figures add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting.bench import measure, planned
from waiting.figures import Figures
from waiting.sides import DYNAMIC, LOOP, PLUGIN, UP
from waiting.targets import targets
from waiting.workload import HALF, MEDIAN, POLL_INTERVAL, Workload

SPEED = 100.0
ALL = [UP, DYNAMIC, LOOP, PLUGIN]


@pytest.mark.parametrize("side", [LOOP, PLUGIN])
def test_a_side_does_the_work_and_is_measured(side: str) -> None:
    found = measure(side, Workload(count=2, clusters=1, speed=SPEED))
    assert found.returned == 2
    assert not found.failures
    assert found.requests == sum(found.requests_by_kind.values())
    assert found.requests_by_kind["POST"] == 2
    assert 0 < found.polling_requests <= 2 * MEDIAN / POLL_INTERVAL * 1.3
    # At this speed a real tenth of a second counts as ten.
    assert 0 < found.delay_p50 <= found.delay_p99 < 30 * POLL_INTERVAL
    assert found.beyond_ideal > 0
    assert found.cpu_seconds > 0
    assert found.peak_memory_mib > 10


def test_several_processes_are_measured_together() -> None:
    work = Workload(count=6, clusters=2, speed=SPEED, processes=2, page=1)
    found = measure(PLUGIN, work)
    assert found.returned == 6
    assert not found.failures
    assert found.requests_by_kind["POST"] == 6
    assert found.floor == 6 + 12
    assert found.peak_memory_mib > 65, "one process alone has some 45"
    assert found.polling_requests > 2 * MEDIAN / POLL_INTERVAL, "two clusters, three pages each"


def test_every_side_does_the_same_work_at_the_same_speed() -> None:
    plan = list(planned([1, HALF, 1000], [1, 10], [100, 1000], ALL, None))
    assert [side for side, work in plan if work.count == 1] == ALL
    assert [(side, work.clusters, work.page) for side, work in plan if work.count == HALF] == [(PLUGIN, 1, 100)]
    one = [(side, work) for side, work in plan if work.count == 1000 and work.clusters == 1]
    assert [side for side, work in one if work.page == 100] == [UP, LOOP, PLUGIN]
    assert [side for side, work in one if work.page == 1000] == [PLUGIN]
    assert len({work.speed for _, work in one}) == 1


def test_only_the_sides_and_numbers_that_are_asked_for_are_run() -> None:
    plan = planned([100, 1000], [1], [100], [UP, LOOP, PLUGIN], None)
    assert [(side, work.count) for side, work in plan] == [
        (side, n) for n in (100, 1000) for side in (UP, LOOP, PLUGIN)
    ]


def test_ten_thousand_are_shared_by_ten_processes_with_a_cluster_each() -> None:
    plan = list(planned([10_000], [1, 10], [100, 1000], ALL, None))
    assert plan == [(PLUGIN, Workload(10_000, 10, 1.0, 10))]
    shares = plan[0][1].shares
    assert [len(share) for share in shares] == [1000] * 10
    assert [len({cluster for cluster, _ in share}) for share in shares] == [1] * 10
    assert sorted(target for share in shares for target in share) == sorted(plan[0][1].targets)


def test_the_remediations_of_every_run_take_as_long_and_end_apart_from_the_polls() -> None:
    work = Workload(1000, 1, 1.0)
    assert Workload(1000, 10, 3.0).lengths == work.lengths
    assert work.lengths[:100] == Workload(100, 1, 1.0).lengths
    assert sorted(work.lengths)[500] == pytest.approx(MEDIAN, rel=0.02)
    within_a_poll = sorted(length % POLL_INTERVAL for length in work.lengths)
    for part in (0.25, 0.5, 0.75):
        assert within_a_poll[int(1000 * part)] == pytest.approx(part * POLL_INTERVAL, abs=0.3)


def test_the_shortest_time_is_that_of_the_longest_or_of_the_queue() -> None:
    work = Workload(10, 1, 1.0)
    assert work.ideal(10) == work.ideal(1000) == max(work.lengths)
    assert work.ideal(1) == pytest.approx(sum(work.lengths))
    assert work.ideal(2) < 0.6 * sum(work.lengths)


def test_the_pages_of_what_is_active_become_fewer_as_they_end() -> None:
    one, many = Workload(1, 1, 1.0), Workload(1000, 1, 1.0)
    assert one.pages == 1 + int(one.lengths[0] / (POLL_INTERVAL / 2))
    assert 0.8 * 10 * MEDIAN / (POLL_INTERVAL / 2) < many.pages < 1.2 * 10 * MEDIAN / (POLL_INTERVAL / 2)
    assert Workload(1000, 1, 1.0, page=1000).pages < many.pages / 5


def test_a_workload_is_spread_evenly_over_its_clusters() -> None:
    work = Workload(count=25, clusters=10, speed=1)
    assert work.instances == 3
    assert len(set(work.targets)) == 25
    assert work.targets[-1] == ("cluster-5", "cluster-5-node-3")


def test_targets_are_judged_by_the_runs_that_were_made() -> None:
    assert targets([], None) == []
    judged = {target.what: target for target in targets([_run(PLUGIN, 61_000), _run(LOOP, 61_000)], None)}
    assert judged["plugin, 1000: requests, as a part of the loop's"].figure == 1
    assert not judged["plugin, 1000: requests, as a part of the loop's"].met
    assert judged["plugin, 1000: delay p99, in poll intervals"].met
    assert not any("for each wait more" in what for what in judged)


@pytest.mark.parametrize("count", [100, 1000])
@pytest.mark.parametrize("side", [UP, PLUGIN])
def test_what_is_slower_than_the_loop_of_the_same_run_misses_its_target(side: str, count: int) -> None:
    loop = replace(_run(LOOP, 61_000), count=count, delay_p99=5.0)
    for p99, met in ((4.9, True), (5.1, False)):
        own = replace(_run(side, 2000), count=count, delay_p99=p99)
        judged = {target.what: target.met for target in targets([own, loop], None)}
        assert judged[f"{side}, {count}: delay p99, as a part of the loop's"] is met


def test_memory_is_judged_by_what_one_wait_more_takes() -> None:
    half = replace(_run(PLUGIN, 1000), count=HALF, waiting_memory_mib=30.0)
    many = replace(_run(PLUGIN, 2000), waiting_memory_mib=30.0 + 500 * 40 / 1024)
    judged = {target.what: target for target in targets([half, many], None)}
    found = judged["plugin: KiB of memory for each wait more, from 500 to 1000"]
    assert found.figure == pytest.approx(40)
    assert not found.met


def test_a_fleet_is_judged_by_what_one_process_needs() -> None:
    one = _run(PLUGIN, 2000)
    fleet = replace(_run(PLUGIN, 30_000), count=10_000, clusters=10, processes=10, returned=9_999)
    fleet = replace(fleet, requests_per_remediation=3.0, waiting_cpu_share=0.4)
    loop = replace(_run(LOOP, 61_000), waiting_cpu_share=0.2)
    judged = {target.what: target for target in targets([one, fleet, loop], None)}
    name = "plugin, 10000 in 10 processes"
    assert not judged[f"{name}: remediations that never returned"].met
    assert judged[f"{name}: requests per remediation, as a multiple of those at 1000"].figure == 1.5
    assert judged[f"{name}: CPU time while all wait, per process, as a part of the loop's"].figure == pytest.approx(0.2)


def _run(side: str, requests: int) -> Figures:
    return Figures(
        side=side,
        count=1000,
        clusters=1,
        processes=1,
        page=100,
        speed=1,
        returned=1000,
        failures=[],
        requests=requests,
        floor=1020,
        requests_by_kind={"POST": 1000, "GET": requests - 1000},
        requests_per_remediation=requests / 1000,
        polling_requests=requests - 1000,
        pages=1200,
        highest_requests_per_second=200,
        total=310,
        ideal=MEDIAN,
        beyond_ideal=10,
        until_last_post=5,
        delay_p50=2,
        delay_p99=5,
        cpu_seconds=100,
        engine_cpu_seconds=0,
        waiting_cpu_share=0.04,
        peak_memory_mib=100,
        waiting_memory_mib=50,
        memory_per_waiting_kib=51.2,
        simulator_share=0.2,
    )
