"""Attempts that the stack has not recorded: a run that was killed during a replacement may have started the next
one."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.run import Run, explained
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.history import records_of


async def later_attempt(run: Run, urn: str, state: State) -> str:
    """A sentence about the attempt that follows the recorded one and is active or ended well; empty without one, and
    where there is no stack."""
    if state.attempt is None or run.stateless:
        return ""
    identity = Identity(urn, state.inputs, run.stateless)
    with explained(
        f"cannot check for an attempt later than {messages.name(state.record)}", then="Run the command again"
    ):
        try:
            history, _ = await run.unless_stopped(records_of(run.cluster(state.inputs.cluster_id), identity))
        except NotFound:  # its VM was replaced, and the API lists nothing of it any more
            return ""
    for record in history:
        own = identity.own(record)
        if own is None or record.id == state.record.id or own.attempt < state.attempt or ended_badly(record):
            continue
        then = (
            f"to take it over, run `pulumi state delete '{urn}'` and then `pulumi up`, which starts nothing"
            if record.terminal
            else "`pulumi up --replace` takes it over"
        )
        return f"attempt {own.attempt} exists already: {messages.whose(record)}; {then}"
    return ""
