"""Preview: says what `pulumi up` will do about a proposal, by the same decision, and only reads."""

from __future__ import annotations

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.announced import both
from pulumi_resource_togetherai.operation.run import Interrupted, OperationError, Run
from pulumi_resource_togetherai.operation.unchecked import unchecked
from pulumi_resource_togetherai.review.rules.decision import Adopt, Gone, Refuse, Review, decide
from pulumi_resource_togetherai.review.rules.inputs import Decision, ReviewInputs
from pulumi_resource_togetherai.review.rules.messages import details
from pulumi_resource_togetherai.review.rules.state import State
from pulumi_resource_togetherai.review.steps.locate import NoProposal, located
from pulumi_resource_togetherai.review.steps.look import look, under_repair


async def preview_create(run: Run, urn: str, inputs: ReviewInputs, *, replaced: State | None) -> None:
    """Says what create will do. `replaced` is the review that is deleted first.

    Raises OperationError for an unknown cluster or instance, and for what create will refuse.
    """
    try:
        if inputs.node is not None:
            inputs = await run.unless_stopped(located(run, inputs, preview=True))
        record = await run.unless_stopped(look(run, inputs, preview=True))
    except NoProposal as error:
        raise OperationError(f"`pulumi up` will refuse: {error}") from error
    except NotFound as error:
        raise OperationError(f"cannot find {inputs.target}: {error}") from error
    except (ApiError, Interrupted, TimeoutError) as error:
        await unchecked(run, f"what `pulumi up` will do about {inputs.target}", error)
        return
    if replaced is not None:
        record = await _after_delete(run, replaced, record)
    match decide(inputs, record):
        case Review(record) if inputs.decision is Decision.APPROVE:
            await _nobody_repairs_the_node(run, record)
            instead = f" as {inputs.mode.short}" if inputs.mode and inputs.mode != record.mode else ""
            await run.report.info(f"`pulumi up` will approve{instead} {details(record, run.client.now())}")
            view = run.cluster(inputs.cluster_id)
            for starting in view.announced.approves(view.one_node.key(record.instance_id), urn):
                await run.report.warning(both(starting, urn))
        case Review(record):
            await run.report.info(f"`pulumi up` will reject {details(record, run.client.now())}")
        case Adopt(record, because):
            await run.report.info(f"`pulumi up` will review nothing and record {messages.name(record)}: {because}")
        case Gone(_, because):
            await run.report.info(f"`pulumi up` will review nothing: {because}")
        case Refuse(because):
            raise OperationError(f"`pulumi up` will refuse: {because}")


async def _nobody_repairs_the_node(run: Run, record: Remediation) -> None:
    try:
        why_not = await run.unless_stopped(under_repair(run, record, preview=True))
    except (ApiError, Interrupted, TimeoutError) as error:
        await unchecked(run, f"whether the node of {messages.name(record)} is being repaired", error)
        return
    if why_not:
        raise OperationError(f"`pulumi up` will refuse: {why_not}")


async def _after_delete(run: Run, replaced: State, record: Remediation | None) -> Remediation | None:
    """Says what deleting the replaced review will do, and returns the record as create will then find it."""
    undone = replaced.inputs.decision is Decision.APPROVE and not replaced.adopted
    if record is None or not undone or replaced.record is None or replaced.record.id != record.id:
        return record
    if not record.cancellable:
        return record
    await run.report.info(f"`pulumi up` will first cancel {messages.name(record)}, which is {record.state}")
    return record.model_copy(update={"state": RemediationState.CANCELLED})
