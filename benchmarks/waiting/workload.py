"""The work, the same for every side: a number of remediations of 300 seconds, polled every 5 seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

PENDING = 10.0
"""How long each remediation is PENDING, in simulated seconds."""
RUNNING = 290.0
"""How long each remediation is RUNNING, in simulated seconds."""
LENGTH = PENDING + RUNNING
"""How long each remediation takes, in simulated seconds."""
POLL_INTERVAL = 5.0
"""How long every side pauses between two polls, in simulated seconds."""
MODE = "REMEDIATION_MODE_REBOOT_VM"
API_KEY = "benchmark-key"
MANY = 1000
"""The most remediations that one process is measured with."""
CHANGES = 2
"""How often each remediation changes: PENDING to RUNNING, RUNNING to SUCCEEDED."""
PAGE = 100
"""The most remediations per page that the simulator gives by default."""
LARGER_PAGE = 1000
"""The most remediations per page of a simulator that gives larger pages."""


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
        return 300 + 2 * LENGTH / self.speed

    @property
    def real_poll_interval(self) -> float:
        """The poll interval in real seconds."""
        return POLL_INTERVAL / self.speed

    @property
    def provider_settings(self) -> dict[str, str]:
        """The provider's configuration. The provider counts in real time, so the poll interval shrinks by the clock's
        speed."""
        return {"pollInterval": f"{self.real_poll_interval * 1000:g}ms"}
