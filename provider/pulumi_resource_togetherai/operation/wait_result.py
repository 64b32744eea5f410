"""How a wait for a remediation ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Loss


class Stop(Enum):
    """Why a wait ended."""

    ENDED = auto()
    TIMEOUT = auto()
    INTERRUPTED = auto()
    GONE = auto()
    NO_ACCESS = auto()


@dataclass
class Watch:
    """A remediation being waited for."""

    record: Remediation
    stop: Stop = Stop.ENDED
    error: ApiError | None = None
    """The API's answer, for GONE and NO_ACCESS."""
    loss: Loss | None = None
    """Why it has to give way, and once it is cancelled, why it was withdrawn; None if it is neither."""
