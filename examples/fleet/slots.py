"""How many nodes may be under repair at once, in a cluster and in the whole fleet, and when to start no more."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from threading import Condition


@dataclass(frozen=True)
class Limits:
    """What the person who asked allows."""

    fleet: int
    """Nodes under repair at once, in all clusters."""
    cluster: int
    """Nodes under repair at once, in one cluster."""
    failures: int
    """Nodes whose repair may fail; with one more nothing is started any more."""


def failures_allowed(percent: float, nodes: int) -> int:
    """How many of so many nodes a share of them is at the most, in whole nodes."""
    return math.floor(nodes * percent / 100)


class Slots:
    """The slots of one call. Each cluster's program takes one before it declares a node, in a thread of its own."""

    def __init__(self, limits: Limits, *, failures: int = 0) -> None:
        """`failures` is how many repairs failed in earlier calls."""
        self._limits = limits
        self._taken = defaultdict[str, set[str]](set)
        self._closed = set[str]()
        self.failures = failures
        """How many repairs have failed so far."""
        self._stopped = False
        self._change = Condition()

    @property
    def halted(self) -> bool:
        """Whether more repairs have failed than are allowed."""
        return self.failures > self._limits.failures

    def occupy(self, cluster: str, name: str) -> None:
        """Counts a node that is under repair already, whether there is room for it or not."""
        with self._change:
            self._taken[cluster].add(name)

    def take(self, cluster: str, name: str) -> bool:
        """Waits for a slot. Returns whether the node may be started: False once nothing is to be started any more."""
        with self._change:
            self._change.wait_for(lambda: self._over(cluster) or self._has_room(cluster))
            if self._over(cluster):
                return False
            self._taken[cluster].add(name)
            return True

    def ended(self, cluster: str, name: str, *, failed: bool) -> None:
        """Gives a node's slot back. A node that had none changes nothing."""
        with self._change:
            if name in self._taken[cluster]:
                self._taken[cluster].remove(name)
                self.failures += failed
                self._change.notify_all()

    def close(self, cluster: str) -> None:
        """Gives all slots of a cluster back: nobody waits for its nodes any more."""
        with self._change:
            self._taken[cluster].clear()
            self._closed.add(cluster)
            self._change.notify_all()

    def stop(self) -> None:
        """From now on nothing is started."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def _over(self, cluster: str) -> bool:
        return self._stopped or self.halted or cluster in self._closed

    def _has_room(self, cluster: str) -> bool:
        in_all = sum(map(len, self._taken.values()))
        return in_all < self._limits.fleet and len(self._taken[cluster]) < self._limits.cluster
