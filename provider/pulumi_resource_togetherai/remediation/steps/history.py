"""The remediations of an instance as one resource sees them: which are there, and which of its own were withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Rules, may_have_been_withdrawn
from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive


@dataclass(frozen=True)
class History:
    """The remediations of an instance, newest first."""

    records: list[Remediation]
    withdrawn: frozenset[str] = frozenset()
    """The ids of the resource's own that were cancelled before they began because others came first."""
    incomplete: str = ""
    """Why the API's list may lack one, which may be this resource's; empty if it is complete."""
    ending: frozenset[str] = frozenset()
    """The ids of those that will have ended before anything is done."""

    def newest(self, known: Remediation) -> Remediation:
        """The same remediation as the API lists it; as it is known where the API does not list it."""
        return next((record for record in self.records if record.id == known.id), known)

    def once_ended(self, record: Remediation) -> History:
        """The same as it will be when one has ended."""
        return replace(self, ending=self.ending | {record.id})

    def beside(self, found: Remediation) -> History:
        """The same with one that the API did not list."""
        return replace(self, records=[found, *self.records])


async def history_of(run: Run, identity: Identity, *, preview: bool = False) -> History:
    """The instance's remediations as this resource sees them. Raises ApiError."""
    inputs, view = identity.inputs, run.cluster(identity.inputs.cluster_id)
    records = await view.node(inputs.instance_id, preview=preview)
    suspects = [record for record in records if may_have_been_withdrawn(record) and identity.own(record) is not None]
    if not suspects:
        return History(records, incomplete=records.incomplete)
    limit = run.config.max_concurrent_per_cluster
    known = records if limit is None else await view.everything()
    rules = Rules(one_per_node=inputs.if_active is not IfActive.CREATE, limit=limit)
    withdrawn = (one.id for one in suspects if rules.was_withdrawn(one, known))
    return History(records, frozenset(withdrawn), records.incomplete)


async def was_withdrawn(run: Run, identity: Identity, record: Remediation) -> bool:
    """Whether a remediation of this resource that may have been withdrawn was, by another run. Raises ApiError."""
    return record.id in (await history_of(run, identity)).withdrawn
