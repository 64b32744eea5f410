"""The work, the same for every side: a number of remediations of about 300 seconds, polled every 5 seconds."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from heapq import heapreplace
from math import ceil, log
from random import Random

PENDING = 10.0
"""How long each remediation is PENDING, in simulated seconds."""
MEDIAN = 300.0
"""How long half of the remediations take at most, PENDING and RUNNING, in simulated seconds."""
SPREAD = 0.1
"""The standard deviation of the logarithm of their lengths: 2 in 3 are within a tenth of the median. So the ends have
nothing to do with the polls, as they had if all took the same time, and the longest of 1000 does not take twice as long
as the median, for all of which every side is measured."""
POLL_INTERVAL = 5.0
"""How long every side pauses between two polls at most, in simulated seconds."""
MODE = "REMEDIATION_MODE_REBOOT_VM"
MANY = 1000
"""The most remediations that one process is measured with."""
HALF = MANY // 2
"""The other number from which memory per remediation is taken, as a slope."""
CHANGES = 2
"""How often each remediation changes: PENDING to RUNNING, RUNNING to SUCCEEDED."""
PAGE = 100
"""The most remediations per page that the simulator gives by default."""
LARGER_PAGE = 1000
"""The most remediations per page of a simulator that gives larger pages."""


@cache
def _lengths(count: int) -> tuple[float, ...]:
    randomness = Random(1)
    return tuple(randomness.lognormvariate(log(MEDIAN), SPREAD) for _ in range(count))


@dataclass(frozen=True)
class Workload:
    """Remediations that start at once, one per instance."""

    count: int
    clusters: int
    """The remediations are spread evenly over this many clusters."""
    speed: float
    """Simulated seconds per real second."""
    processes: int = 1
    """The clusters are spread evenly over this many runners, each a separate process."""
    page: int = PAGE
    """The most remediations per page that the server gives, even if the client asks for more."""

    @property
    def instances(self) -> int:
        """Instances per cluster."""
        return ceil(self.count / self.clusters)

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Cluster and instance of each remediation."""
        clusters = [f"cluster-{number % self.clusters + 1}" for number in range(self.count)]
        return [(cluster, f"{cluster}-node-{index // self.clusters + 1}") for index, cluster in enumerate(clusters)]

    @property
    def lengths(self) -> tuple[float, ...]:
        """How long the remediation of each target takes, in simulated seconds: lognormal, and the same every time."""
        return _lengths(self.count)

    @property
    def running(self) -> dict[str, float]:
        """How long the remediation of each instance is RUNNING, in simulated seconds."""
        return {instance: length - PENDING for (_, instance), length in zip(self.targets, self.lengths, strict=True)}

    def ideal(self, at_once: int) -> float:
        """The shortest time in which so many at once get through all of them in their order."""
        ends = [0.0] * min(at_once, self.count)
        for length in self.lengths:
            heapreplace(ends, ends[0] + length)
        return max(ends)

    @property
    def pages(self) -> int:
        """How many pages the lists of what is active have, if each cluster is listed twice per poll interval."""
        pages = 0
        for number in range(self.clusters):
            ends, now = sorted(self.lengths[number :: self.clusters]), 0.0
            while waiting := len(ends) - bisect_right(ends, now):
                pages += ceil(waiting / self.page)
                now += POLL_INTERVAL / 2
        return pages

    @property
    def shares(self) -> list[list[tuple[str, str]]]:
        """The targets of each process."""
        shares: list[list[tuple[str, str]]] = [[] for _ in range(self.processes)]
        for index, target in enumerate(self.targets):
            shares[index % self.clusters % self.processes].append(target)
        return shares

    @property
    def floor(self) -> float:
        """The fewest requests that the work needs: a POST for each remediation, and full pages of changes."""
        return self.count + self.count * CHANGES / self.page

    @property
    def patience(self) -> float:
        """Real seconds after which the benchmark gives up on what has not returned."""
        return 300 + 2 * max(self.lengths) / self.speed

    @property
    def real_poll_interval(self) -> float:
        """The poll interval in real seconds."""
        return POLL_INTERVAL / self.speed

    @property
    def provider_settings(self) -> dict[str, str]:
        """The provider's configuration. The provider counts in real time, so the poll interval shrinks by the clock's
        speed."""
        return {"pollInterval": f"{self.real_poll_interval * 1000:g}ms"}
