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


@dataclass(frozen=True)
class Workload:
    """Remediations to be started at once, one per instance."""

    count: int
    clusters: int
    """The remediations are spread evenly over so many."""
    speed: float
    """Simulated seconds per real second."""

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
