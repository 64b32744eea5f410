"""What a program declares about the review of a proposed remediation."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.choice import Choice
from pulumi_resource_togetherai.duration import Duration
from pulumi_resource_togetherai.remediation.rules.inputs import Identifier
from pulumi_resource_togetherai.spelling import Mode, instead


class Decision(Choice):
    """What a review decides."""

    APPROVE = ("APPROVE", "Start the proposed remediation.")
    REJECT = ("REJECT", "End it as CANCELLED, without doing anything.")


class IfGone(Choice):
    """What to do when the proposal vanished, or resolved itself, before it was reviewed."""

    SUCCEED = ("SUCCEED", "Record it: there is nothing left to decide.")
    FAIL = ("FAIL", "Stop, and report it.")


class ReviewInputs(BaseModel):
    """The inputs of a RemediationReview."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
        defer_build=True,
    )

    cluster_id: Identifier
    """The cluster of the node. Changing it makes a new review."""
    instance_id: Identifier
    """The instance (a GPU worker node's VM) of the proposal. Changing it makes a new review."""
    remediation_id: Identifier
    """The proposed remediation, in state PENDING_APPROVAL. Changing it makes a new review."""
    decision: Decision
    """What to decide. Changing it makes a new review, which the API accepts only if nothing has started: the provider
    first cancels an approved remediation that has not begun."""
    comment: str | None = None
    """Why, for the people who read the remediation's record. Changing it after the review changes nothing."""
    mode: Mode | None = None
    """With APPROVE: another mode than the proposed one, in short (`VM_ONLY`) or in full. You cannot choose
    HOST_POWER_CYCLE. Changing it after the review changes nothing."""
    expected_mode: Mode | None = None
    """The mode that you expect the proposal to have. The platform may raise a proposal's mode while it waits. If the
    proposal has another mode by then, the provider decides nothing."""
    wait: bool = True
    """With APPROVE: whether to wait until the remediation has ended."""
    timeout: Duration = "1h"
    """How long to wait for the remediation to end, such as `45m` or `1h30m`. `customTimeouts` overrides it."""
    if_gone: IfGone = IfGone.SUCCEED
    """What to do when the proposal vanished, or resolved itself, before it was reviewed."""

    @field_validator("decision", "if_gone", mode="before")
    @classmethod
    def _a_known_choice(cls, value: Any, info: ValidationInfo) -> Any:
        choices = Decision if info.field_name == "decision" else IfGone
        if value not in [*choices.__members__]:
            raise ValueError(f'"{value}" is not one of {", ".join(choices)}; {instead(value, choices.__members__)}')
        return value

    @field_validator("mode")
    @classmethod
    def _a_mode_to_approve(cls, mode: RemediationMode | None, info: ValidationInfo) -> RemediationMode | None:
        if mode is not None and info.data.get("decision") is Decision.REJECT:
            raise ValueError("is for APPROVE only; a rejected remediation has no mode. Remove it")
        if mode is RemediationMode.HOST_POWER_CYCLE:
            raise ValueError(
                "HOST_POWER_CYCLE cannot be chosen when approving. Reject the proposal and declare a Remediation of "
                "that mode"
            )
        return mode


REPLACING = ("clusterId", "instanceId", "remediationId", "decision")
"""The inputs whose change makes a new review. A change of any other does nothing."""
