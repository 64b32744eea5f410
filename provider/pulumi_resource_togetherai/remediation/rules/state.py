"""What the stack records about a remediation, and the id under which it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.fields import Outputs
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs


class Bookkeeping(Outputs):
    """The outputs that are neither inputs nor fields of the API's record."""

    remediation_id: str
    """The remediation's id."""
    attempt: int | None = None
    """Which attempt of this resource it is; the first is 1. Unset for a remediation that somebody else started."""
    adopted: bool = False
    """Whether somebody else started it and `ifActive: ADOPT` took it over. Deleting the resource never cancels it."""
    resumed: bool = False
    """Whether this stack found it by its marker, and cannot prove that it started it: a run may have been killed, or a
    stack of the same names in another backend may have started it. Deleting the resource then does not cancel it."""
    withdrawn: bool = False
    """Whether the provider cancelled it before it began, because another remediation of the node came first, or others
    filled the cluster up to `maxConcurrentPerCluster`. The next `pulumi up` starts a new one."""
    current_instance_id: str | None = None
    """The instance that was in the node once the remediation had ended: another one than `instanceId` if the VM was
    replaced. Unset where the API does not show it."""
    current_host: str | None = None
    """The host name of the node once the remediation had ended. Unset where the API does not show it."""


def output_names() -> list[str]:
    """The outputs that are not inputs, by their Python names."""
    names = (*Bookkeeping.model_fields, *Remediation.model_fields)
    return [name for name in names if name != "id" and name not in RemediationInputs.model_fields]


@dataclass(frozen=True)
class State:
    """A remediation as a resource: what was declared, what the API says, and how the resource came by it."""

    inputs: RemediationInputs
    record: Remediation
    attempt: int | None = None
    adopted: bool = False
    resumed: bool = False
    withdrawn: bool = False
    current_instance_id: str | None = None
    current_host: str | None = None

    @property
    def id(self) -> str:
        """The resource's id, which is also its import id."""
        return f"{self.record.cluster_id}/{self.record.instance_id}/{self.record.id}"

    def seen(self, record: Remediation) -> State:
        """The same resource with a newer record."""
        return replace(self, record=record)

    def outputs(self) -> dict[str, Any]:
        """The outputs. Where an input and the API's record share a name, the record's value stands."""
        kept = Bookkeeping(
            remediation_id=self.record.id,
            attempt=self.attempt,
            adopted=self.adopted,
            resumed=self.resumed,
            withdrawn=self.withdrawn,
            current_instance_id=self.current_instance_id,
            current_host=self.current_host,
        )
        return (
            self.inputs.model_dump(mode="json", by_alias=True, exclude_none=True)
            | self.record.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"id"})
            | kept.model_dump(by_alias=True, exclude_none=True)
        )

    @classmethod
    def recorded(cls, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
        """The state that outputs and inputs from the stack describe."""
        kept = Bookkeeping.model_validate(outputs)
        names = {str(field.alias) for field in Remediation.model_fields.values()}
        record = {name: value for name, value in outputs.items() if name in names}
        return cls(
            RemediationInputs.model_validate(inputs),
            Remediation.model_validate(record | {"id": kept.remediation_id}),
            kept.attempt,
            kept.adopted,
            kept.resumed,
            kept.withdrawn,
            kept.current_instance_id,
            kept.current_host,
        )
