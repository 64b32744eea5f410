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
    return messages.told(
        f"the approval of {messages.repair(record)} was withdrawn before it began, and it is cancelled, because "
        f"another remediation came first: {messages.whose(winner)}",
        messages.which(record),
        f"{_recorded(kept)}. It cannot be approved a second time",
        "next: remove the review from the program",
        "if the node needs more than the other repair, the platform proposes it again",
    )


def problem(watch: Watch, now: datetime, *, kept: bool) -> str | None:
    """Why the review is not complete, what is recorded of it and what to do next; None if it is complete.

    `kept` tells whether the stack keeps an incomplete resource.
    """
    record = watch.record
    approved = f"the approved {messages.repair(record)}"
    if watch.stop is Stop.ENDED:
        if not ended_badly(record):
            return None
        if record.state == RemediationState.FAILED:
            why = f"FAILED after {messages.took(record, now)}: {quoted(record.error_message or 'no reason given')}"
        else:
            why = f"was CANCELLED after {messages.took(record, now)}"
        return messages.told(
            f"{approved} {why}",
            messages.which(record),
            f"{_recorded(kept)}. It cannot be approved a second time",
            "to repair the node: declare a Remediation",
            "to drop the review: remove it from the program",
        )
    state = messages.state(record)
    happened = {
        Stop.TIMEOUT: f"timed out waiting for {approved}, which is {state}",
        Stop.INTERRUPTED: f"stopped waiting for {approved}, which is {state}; it continues on the platform",
        Stop.GONE: f"the API no longer knows {approved}, last seen {state}",
        Stop.NO_ACCESS: f"can no longer see {approved}, last seen {state} ({watch.error})",
    }[watch.stop]
    return messages.told(
        happened,
        messages.which(record),
        _recorded(kept),
        "next: `pulumi up` looks at it again, and approves nothing twice",
    )


def _recorded(kept: bool) -> str:
    return "The stack keeps the review as unfinished" if kept else "The stack keeps no record of the review"
