"""Update: reached only when the resource is not complete. Goes on waiting; never posts."""

from __future__ import annotations

from dataclasses import replace

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.create import Result, settle, verdict
from pulumi_resource_togetherai.remediation.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.later import later_attempt
from pulumi_resource_togetherai.remediation.outcome import ended_badly
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
                look = run.cluster(record.cluster_id).remediation(record.instance_id, record.id)
                record = await run.unless_stopped(look)
            except NotFound as error:
                gone = Watch(record, Stop.GONE, error)
                return Result(state, verdict(run, state, gone))
    result = await settle(run, state.seen(record))
    if result.problem is not None and ended_badly(result.state.record):
        later = await later_attempt(run, urn, result.state)
        return replace(result, problem=f"{result.problem} But {later}." if later else result.problem)
    return result
