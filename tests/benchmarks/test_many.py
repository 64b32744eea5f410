"""The benchmark of many remediations still runs, and its figures add up."""

from __future__ import annotations

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


def test_every_side_does_the_same_work_at_the_same_speed() -> None:
    plan = list(planned([1, 1000], [1, 10], ["a", "b", "c", "d"], None))
    assert [side for side, work in plan if work.count == 1] == ["a", "b", "c", "d"]
    assert [side for side, work in plan if work == Workload(1000, 1, 1.0)] == ["a", "c", "d"]
    assert len({work for _, work in plan if work.clusters == 10}) == 1


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


def _run(side: str, requests: int) -> Figures:
    return Figures(
        side=side,
        count=1000,
        clusters=1,
        speed=1,
        returned=1000,
        failures=[],
        requests=requests,
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
