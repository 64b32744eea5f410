"""Asks the API for the history of an instance."""

from __future__ import annotations

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Rules, may_have_been_withdrawn
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive


async def history_of(run: Run, identity: Identity, *, preview: bool = False) -> History:
    """The instance's remediations as this resource sees them. Raises ApiError."""
    inputs, view = identity.inputs, run.cluster(identity.inputs.cluster_id)
    records = await view.node(inputs.instance_id, preview=preview)
    suspects = [record for record in records if may_have_been_withdrawn(record) and identity.own(record) is not None]
    if not suspects:
        return History(records, incomplete=records.incomplete)
    rules = Rules(one_per_node=inputs.if_active is not IfActive.CREATE, limit=view.limit.most)
    known = records if rules.limit is None else await view.everything()
    withdrawn = (one.id for one in suspects if rules.was_withdrawn(one, known))
    return History(records, frozenset(withdrawn), records.incomplete)


async def was_withdrawn(run: Run, identity: Identity, record: Remediation) -> bool:
    """Whether a remediation of this resource that may have been withdrawn was, by another run. Raises ApiError."""
    return record.id in (await history_of(run, identity)).withdrawn
