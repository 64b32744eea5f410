"""The work, the same for every side: so many remediations of 300 seconds, looked at every 5 seconds."""

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
"""How long every side pauses between two looks, in simulated seconds."""
MODE = "REMEDIATION_MODE_REBOOT_VM"
API_KEY = "benchmark-key"
MANY = 1000
"""The most that one process is measured with."""
CHANGES = 2
"""How often each remediation changes: PENDING to RUNNING, RUNNING to SUCCEEDED."""
PAGE = 100
"""The most remediations per page that the simulator gives out of the box."""
LARGER_PAGE = 1000
"""The most that it gives where larger pages are to be had."""


@dataclass(frozen=True)
class Workload:
    """Remediations to be started at once, one per instance."""

    count: int
    clusters: int
    """The remediations are spread evenly over so many."""
    speed: float
    """Simulated seconds per real second."""
    processes: int = 1
    """The clusters are spread evenly over so many runners, each a process of its own."""
    page: int = PAGE
    """The most remediations per page that the server gives; it answers with so many when asked for more."""

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
        """The requests that cannot be done without: each remediation's POST, and pages full of changes."""
        return self.count + self.count * CHANGES / self.page

    @property
    def patience(self) -> float:
        """Real seconds after which what has not returned is given up."""
        return 300 + 2 * LENGTH / self.speed

    @property
    def real_poll_interval(self) -> float:
        """The poll interval in real seconds."""
        return POLL_INTERVAL / self.speed

    @property
    def provider_settings(self) -> dict[str, str]:
        """The provider's configuration. It counts in real time, so the poll interval is hurried like the clock."""
        return {"pollInterval": f"{self.real_poll_interval * 1000:g}ms"}
