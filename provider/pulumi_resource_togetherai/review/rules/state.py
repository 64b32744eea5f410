"""What the stack records about a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.fields import Outputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs


class Bookkeeping(Outputs):
    """The outputs that are neither inputs nor fields of the API's record."""

    remediation_id: str
    """The remediation that was proposed."""
    adopted: bool = False
    """Whether the same decision had been made already, by somebody else or by a run whose result was not saved.
    Deleting the resource then cancels nothing."""
    gone: bool = False
    """Whether the proposal had vanished, or resolved itself, before it was reviewed."""


def output_names() -> list[str]:
    """The outputs that are not inputs, by their Python names."""
    names = (*Bookkeeping.model_fields, *Remediation.model_fields)
    return [name for name in names if name != "id" and name not in ReviewInputs.model_fields]


@dataclass(frozen=True)
class State:
    """A review as a resource: what was declared, and what the API says of the remediation."""

    inputs: ReviewInputs
    """With the ids of the proposal, where the program names its node."""
    record: Remediation | None
    """None if the API knew of no such remediation any more."""
    adopted: bool = False
    gone: bool = False

    @property
    def id(self) -> str:
        """The resource's id, which is also its import id."""
        return "/".join((self.inputs.cluster_id, *self.inputs.ids))

    def seen(self, record: Remediation) -> State:
        """The same resource with a newer record."""
        return replace(self, record=record)

    def outputs(self) -> dict[str, Any]:
        """The outputs. Where an input and the API's record share a name, the record's value stands."""
        record = (
            self.record.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"id"}) if self.record else {}
        )
        return (
            self.inputs.model_dump(mode="json", by_alias=True, exclude_none=True)
            | record
            | Bookkeeping(remediation_id=self.inputs.ids[1], adopted=self.adopted, gone=self.gone).model_dump(
                by_alias=True
            )
        )

    @classmethod
    def recorded(cls, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
        """The state that outputs and inputs from the stack describe."""
        known = {**inputs, **outputs}
        kept = Bookkeeping.model_validate(known)
        declared = ReviewInputs.model_validate(inputs).at(known["instanceId"], kept.remediation_id)
        names = {str(field.alias) for field in Remediation.model_fields.values()}
        record = {name: value for name, value in outputs.items() if name in names} | {"id": kept.remediation_id}
        return cls(
            declared, Remediation.model_validate(record) if "state" in outputs else None, kept.adopted, kept.gone
        )
