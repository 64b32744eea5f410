"""Finds the proposal that a program names by its node."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import Incomplete
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.where import remediations_named
from pulumi_resource_togetherai.operation.run import OperationError, Run
from pulumi_resource_togetherai.review.rules.decision import reviewed
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.review.rules.messages import done


class NoProposal(OperationError):
    """A node without a proposal, or with several."""


async def located(run: Run, inputs: ReviewInputs, *, preview: bool = False) -> ReviewInputs:
    """The same inputs with the ids of the one proposal of their node. Raises NoProposal if that is none or several,
    ApiError."""
    name = inputs.node or ""
    listed, where = await remediations_named(run.cluster(inputs.cluster_id), name, preview=preview)
    if listed.incomplete:
        raise Incomplete("list remediations", f"the list may lack a proposal: {listed.incomplete}")
    match candidates(listed):
        case [record]:
            return inputs.at(record.instance_id, record.id)
        case []:
            last = f"its last remediation is {messages.whose(listed[0])}" if listed else "the API lists no remediation"
            found = f"has no proposal to review: {where.astray or last}"
            instead = "Remove the review; to record one that was made, write its `instanceId` and `remediationId`"
        case several:
            found = f"has {len(several)} proposals: {' and '.join(map(messages.whose, several))}"
            instead = "Write the `instanceId` and `remediationId` of one in place of `node`"
    node = messages.node_named(inputs.cluster_id, name)
    raise NoProposal(f"{node} {found}. Nothing was {done(inputs.decision)}. {instead}")


def candidates(records: Iterable[Remediation]) -> list[Remediation]:
    """What a review of a node may be about: what waits for one. Without that, what was reviewed and has not ended: a
    run may have been killed after its approval."""
    active = [record for record in records if not record.terminal]
    waiting = [record for record in active if record.state == RemediationState.PENDING_APPROVAL]
    return waiting or [record for record in active if reviewed(record)]
