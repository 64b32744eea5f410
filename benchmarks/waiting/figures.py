"""The figures of one side's work, all in simulated time: as they would be at real speed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from waiting.meter import Meter, Sample
from waiting.outcome import ENGINE, SIDE, SIMULATOR, Outcome
from waiting.platform import Platform, Remediation
from waiting.workload import POLL_INTERVAL, Workload


@dataclass(frozen=True)
class Figures:
    """One side, one workload, one run."""

    side: str
    count: int
    clusters: int
    processes: int
    """How many runners shared the clusters. CPU time and memory are those of all runners together."""
    page: int
    """The most remediations per page that the server gave."""
    speed: float
    """Simulated seconds per real second."""
    returned: int
    """How many remediations the side reported as ended."""
    failures: list[str]
    requests: int
    floor: float
    """The fewest requests that the work needs."""
    requests_by_kind: dict[str, int]
    requests_per_remediation: float
    polling_requests: int
    """Polls of a whole cluster, and requests for one remediation beyond the one that each needs."""
    pages: int
    """How many pages the lists of what is active have, if each cluster is listed twice per poll interval."""
    highest_requests_per_second: int
    """The most requests in one second of simulated time."""
    total: float
    """From the start to the last return, or until the benchmark gave up on the rest."""
    ideal: float
    """The shortest possible total: the length of the longest remediation, or of the longest queue of them."""
    beyond_ideal: float
    until_last_post: float
    """The part of `beyond_ideal` (without a queue) that passed before the last remediation was started."""
    delay_p50: float
    """From the end of a remediation to its return."""
    delay_p99: float
    cpu_seconds: float
    """The real CPU seconds of the side's own processes."""
    engine_cpu_seconds: float
    """The real CPU seconds of Pulumi and its language host."""
    waiting_cpu_share: float | None
    """CPU seconds per simulated second while all wait: the share of one core at real speed. None if the first ended
    before the last was started."""
    peak_memory_mib: float
    waiting_memory_mib: float | None
    """By how much the memory was above that before the first request, at most, while all wait."""
    memory_per_waiting_kib: float | None
    simulator_share: float
    """The share of one core that the simulator took in its busiest real second. Near 1, the simulator was the limit."""


def figures(side: str, workload: Workload, at_once: int, outcome: Outcome, api: Platform, meter: Meter) -> Figures:
    """The figures. `at_once` is how many remediations the side can have under way at once."""
    requests, remediations = api.requests(), api.remediations()
    samples = [_simulated(api, sample) for sample in meter.of(SIDE, workload.processes)]
    kinds = Counter(request.kind for request in requests)
    posts = [request.time for request in requests if request.kind == "POST"]
    ends = {item.instance: item.ended for item in remediations if item.ended is not None}
    started = api.simulated(outcome.started)
    returns = {instance: api.simulated(time) for instance, time in outcome.returned.items()}
    delays = sorted(time - ends[instance] for instance, time in returns.items() if instance in ends)
    last = api.simulated(outcome.given_up) if outcome.given_up else max(returns.values(), default=started)
    total = last - started
    ideal = workload.ideal(at_once)
    waiting = _while_all_wait(posts, remediations, samples)
    before = _last_before(requests[0].time, samples) if requests else samples[0]
    added = (max(sample.memory for sample in waiting) - before.memory) / 2**20 if waiting else None
    return Figures(
        side=side,
        count=workload.count,
        clusters=workload.clusters,
        processes=workload.processes,
        page=workload.page,
        speed=workload.speed,
        returned=len(returns),
        failures=outcome.failures[:3],
        requests=len(requests),
        floor=workload.floor,
        requests_by_kind=dict(kinds),
        requests_per_remediation=len(requests) / workload.count,
        polling_requests=kinds["poll of a cluster"] + max(0, kinds["GET"] - workload.count),
        pages=workload.pages,
        highest_requests_per_second=_highest_rate([request.time for request in requests]),
        total=total,
        ideal=ideal,
        beyond_ideal=total - ideal,
        until_last_post=max(posts, default=started) - started,
        delay_p50=_quantile(delays, 0.5),
        delay_p99=_quantile(delays, 0.99),
        cpu_seconds=meter.cpu(SIDE),
        engine_cpu_seconds=meter.cpu(ENGINE),
        waiting_cpu_share=(waiting[-1].cpu - waiting[0].cpu) / (waiting[-1].time - waiting[0].time)
        if len(waiting) > 1
        else None,
        peak_memory_mib=max(sample.memory for sample in samples) / 2**20,
        waiting_memory_mib=added,
        memory_per_waiting_kib=added * 1024 / workload.count if added is not None else None,
        simulator_share=_highest_share(meter.of(SIMULATOR)),
    )


def in_poll_intervals(delay: float) -> float:
    """A delay in simulated seconds as a number of poll intervals."""
    return delay / POLL_INTERVAL


def _simulated(api: Platform, sample: Sample) -> Sample:
    return Sample(api.simulated(sample.time), sample.cpu, sample.memory)


def _while_all_wait(
    posts: Sequence[float], remediations: Sequence[Remediation], samples: Sequence[Sample]
) -> Sequence[Sample]:
    """The samples between the last POST and the first end, without the first poll interval, in which the side still
    processes the last answers."""
    first_end = min((item.ended for item in remediations if item.ended is not None), default=0.0)
    return [sample for sample in samples if max(posts) + POLL_INTERVAL <= sample.time <= first_end]


def _last_before(time: float, samples: Sequence[Sample]) -> Sample:
    return max(
        (sample for sample in samples if sample.time <= time), key=lambda sample: sample.time, default=samples[0]
    )


def _highest_rate(times: Sequence[float]) -> int:
    """The most `times` within one second that begins at any of them. `times` ascend."""
    return max((bisect_left(times, time + 1) - bisect_right(times, time) + 1 for time in times), default=0)


def _highest_share(samples: Sequence[Sample]) -> float:
    """The largest share of one core that was used over about one real second."""
    times = [sample.time for sample in samples]
    pairs = (
        (sample, samples[bisect_left(times, sample.time + 1)]) for sample in samples if sample.time + 1 <= times[-1]
    )
    return max(((late.cpu - early.cpu) / (late.time - early.time) for early, late in pairs), default=0.0)


def _quantile(ascending: Sequence[float], part: float) -> float:
    """The least value that `part` of them do not exceed: of 100, p99 is the longest but one."""
    return ascending[ceil(part * len(ascending)) - 1] if ascending else float("nan")
