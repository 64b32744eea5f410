"""What a program declares about a rolling remediation, and what comes out of it."""

from __future__ import annotations

from pydantic import Field, field_validator

from pulumi_resource_togetherai.fields import Identifier, Mode, Outputs
from pulumi_resource_togetherai.remediation.rules.inputs import Settings


class RollingInputs(Settings):
    """The inputs of a RollingRemediation. The settings of a Remediation apply to each of its remediations."""

    cluster_id: Identifier
    """The cluster of the nodes."""
    instances: list[Identifier]
    """The instances (GPU worker nodes' VMs) to repair, in this order. Adding one, or removing one that is done, leaves
    the others alone."""
    mode: Mode
    """How to repair the nodes, in short (`VM_ONLY`) or in full (`REMEDIATION_MODE_VM_ONLY`). Changing it runs new
    remediations."""
    max_concurrent: int = Field(default=1, ge=1)
    """How many nodes to repair at once."""
    stop_on_failure: bool = True
    """Whether to start nothing more once a remediation FAILED or was CANCELLED. If false, the stack records such an end
    and the next node follows."""

    @field_validator("instances")
    @classmethod
    def _each_once(cls, instances: list[str]) -> list[str]:
        twice = next((one for index, one in enumerate(instances) if one in instances[:index]), None)
        if twice is not None:
            raise ValueError(f"{twice} is listed twice")
        return instances


DECIDING = ("instances", "maxConcurrent", "stopOnFailure")
"""The inputs that decide which remediations there are. Without them nothing can be planned."""
OF_EACH = ("clusterId", "mode", *(str(field.alias) for field in Settings.model_fields.values()))
"""The inputs that go to each remediation."""


class RollingOutputs(Outputs):
    """The outputs of a RollingRemediation."""

    states: dict[str, str]
    """The state of each instance's remediation, by instance id."""
    counts: dict[str, int]
    """How many remediations are in each state."""
