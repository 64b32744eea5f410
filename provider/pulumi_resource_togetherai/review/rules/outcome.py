"""What the end of an approved remediation, or of the wait for it, means for the review."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.sanitize import quoted


def gave_way(record: Remediation, winner: Remediation, *, kept: bool) -> str:
    """Why a review is not complete: its approval was withdrawn, because another remediation came first."""
    return (
        f"the approval of {messages.name(record)} was withdrawn before it began, and it is cancelled, because another "
        f"remediation came first: {messages.whose(winner)}. {_recorded(kept)}. It cannot be approved a second time: "
        "remove the review from the program. If the node needs more than the other repair, the platform proposes it "
        "again."
    )


def problem(watch: Watch, now: datetime, *, kept: bool) -> str | None:
    """Why the review is not complete, what is recorded of it and what to do next; None if it is complete.

    `kept` tells whether the stack keeps an incomplete resource.
    """
    record = watch.record
    recorded = _recorded(kept)
    if watch.stop is Stop.ENDED:
        if not ended_badly(record):
            return None
        ended = f"the approved {messages.name(record)}"
        if record.state == RemediationState.FAILED:
            why = f"FAILED after {messages.took(record, now)}: {quoted(record.error_message or 'no reason given')}"
        else:
            why = f"was CANCELLED after {messages.took(record, now)}"
        return (
            f"{ended} {why}. {recorded}. It cannot be approved a second time. To repair the node, declare "
            "a Remediation; to drop the review, remove it from the program."
        )
    happened = {
        Stop.TIMEOUT: f"timed out waiting for the approved {messages.name(record)}, which is {record.state}",
        Stop.INTERRUPTED: f"stopped waiting for the approved {messages.name(record)}, which is {record.state}; it "
        "continues on the platform",
        Stop.GONE: f"the API no longer knows the approved {messages.name(record)}, last seen {record.state}",
        Stop.NO_ACCESS: f"can no longer see the approved {messages.name(record)}, last seen {record.state} "
        f"({watch.error})",
    }[watch.stop]
    return f"{happened}. {recorded}. `pulumi up` looks at it again, and approves nothing twice."


def _recorded(kept: bool) -> str:
    return "The stack keeps the review as unfinished" if kept else "The stack keeps no record of the review"
