"""Asks the API for the history of a node."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pulumi_resource_togetherai.api.errors import Incomplete, NotFound
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.nodes import Found, described, find, instances_of, problem
from pulumi_resource_togetherai.clusters.precedence import Rules, may_have_been_withdrawn
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive, RemediationInputs
from pulumi_resource_togetherai.sanitize import quoted


async def history_of(run: Run, identity: Identity, *, preview: bool = False) -> History:
    """The node's remediations as this resource sees them. Raises ApiError."""
    inputs, view = identity.inputs, run.cluster(identity.inputs.cluster_id)
    records, where = await records_of(view, identity, preview=preview)
    history = History(records, where.instance_id, incomplete=records.incomplete, astray=where.astray)
    suspects = [record for record in records if may_have_been_withdrawn(record) and identity.own(record) is not None]
    if not suspects:
        return history
    rules = Rules(one_per_node=inputs.if_active is not IfActive.CREATE, limit=view.limit.most)
    known = records if rules.limit is None else await view.everything()
    return replace(history, withdrawn=frozenset(one.id for one in suspects if rules.was_withdrawn(one, known)))


async def was_withdrawn(run: Run, identity: Identity, record: Remediation) -> bool:
    """Whether a remediation of this resource that may have been withdrawn was, by another run. Raises ApiError."""
    return record.id in (await history_of(run, identity)).withdrawn


async def instance_of(view: View, inputs: RemediationInputs) -> str:
    """The instance that the node's name leads to; the name itself if that is none. Raises ApiError."""
    return _where(await view.cluster(), inputs, Listed()).instance_id


async def records_of(view: View, identity: Identity, *, preview: bool = False) -> tuple[Listed, Where]:
    """The node's remediations, newest first, and where the node is. Raises ApiError.

    Under a name that is what the cluster lists of every instance that is or was this node, as far as the API says, and
    whatever is this resource's own: a run may have been killed before the VM of what it started was replaced.
    """
    inputs = identity.inputs
    if inputs.instance_id is not None:
        return await view.node(inputs.instance_id, preview=preview), Where(inputs.instance_id, (inputs.instance_id,))
    cluster = await view.cluster(preview=preview)
    try:
        everything = await view.everything(preview=preview)
    except NotFound as error:
        why = "it does not list the remediations of all instances, without which a node's name is not enough; write "
        raise Incomplete("list remediations", f"cluster {view.id}: {why}`instanceId` in place of `node`") from error
    where = _where(cluster, inputs, everything)
    return everything.of_any(where.instances, or_else=lambda record: identity.own(record) is not None), where


@dataclass(frozen=True)
class Where:
    """Where a node is."""

    instance_id: str
    """The instance that the name leads to; the name itself if it leads to none."""
    instances: tuple[str, ...] = ()
    """Every instance that is or was the node, as far as the API says."""
    astray: str = ""
    """Why the name leads to no instance."""


def _where(cluster: Cluster, inputs: RemediationInputs, records: Listed) -> Where:
    name = inputs.node or ""
    found = find(cluster, name)
    if not isinstance(found, Found):
        return Where(name, astray=problem(inputs.cluster_id, name, found))
    instances = instances_of(cluster, found.node, records)
    if not found.live:
        gone = f"{described(found.node)}, which answered to {quoted(name)}, has left cluster {inputs.cluster_id}"
        return Where(name, instances, gone)
    if not found.node.instance_id:
        return Where(name, instances, f"{described(found.node)} of cluster {inputs.cluster_id} holds no instance now")
    return Where(found.node.instance_id, instances)
