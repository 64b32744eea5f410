"""What a program declares about the review of a proposed remediation."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.fields import Choice, Duration, Identifier, Inputs, Mode


class Decision(Choice):
    """What a review decides."""

    APPROVE = ("APPROVE", "Start the proposed remediation.")
    REJECT = ("REJECT", "End it as CANCELLED, without doing anything.")


class IfGone(Choice):
    """What to do when the proposal vanished, or resolved itself, before it was reviewed."""

    SUCCEED = ("SUCCEED", "Record it: there is nothing left to decide.")
    FAIL = ("FAIL", "Stop, and report it.")


class ReviewInputs(Inputs):
    """The inputs of a RemediationReview."""

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
