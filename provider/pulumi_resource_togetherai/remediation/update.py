"""Update: reached only when the resource is not complete. Goes on waiting; never posts."""

from __future__ import annotations

from dataclasses import replace

from pulumi_resource_togetherai.api.errors import ApiError, NotFound
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.create import Result, settle
from pulumi_resource_togetherai.remediation.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.outcome import problem
from pulumi_resource_togetherai.remediation.run import RemediationError, Run
from pulumi_resource_togetherai.remediation.state import State
from pulumi_resource_togetherai.remediation.wait import Stop, Watch


async def update(run: Run, state: State, inputs: RemediationInputs) -> Result:
    """Resumes the wait that the last run gave up, under the inputs as they are now."""
    state = replace(state, inputs=inputs)
    record = state.record
    if not record.terminal:
        try:
            record = await run.client.get_remediation(record.cluster_id, record.instance_id, record.id)
        except NotFound as error:
            gone = Watch(record, Stop.GONE, error)
            return Result(state, problem(gone, run.client.now(), kept=run.keeps_unfinished))
        except ApiError as error:
            raise RemediationError(f"cannot look at {words.name(record)}: {error}") from error
    return await settle(run, state.seen(record))
