"""Which instances are one node: a repair may replace the VM, and what was started of the old instance is of the same
node as what is started of the new one."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_resource_togetherai.api.asked import folded


class OneNode:
    """What this process has learnt so far about the instances of a cluster. One of which it has learnt nothing is a
    node of its own."""

    def __init__(self) -> None:
        self._instances = dict[str, frozenset[str]]()

    def learn(self, instances: Iterable[str]) -> None:
        """Takes in that these instances are, or were, one node."""
        learnt = {folded(each) for each in instances}
        together = frozenset[str]().union(learnt, *(self._instances.get(each, ()) for each in learnt))
        self._instances.update(dict.fromkeys(together, together))

    def knows(self, instance_id: str) -> bool:
        """Whether somebody has asked about an instance, whatever came of it."""
        return folded(instance_id) in self._instances

    def key(self, instance_id: str) -> str:
        """The same for every instance of a node."""
        instance = folded(instance_id)
        return min(self._instances.get(instance, (instance,)))

    def others(self, instance_id: str) -> list[str]:
        """The other instances of the same node."""
        instance = folded(instance_id)
        return sorted(self._instances.get(instance, frozenset()) - {instance})
