"""The remediations of a node as one resource sees them: which are there, and which of its own were withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pulumi_resource_togetherai.api.models import Remediation


@dataclass(frozen=True)
class History:
    """The remediations of a node, newest first."""

    records: list[Remediation]
    """Those of the instance; under a node's name, those of every instance that is or was the node."""
    instance_id: str
    """The instance that a remediation would be started of."""
    former: list[Remediation] = field(default_factory=list[Remediation])
    """Those of the other instances that are or were the node of the instance. They count as the node's, but a resource
    that names an instance counts no attempt of it among them."""
    withdrawn: frozenset[str] = frozenset()
    """The ids of the resource's own that were cancelled before they began because others came first."""
    incomplete: str = ""
    """Why the API's list may lack one, which may be this resource's; empty if it is complete."""
    astray: str = ""
    """Why the node's name leads to no instance, so that nothing can be started; empty if it does."""
    ending: frozenset[str] = frozenset()
    """The ids of those that will have ended before anything is done."""

    @property
    def of_the_node(self) -> list[Remediation]:
        """All that is of the node."""
        return [*self.records, *self.former]

    def newest(self, known: Remediation) -> Remediation:
        """The same remediation as the API lists it; as it is known where the API does not list it."""
        return next((record for record in self.of_the_node if record.id == known.id), known)

    def once_ended(self, record: Remediation) -> History:
        """The same as it will be when one has ended."""
        return replace(self, ending=self.ending | {record.id})

    def beside(self, found: Remediation) -> History:
        """The same with one that the API did not list."""
        return replace(self, records=[found, *self.records])
