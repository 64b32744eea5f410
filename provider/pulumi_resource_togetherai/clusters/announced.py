"""What previews of one program have announced so far about the nodes of a cluster: a remediation that the program
starts, and a proposal that it approves, are two repairs."""

from __future__ import annotations

from collections import defaultdict


class Announced:
    """By node, the URNs of the resources that repair it."""

    def __init__(self) -> None:
        self._starting = defaultdict[str, set[str]](set)
        self._approving = defaultdict[str, set[str]](set)

    def starts(self, node: str, urn: str) -> list[str]:
        """Takes in that a resource starts a remediation of a node. Returns who approves one."""
        self._starting[node].add(urn)
        return sorted(self._approving[node])

    def approves(self, node: str, urn: str) -> list[str]:
        """Takes in that a resource approves a proposal of a node. Returns who starts a remediation."""
        self._approving[node].add(urn)
        return sorted(self._starting[node])


def both(starting: str, approving: str) -> str:
    """A warning about two resources of a program, by their URNs: the one that starts a remediation of a node and the
    one that approves a proposal of it."""
    first, second = (urn.rpartition("::")[2] for urn in (starting, approving))
    return (
        f'this program repairs one node twice: "{first}" starts a remediation of it, and "{second}" approves the one '
        "that the platform has proposed. Whichever comes second is refused while the first is under way, unless it "
        "depends on it; remove one, or have one depend on the other"
    )
