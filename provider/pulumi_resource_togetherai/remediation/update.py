"""Update: reached only when the resource is not complete. Goes on waiting; never posts."""

from __future__ import annotations

from dataclasses import replace

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.create import Result, settle
from pulumi_resource_togetherai.remediation.history import history_of
from pulumi_resource_togetherai.remediation.identity import Identity
from pulumi_resource_togetherai.remediation.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.outcome import ended_badly, problem
from pulumi_resource_togetherai.remediation.run import Run, explained
from pulumi_resource_togetherai.remediation.state import State
from pulumi_resource_togetherai.remediation.wait import Stop, Watch


async def update(run: Run, urn: str, state: State, inputs: RemediationInputs) -> Result:
    """Resumes the wait that the last run gave up, under the inputs as they are now."""
    state = replace(state, inputs=inputs)
    record = state.record
    if not record.terminal:
        with explained(f"cannot look at {words.name(record)}", then="Run `pulumi up` again"):
            try:
                look = run.client.get_remediation(record.cluster_id, record.instance_id, record.id)
                record = await run.unless_stopped(look)
            except NotFound as error:
                gone = Watch(record, Stop.GONE, error)
                return Result(state, problem(gone, run.client.now(), kept=run.keeps_unfinished))
    result = await settle(run, state.seen(record))
    if result.problem is not None and ended_badly(result.state.record):
        return replace(result, problem=result.problem + await _later_attempt(run, Identity(urn, inputs), result.state))
    return result


async def _later_attempt(run: Run, identity: Identity, state: State) -> str:
    """A run that was killed while it replaced this attempt may have started the next one, which the stack never saw."""
    with explained(f"cannot look for a later attempt than {words.name(state.record)}", then="Run `pulumi up` again"):
        history = await run.unless_stopped(history_of(run, identity.inputs))
    for record in history:
        attempt = identity.attempt_of(record)
        if attempt is not None and attempt > (state.attempt or 0) and not ended_badly(record):
            return f" Attempt {attempt} is there already: {words.whose(record)}. `pulumi up --replace` takes it over."
    return ""
