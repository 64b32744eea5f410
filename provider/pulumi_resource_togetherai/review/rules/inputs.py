"""What a program declares about the review of a proposed remediation."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.fields import Choice, Duration, Identifier, Inputs, Mode, Named


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

    one_of = (("instanceId", "remediationId"), ("node",))

    cluster_id: Identifier
    """The cluster of the node. Changing it makes a new review."""
    instance_id: Identifier | None = None
    """The instance (a GPU worker node's VM) of the proposal; or give the node. It goes with the `remediationId`.
    Changing it makes a new review."""
    remediation_id: Identifier | None = None
    """The proposed remediation, in state PENDING_APPROVAL; or give the node. It goes with the `instanceId`. Changing it
    makes a new review."""
    node: Named | None = None
    """The node of the proposal, by any name that the API knows for it. That is its node id, host name, Slurm host
    name, instance name or instance id. The provider reviews the one proposal that the node has, and nothing if it has
    none or several. The resource stays the review of that proposal, whatever is proposed later. Changing it makes a new
    review."""
    decision: Decision
    """What to decide. Changing it makes a new review, which the API accepts only if nothing has started: the provider
    first cancels an approved remediation that has not begun."""
    comment: str | None = None
    """Why, for the people who read the remediation's record. Changing it after the review changes nothing."""
    mode: Mode | None = None
    """With APPROVE: another mode than the proposed one. Write it in short (`VM_ONLY`) or in full. You cannot choose
    HOST_POWER_CYCLE. Changing it after the review changes nothing."""
    expected_mode: Mode | None = None
    """The mode that you expect the proposal to have. The platform may raise a proposal's mode while it waits. If the
    proposal has another mode by then, the provider decides nothing."""
    wait: bool = True
    """With APPROVE: whether to wait until the remediation has ended."""
    timeout: Duration = "1h"
    """How long to wait for the remediation to end, such as 45m or 1h30m. `customTimeouts` overrides it."""
    accept_failure: bool = False
    """Whether an approved remediation that FAILED or was CANCELLED is recorded like any other. If false, such an end is
    an error."""
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

    @property
    def target(self) -> str:
        """The proposal, as messages name it."""
        if self.node is not None and self.remediation_id is None:
            return f"the proposal of {messages.node_named(self.cluster_id, self.node)}"
        return f"remediation {self.remediation_id} of instance {self.instance_id} in cluster {self.cluster_id}"

    @property
    def ids(self) -> tuple[str, str]:
        """The proposal's instance and id; empty while its node is yet to be looked up."""
        return self.instance_id or "", self.remediation_id or ""

    def at(self, instance_id: str, remediation_id: str) -> ReviewInputs:
        """The same inputs with the ids of the proposal that the node had."""
        return self.model_copy(update={"instance_id": instance_id, "remediation_id": remediation_id})


REPLACING = ("clusterId", "instanceId", "remediationId", "node", "decision")
"""The inputs whose change makes a new review. A change of any other does nothing."""
