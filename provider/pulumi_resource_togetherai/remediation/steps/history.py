"""Asks the API for the history of a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Rules, may_have_been_withdrawn
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.clusters.where import Where, remediations_named
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive


async def history_of(run: Run, identity: Identity, *, preview: bool = False) -> History:
    """The node's remediations as this resource sees them. Raises ApiError."""
    inputs, view = identity.inputs, run.cluster(identity.inputs.cluster_id)
    records, where = await records_of(view, identity, preview=preview)
    history = History(records, where.instance_id, incomplete=records.incomplete, astray=where.astray)
    if inputs.instance_id is not None and not _goes_on(identity, records):
        former = await view.of_the_same_node(inputs.instance_id, records, preview=preview)
        history = replace(history, former=former, incomplete=records.incomplete or former.incomplete)
    suspects = [record for record in records if may_have_been_withdrawn(record) and identity.own(record) is not None]
    if not suspects:
        return history
    rules = Rules(one_per_node=inputs.if_active is not IfActive.CREATE, limit=view.limit.most)
    known = history.of_the_node if rules.limit is None else await view.everything()
    node_of = view.one_node.key
    return replace(history, withdrawn=frozenset(one.id for one in suspects if rules.was_withdrawn(one, known, node_of)))


def _goes_on(identity: Identity, records: Iterable[Remediation]) -> bool:
    """Whether this resource has under way what it declares, which is taken over, whatever else the node has."""
    owns = (own for record in records if not record.terminal and (own := identity.own(record)) is not None)
    return any(own.declared for own in owns)


async def was_withdrawn(run: Run, identity: Identity, record: Remediation) -> bool:
    """Whether a remediation of this resource that may have been withdrawn was, by another run. Raises ApiError."""
    return record.id in (await history_of(run, identity)).withdrawn


async def records_of(view: View, identity: Identity, *, preview: bool = False) -> tuple[Listed, Where]:
    """The node's remediations, newest first, and where the node is. Raises ApiError.

    Under a name that is what the cluster lists of every instance that is or was this node, as far as the API says, and
    whatever is this resource's own: a run may have been killed before the VM of what it started was replaced.
    """
    inputs = identity.inputs
    if inputs.instance_id is not None:
        return await view.node(inputs.instance_id, preview=preview), Where(inputs.instance_id, (inputs.instance_id,))
    return await remediations_named(
        view, inputs.node or "", or_else=lambda record: identity.own(record) is not None, preview=preview
    )
