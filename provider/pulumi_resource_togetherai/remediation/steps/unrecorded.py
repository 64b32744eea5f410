"""Attempts that the stack has not recorded: a run that was killed during a replacement may have started the next
one."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.outcome import ended_badly
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.run import Run, explained


async def later_attempt(run: Run, urn: str, state: State) -> str:
    """A sentence about the attempt that follows the recorded one and is active or ended well; empty without one."""
    if state.attempt is None:
        return ""
    identity = Identity(urn, state.inputs)
    with explained(
        f"cannot check for an attempt later than {messages.name(state.record)}", then="Run the command again"
    ):
        try:
            history = await run.unless_stopped(run.cluster(state.inputs.cluster_id).node(state.inputs.instance_id))
        except NotFound:  # its VM was replaced, and the API lists nothing of it any more
            return ""
    for record in history:
        attempt = identity.attempt_of(record)
        if (
            attempt is not None
            and record.id != state.record.id
            and attempt >= state.attempt
            and not ended_badly(record)
        ):
            return f"attempt {attempt} exists already: {messages.whose(record)}. `pulumi up --replace` takes it over"
    return ""
