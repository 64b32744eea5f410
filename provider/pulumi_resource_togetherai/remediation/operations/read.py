"""Read (refresh, import, get): the API's record. With `wait` it first waits until the remediation has ended, but not in
a preview."""

from __future__ import annotations

from pydantic import ValidationError

from pulumi_resource_togetherai.api.errors import NotFound
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.marker import unmarked
from pulumi_resource_togetherai.clusters.view import Ref
from pulumi_resource_togetherai.operation.find import find
from pulumi_resource_togetherai.operation.outcome import not_waited_for
from pulumi_resource_togetherai.operation.resource_id import ResourceId
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import OperationError, Run, explained
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.later_attempt import later_attempt
from pulumi_resource_togetherai.remediation.steps.settle import settle, verdict
from pulumi_resource_togetherai.sanitize import quoted


async def read(run: Run, urn: str, resource_id: str, state: State | None, *, preview: bool) -> Resource | None:
    """The resource as it is now, or None if it is gone. `state` is what the stack holds; None for an import. A
    `preview` does not wait for an end."""
    try:
        where = ResourceId.parse(resource_id)
    except ValueError as error:
        raise OperationError(str(error)) from error
    with explained(f"cannot read remediation {resource_id}"):
        try:
            ref = Ref(where.instance_id, where.remediation_id)
            # What an import or a finished resource names may well not be there; what was active was seen.
            proven = state is None or state.record.terminal
            look = run.cluster(where.cluster_id).remediation(ref) if proven else find(run, where.cluster_id, ref)
            record = await run.unless_stopped(look)
        except NotFound:
            return await _forgotten(run, state)
    if state is None:
        inputs = _declaration(record.cluster_id, record.instance_id, record.mode.value, unmarked(record.reason))
        own = Identity(urn, inputs, run.stateless).own(record)
        state = State(inputs, record, own.attempt if own is not None else None)
    if preview and run.stateless:  # who reads it to delete it, or only to look at it, is told whose it is
        await run.report.info(messages.whose(record))
        return Resource(state.seen(record))
    if state.record.terminal and record.state != state.record.state:
        await run.report.warning(
            f"{messages.name(record)} {messages.ended(state.record)} according to the stack, but the API now says "
            f"{record.state}. A remediation that has ended does not start again, so the stack keeps its record"
        )
        return Resource(state, verdict(run, state, Watch(state.record, Stop.ENDED)))
    if record.terminal and (later := await later_attempt(run, urn, state)):
        await run.report.warning(f"{messages.name(record)} is not the latest attempt: {later}")
    if preview and state.inputs.wait and not record.terminal:
        return Resource(state.seen(record), not_waited_for(record))
    return await settle(run, state.seen(record))


async def _forgotten(run: Run, state: State | None) -> Resource | None:
    """The API may forget a remediation that ended long ago. The stack keeps its record: without it the next `up` would
    run the remediation again."""
    if state is None or not state.record.terminal:
        return None
    await run.report.info(f"the API no longer lists {messages.name(state.record)}; its record is kept")
    return Resource(state, verdict(run, state, Watch(state.record, Stop.ENDED)))


def _declaration(cluster_id: str, instance_id: str, mode: str, reason: str) -> RemediationInputs:
    """The inputs as a program would write them to declare this remediation."""
    written = {"clusterId": cluster_id, "instanceId": instance_id, "mode": mode} | (
        {"reason": reason} if reason else {}
    )
    try:
        return RemediationInputs.model_validate(written)
    except ValidationError as error:
        raise OperationError(
            f"cannot import a remediation of instance {instance_id} in cluster {cluster_id} with mode {quoted(mode)}: "
            f"no program can declare it ({error.errors()[0]['msg']})"
        ) from error
