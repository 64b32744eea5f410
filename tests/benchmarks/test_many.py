"""The benchmark of many remediations still runs, and its figures add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting.bench import measure, planned
from waiting.figures import Figures
from waiting.targets import targets
from waiting.workload import LENGTH, POLL_INTERVAL, Workload

SPEED = 100.0


@pytest.mark.parametrize("side", ["c", "d"])
def test_a_side_does_the_work_and_is_measured(side: str) -> None:
    found = measure(side, Workload(count=2, clusters=1, speed=SPEED))
    assert found.returned == 2
    assert not found.failures
    assert found.requests == sum(found.requests_by_kind.values())
    assert found.requests_by_kind["POST"] == 2
    assert 0 < found.polling_requests <= 2 * LENGTH / POLL_INTERVAL * 1.2
    # At this speed a real tenth of a second counts as ten.
    assert 0 < found.delay_p50 <= found.delay_p99 < 30 * POLL_INTERVAL
    assert found.beyond_ideal > 0
    assert found.cpu_seconds > 0
    assert found.peak_memory_mib > 10


def test_several_processes_are_measured_together() -> None:
    work = Workload(count=6, clusters=2, speed=SPEED, processes=2, page=1)
    found = measure("d", work)
    assert found.returned == 6
    assert not found.failures
    assert found.requests_by_kind["POST"] == 6
    assert found.floor == 6 + 12
    assert found.peak_memory_mib > 65, "one process alone has some 45"
    assert found.polling_requests > 2 * LENGTH / POLL_INTERVAL, "two clusters, three pages each"


def test_every_side_does_the_same_work_at_the_same_speed() -> None:
    plan = list(planned([1, 1000], [1, 10], [100, 1000], ["a", "b", "c", "d"], None))
    assert [side for side, work in plan if work.count == 1] == ["a", "b", "c", "d"]
    assert [side for side, work in plan if work == Workload(1000, 1, 1.0)] == ["a", "c", "d"]
    assert [side for side, work in plan if work == Workload(1000, 1, 1.0, page=1000)] == ["a", "d"]
    assert len({work for _, work in plan if work.clusters == 10}) == 1


def test_more_than_one_process_is_measured_with_are_done_by_several_with_a_cluster_each() -> None:
    plan = list(planned([10_000], [1, 10], [100, 1000], ["a", "b", "c", "d"], None))
    assert plan == [("d", Workload(10_000, 10, 1.0, 10, page)) for page in (100, 1000)]
    shares = plan[0][1].shares
    assert [len(share) for share in shares] == [1000] * 10
    assert [len({cluster for cluster, _ in share}) for share in shares] == [1] * 10
    assert sorted(target for share in shares for target in share) == sorted(plan[0][1].targets)


def test_a_workload_is_spread_evenly_over_its_clusters() -> None:
    work = Workload(count=25, clusters=10, speed=1)
    assert work.instances == 3
    assert len(set(work.targets)) == 25
    assert work.targets[-1] == ("cluster-5", "cluster-5-node-3")


def test_targets_are_judged_by_the_runs_that_were_made() -> None:
    assert targets([], None) == []
    judged = {target.what: target for target in targets([_run("d", 61_000), _run("c", 61_000)], None)}
    assert judged["d: requests, as a part of c's"].figure == 1
    assert not judged["d: requests, as a part of c's"].met
    assert judged["d: delay p99, in poll intervals"].met
    assert not any("multiple of those at 100" in what for what in judged)


def test_a_fleet_is_judged_by_what_one_process_needs() -> None:
    one, fleet = _run("d", 2000), replace(_run("d", 30_000), count=10_000, clusters=10, processes=10, returned=9_999)
    fleet = replace(fleet, requests_per_remediation=3.0, waiting_cpu_share=0.4)
    judged = {target.what: target for target in targets([one, fleet], None)}
    name = "d, 10000 in 10 processes"
    assert not judged[f"{name}: remediations that never returned"].met
    assert judged[f"{name}: requests per remediation, as a multiple of those at 1000"].figure == 1.5
    assert judged[f"{name}: share of one core while all wait, per process"].figure == pytest.approx(0.04)


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
        highest_requests_per_second=200,
        total=310,
        ideal=LENGTH,
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
