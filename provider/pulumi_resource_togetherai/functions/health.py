"""What the status of a node says of its health.

The API documents the status as free text. The words here are Kubernetes' and those of the phases of a node, which it
does document. Any other word is no word about health: it is named, and it is no reason to repair a node.
"""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches

from pulumi_resource_togetherai.api.enums import OpenEnum
from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode, PhaseTransition

__all__ = ["Health"]

PHASE_PREFIX = "NODE_PHASE_"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Health(OpenEnum):
    """How a node is, as far as its status says."""

    HEALTHY = ("HEALTHY", "It works.")
    STARTING = ("STARTING", "It is on its way into the cluster.")
    UNHEALTHY = ("UNHEALTHY", "It does not work, and should.")
    STOPPED = ("STOPPED", "It does not work, and is not meant to: paused, ended or cordoned.")
    UNKNOWN = ("UNKNOWN", "The status is a word that this version does not know, or there is none.")


WORDS = {
    "Ready": Health.HEALTHY,
    "Running": Health.HEALTHY,
    "Pending": Health.STARTING,
    "Scheduling": Health.STARTING,
    "Booting": Health.STARTING,
    "Bootstrapping": Health.STARTING,
    "NotReady": Health.UNHEALTHY,
    "Failed": Health.UNHEALTHY,
    "Succeeded": Health.STOPPED,
    "Paused": Health.STOPPED,
    "Cordoning": Health.STOPPED,
    "Cordoned": Health.STOPPED,
}
"""The known words. They count in any spelling: `NotReady`, `NOT_READY`, `not ready`, `NODE_PHASE_FAILED`."""


def compared(word: str) -> str:
    """A status or a phase as it is compared."""
    return "".join(filter(str.isalnum, word.strip().upper().removeprefix(PHASE_PREFIX)))


_COMPARED = {compared(word): word for word in WORDS}


def health(status: str) -> Health:
    """What a status says."""
    word = _COMPARED.get(compared(status))
    return WORDS[word] if word else Health.UNKNOWN


def nearest_word(status: str) -> str:
    """The known word that is most like a status; empty if none is."""
    return next((_COMPARED[close] for close in get_close_matches(compared(status), _COMPARED, n=1)), "")


def counts(node: GpuWorkerNode) -> bool:
    """Whether a node is part of its cluster: not gone, and not marked for deletion."""
    return not node.marked_for_deletion and node.deleted_at is None


def nodes_that_count(cluster: Cluster) -> list[GpuWorkerNode]:
    """The nodes that are part of the cluster, in the API's order."""
    return [node for node in cluster.gpu_worker_nodes if counts(node)]


def in_phase_since(node: GpuWorkerNode) -> datetime | None:
    """Since when a node that does not work has been in its phase. None where the phases do not say: the last one is
    that of a node that works, so that its status and its phase contradict each other, or there is none with a time. Of
    two at the same time, that of a node that does not work is the last: such a node joined, and failed at once."""

    def when(transition: PhaseTransition) -> tuple[datetime, bool]:
        return transition.transition_time or _LONG_AGO, health(transition.phase) is not Health.HEALTHY

    last = max(node.phase_transitions, key=when, default=None)
    return last.transition_time if last is not None and health(last.phase) is not Health.HEALTHY else None
