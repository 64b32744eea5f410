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


def problem(watch: Watch, inputs: RemediationInputs, now: datetime, *, kept: bool) -> str | None:
    """Why the resource is not complete, what is recorded of it and what to do next; None if it is complete.

    `inputs` are what the program declares, `kept` tells whether the stack keeps an incomplete resource.
    """
    record = watch.record
    if watch.stop is Stop.ENDED:
        return None if inputs.accept_failure else _ended(record, inputs, now, kept=kept)
    happened = {
        Stop.TIMEOUT: f"timed out waiting for {messages.name(record)}, which is {record.state} after "
        f"{messages.took(record, now)}",
        Stop.INTERRUPTED: f"stopped waiting for {messages.name(record)}, which is {record.state}; it continues on "
        "the platform",
        Stop.GONE: f"the API no longer knows {messages.name(record)}, last seen {record.state}",
        Stop.NO_ACCESS: f"can no longer see {messages.name(record)}, last seen {record.state} ({watch.error})",
    }[watch.stop]
    if watch.stop is Stop.GONE:
        return (
            f"{happened}. It may have ended, or still be under way: look at the node first. Then `pulumi refresh` "
            "removes what the stack holds of it, and `pulumi up` starts a new one."
        )
    return f"{happened}. {_recorded(kept)} `pulumi up` waits for it again and posts nothing."


def gave_way(record: Remediation, winner: Remediation | None) -> str:
    """Why a resource is not complete: its remediation was withdrawn, which means cancelled before it began."""
    because = f"another remediation came first: {messages.whose(winner)}" if winner else "others came first"
    return (
        f"{messages.name(record)} was cancelled before it began, because {because}. {_recorded(kept=True)} The next "
        "`pulumi up` starts a new remediation, without a change of `triggers`."
    )


def _ended(record: Remediation, inputs: RemediationInputs, now: datetime, *, kept: bool) -> str | None:
    if not ended_badly(record):
        return None
    if record.state == RemediationState.FAILED:
        happened = (
            f"{messages.name(record)} FAILED after {messages.took(record, now)}: "
            f"{quoted(record.error_message or 'no reason given')}"
        )
        again = f"change {inputs.again}, or set `retryFailed: true`"
    elif not record.state.known:
        why = f" ({quoted(record.error_message)})" if record.error_message else ""
        happened = (
            f"{messages.name(record)} ended as {quoted(record.state)}{why} after {messages.took(record, now)}, which "
            "this version of the provider does not know, so it cannot tell whether the node is repaired. If it is, set "
            "`acceptFailure: true`"
        )
        again = f"change {inputs.again}"
    else:
        by = f" by {quoted(record.reviewed_by)}" if record.reviewed_by else ""
        comment = f" ({quoted(record.review_comment)})" if record.review_comment else ""
        happened = f"{messages.name(record)} was CANCELLED{by}{comment} after {messages.took(record, now)}"
        again = f"change {inputs.again}"
    if kept:
        again += ", or run `pulumi up --replace` with this resource's URN"
    return (
        f"{happened}. {_recorded(kept)} It does not run again by itself. To run it again: {again}. To drop it: remove "
        "it from the program."
    )


def _recorded(kept: bool) -> str:
    if kept:
        return "The stack keeps it as unfinished."
    return "The stack keeps no record of it, but the next `pulumi up` finds it again by its key."
