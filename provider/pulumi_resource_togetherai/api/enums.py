"""The API's enumerations, open to values that a newer server may send.

Standard library only: the plugin builds its schema and its messages from these without the HTTP client.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = [
    "ACTIVE_STATES",
    "CANCELLABLE_STATES",
    "TERMINAL_STATES",
    "AlertSeverity",
    "RemediationMode",
    "RemediationState",
    "RemediationTrigger",
]


class DescribedEnum(StrEnum):
    """A string enumeration whose members carry a description."""

    _value_: str
    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class OpenEnum(DescribedEnum):
    """An enumeration that keeps unknown values.

    `RemediationState("NEW_STATE")` is a value of the type that equals the string `"NEW_STATE"`; it is just not
    `known`. So the provider records an answer from a newer server as it came.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """A known value in another spelling (in short, in lower case, with another prefix) is that value."""
        if not isinstance(value, str) or not value:
            return None
        words = value.strip().upper().replace("-", "_").replace(" ", "_")
        for name, known in cls.__members__.items():
            if words in (name, known.value, f"{cls._prefix()}{name}"):
                return known
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        member.description = ""
        return member

    @classmethod
    def _prefix(cls) -> str:
        """What protobuf puts before a value's name: `REMEDIATION_STATE_`."""
        return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in cls.__name__)[1:] + "_"

    __hash__ = str.__hash__

    @property
    def known(self) -> bool:
        """Whether this version of the provider knows the value."""
        return self.value in type(self).__members__.values()


class RemediationMode(OpenEnum):
    """How a remediation repairs the node."""

    VM_ONLY = (
        "REMEDIATION_MODE_VM_ONLY",
        "Deletes the VM and provisions a new one on any available host.",
    )
    HOST_AWARE = (
        "REMEDIATION_MODE_HOST_AWARE",
        "Cordons the host, deletes the VM, and provisions a new one on a different host.",
    )
    EVICT_WITHOUT_REPLACEMENT = (
        "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT",
        "Evicts the VM without provisioning a replacement.",
    )
    REBOOT_VM = ("REMEDIATION_MODE_REBOOT_VM", "Reboots the VM in place.")
    HOST_POWER_CYCLE = (
        "REMEDIATION_MODE_HOST_POWER_CYCLE",
        "Cordons and power-cycles the bare-metal host; host and node keep their identity. "
        "Cannot be chosen as an approval's mode.",
    )

    @property
    def short(self) -> str:
        """The mode without the API's prefix, as people write it: `VM_ONLY`."""
        return self.value.removeprefix(MODE_PREFIX)


MODE_PREFIX = "REMEDIATION_MODE_"


class RemediationTrigger(OpenEnum):
    """What started a remediation."""

    MANUAL = ("REMEDIATION_TRIGGER_MANUAL", "A person asked for it, in the web console or over the API.")
    AUTOMATED = (
        "REMEDIATION_TRIGGER_AUTOMATED",
        "The platform's health checks proposed it; it needs approval.",
    )


TRIGGER_PREFIX = "REMEDIATION_TRIGGER_"
UNSPECIFIED_MODE = RemediationMode(f"{MODE_PREFIX}UNSPECIFIED")
"""Stands for a mode that the API did not tell."""
UNSPECIFIED_TRIGGER = RemediationTrigger(f"{TRIGGER_PREFIX}UNSPECIFIED")
"""Stands for a trigger that the API did not tell."""


class RemediationState(OpenEnum):
    """Where a remediation is in its lifecycle."""

    PENDING_APPROVAL = ("PENDING_APPROVAL", "Proposed; waits for a person to approve or reject it.")
    PENDING = ("PENDING", "Approved and queued.")
    QUARANTINING = ("QUARANTINING", "The host is being cordoned or prepared.")
    QUARANTINED = ("QUARANTINED", "The host is cordoned or isolated.")
    RUNNING = ("RUNNING", "Being carried out.")
    SUCCEEDED = ("SUCCEEDED", "Completed.")
    FAILED = ("FAILED", "Ended with an error.")
    CANCELLED = ("CANCELLED", "Cancelled by a person or by the platform.")
    AUTO_RESOLVED = ("AUTO_RESOLVED", "The fault went away by itself before anything was done.")


class AlertSeverity(OpenEnum):
    """How serious a passive health check alert is."""

    INFO = ("PHC_SEVERITY_INFO", "For information.")
    WARNING = ("PHC_SEVERITY_WARNING", "Needs attention.")
    CRITICAL = ("PHC_SEVERITY_CRITICAL", "The node is unfit for work.")


SEVERITY_PREFIX = "PHC_SEVERITY_"


TERMINAL_STATES = frozenset(
    {
        RemediationState.SUCCEEDED,
        RemediationState.FAILED,
        RemediationState.CANCELLED,
        RemediationState.AUTO_RESOLVED,
    }
)
"""The states that a remediation never leaves. Every other state is active."""

ACTIVE_STATES = tuple(state for state in RemediationState if state not in TERMINAL_STATES)
"""The states that this version knows and that are not terminal."""

CANCELLABLE_STATES = frozenset({RemediationState.PENDING_APPROVAL, RemediationState.PENDING})
"""The states in which the API accepts a cancel."""
