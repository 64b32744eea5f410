"""What the end of a wait means for the resource: it is complete, or there is a problem, with what to do next."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.sanitize import quoted


def problem(watch: Watch, inputs: RemediationInputs, now: datetime, *, kept: bool, urn: str = "") -> str | None:
    """Why the resource is not complete, what is recorded of it and what to do next; None if it is complete.

    `inputs` are what the program declares, `kept` tells whether the stack keeps an incomplete resource. `urn` is the
    resource's, for the command to type.
    """
    record = watch.record
    if watch.stop is Stop.ENDED:
        return None if inputs.accept_failure else _ended(record, inputs, now, kept=kept, urn=urn)
    repair, state = messages.repair(record), messages.state(record)
    so_far = f"{repair}, which is {state} after {messages.took(record, now)}"
    happened = {
        Stop.TIMEOUT: f"timed out waiting for {so_far}",
        Stop.INTERRUPTED: f"stopped waiting for {so_far}; it continues on the platform",
        Stop.GONE: f"the API no longer knows {repair}, last seen {state}",
        Stop.NO_ACCESS: f"can no longer see {repair}, last seen {state} ({watch.error})",
    }[watch.stop]
    if watch.stop is Stop.GONE:
        return messages.told(
            happened,
            messages.which(record),
            "It may have ended, or still be under way: look at the node first",
            "then `pulumi refresh` removes what the stack holds of it, and `pulumi up` starts a new one",
        )
    return messages.told(
        happened, messages.which(record), _recorded(kept), "next: `pulumi up` waits for it again and posts nothing"
    )


def gave_way(record: Remediation, winner: Remediation | None) -> str:
    """Why a resource is not complete: its remediation was withdrawn, which means cancelled before it began."""
    because = f"another remediation came first: {messages.whose(winner)}" if winner else "others came first"
    return messages.told(
        f"{messages.repair(record)} was cancelled before it began, because {because}",
        messages.which(record),
        _recorded(kept=True),
        "next: `pulumi up` starts a new remediation, without a change of `triggers`",
    )


def _ended(record: Remediation, inputs: RemediationInputs, now: datetime, *, kept: bool, urn: str) -> str | None:
    if not ended_badly(record):
        return None
    again = f"to run it again: change {inputs.again}, and run `pulumi up`"
    good = ""
    if record.state == RemediationState.FAILED:
        happened = (
            f"{messages.repair(record)} FAILED after {messages.took(record, now)}: "
            f"{quoted(record.error_message or 'no reason given')}"
        )
        again = f"to run it again: set `retryFailed: true`, or change {inputs.again}, and run `pulumi up`"
    elif not record.state.known:
        why = f" ({quoted(record.error_message)})" if record.error_message else ""
        happened = (
            f"{messages.repair(record)} ended as {quoted(record.state)}{why} after {messages.took(record, now)}, which "
            "this version of the provider does not know, so it cannot tell whether the node is repaired"
        )
        good = "if the node is repaired: set `acceptFailure: true`"
    else:
        by = f" by {quoted(record.reviewed_by)}" if record.reviewed_by else ""
        comment = f" ({quoted(record.review_comment)})" if record.review_comment else ""
        happened = f"{messages.repair(record)} was CANCELLED{by}{comment} after {messages.took(record, now)}"
    return messages.told(
        happened,
        messages.which(record),
        f"{_recorded(kept)} It does not run again by itself",
        good,
        again,
        f"or run it again now: {replacing(urn)}" if kept else "",
        "to drop it: remove it from the program",
    )


def replacing(urn: str) -> str:
    """The command that runs a remediation again, ready to paste."""
    return f"pulumi up --replace '{urn}'" if urn else "`pulumi up --replace` with this resource's URN"


def _recorded(kept: bool) -> str:
    if kept:
        return "The stack keeps it as unfinished."
    return "The stack keeps no record of it, but the next `pulumi up` finds it again by its key."
