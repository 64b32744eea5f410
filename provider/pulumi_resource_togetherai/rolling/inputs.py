"""What a program declares about a rolling remediation, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from pulumi_resource_togetherai.fields import Identifier, Mode, Named, Outputs
from pulumi_resource_togetherai.remediation.rules.inputs import Settings


class RollingInputs(Settings):
    """The inputs of a RollingRemediation. The settings of a Remediation apply to each of its remediations."""

    one_of = (("instances",), ("nodes",))

    cluster_id: Identifier
    """The cluster of the nodes."""
    instances: list[Identifier] | None = None
    """The instances (GPU worker nodes' VMs) to repair, in this order; or give the `nodes`. Adding one, or removing one
    that is done, leaves the others alone."""
    nodes: list[Named] | None = None
    """The nodes to repair, in this order, each by any name that the API knows for it, as `node` of a Remediation. Give
    them or the `instances`. Adding one, or removing one that is done, leaves the others alone."""
    mode: Mode
    """How to repair the nodes. Write it in short (`VM_ONLY`) or in full (`REMEDIATION_MODE_VM_ONLY`). Changing it runs
    new remediations."""
    max_concurrent: int = Field(default=1, ge=1)
    """How many nodes to repair at once."""
    stop_on_failure: bool = True
    """Whether to start nothing more once a remediation FAILED or was CANCELLED. If false, the stack records such an end
    and the next node follows."""

    @field_validator("instances", "nodes")
    @classmethod
    def _each_once(cls, listed: list[str] | None) -> list[str] | None:
        # Host names and UUIDs count without regard to case.
        compared = [one.casefold() for one in listed or ()]
        for index, one in enumerate(compared):
            if one in compared[:index]:
                raise ValueError(f"{(listed or ())[index]} is listed twice")
        return listed


INPUT_OF_EACH = {"instances": "instanceId", "nodes": "node"}
"""The inputs that list what to repair, and the input of a remediation that is for one of them."""
DECIDING = (*INPUT_OF_EACH, "maxConcurrent", "stopOnFailure")
"""The inputs that decide which remediations there are. Without them nothing can be planned."""
OF_EACH = ("clusterId", "mode", *(str(field.alias) for field in Settings.model_fields.values()))
"""The inputs that go to each remediation."""


def listed(inputs: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What checked inputs list to repair: which input does, and the ids or names in it."""
    name = next(name for name in INPUT_OF_EACH if name in inputs)
    return name, inputs[name]


class RollingOutputs(Outputs):
    """The outputs of a RollingRemediation."""

    states: dict[str, str]
    """The state of each node's remediation, by what `instances` or `nodes` name it."""
    counts: dict[str, int]
    """How many remediations are in each state."""
