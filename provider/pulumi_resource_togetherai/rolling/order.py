"""The order of a rolling remediation: `maxConcurrent` chains, in each of which one node waits for the one before it."""

from __future__ import annotations

from collections.abc import Sequence


def predecessors(instances: Sequence[str], max_concurrent: int) -> dict[str, str | None]:
    """Each instance with the one that has to be done before it, in the order given: the first ones have none."""
    return {
        instance: instances[index - max_concurrent] if index >= max_concurrent else None
        for index, instance in enumerate(instances)
    }
