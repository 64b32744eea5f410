"""What a side reports about its work."""

from __future__ import annotations

from dataclasses import dataclass, field

SIDE = "side"
"""The role of the process that waits: the plugin, or the loop."""
ENGINE = "engine"
"""The role of Pulumi's own processes."""
SIMULATOR = "simulator"
"""The role of the simulator."""


@dataclass
class Outcome:
    """The result of the work; times by `time.time()`."""

    started: float
    """When the side began."""
    returned: dict[str, float] = field(default_factory=dict[str, float])
    """When the side reported that an instance's remediation has ended, by instance."""
    given_up: float | None = None
    """When the benchmark stopped waiting for the rest, if it took too long."""
    failures: list[str] = field(default_factory=list[str])
    """What went wrong."""
