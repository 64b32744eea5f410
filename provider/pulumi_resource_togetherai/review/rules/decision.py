"""The decision before a review: make it, adopt one that was already made, or refuse.

A pure function of what the API says about the remediation.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.review.rules.inputs import Decision, IfGone, ReviewInputs
from pulumi_resource_togetherai.review.rules.messages import done, reviewer


@dataclass(frozen=True)
class Review:
    """Approve or reject the proposal."""

    record: Remediation


@dataclass(frozen=True)
class Adopt:
    """The same decision was made already."""

    record: Remediation
    because: str


@dataclass(frozen=True)
class Gone:
    """There is nothing left to decide."""

    record: Remediation | None
    because: str


@dataclass(frozen=True)
class Refuse:
    """Decide nothing."""

    because: str


Choice = Review | Adopt | Gone | Refuse


def decide(inputs: ReviewInputs, record: Remediation | None) -> Choice:
    """What to do about a remediation, given its record; None if the API knows no such one."""
    if record is None:
        return _gone(inputs, None, f"the API no longer knows {inputs.target}: the proposal has vanished")
    if record.state == RemediationState.PENDING_APPROVAL:
        return _pending(inputs, record)
    if record.state == RemediationState.AUTO_RESOLVED and not reviewed(record):
        return _gone(inputs, record, f"{messages.name(record)} was not needed: the fault went away by itself")
    if record.state == RemediationState.CANCELLED:
        how = f"was rejected or cancelled{reviewer(record)}"
        if inputs.decision is Decision.REJECT:
            return Adopt(record, f"it {how} already")
        return Refuse(f"{messages.name(record)} {how} already and cannot be approved any more")
    if not reviewed(record):
        return Refuse(
            f"{messages.whose(record)}, is not waiting for a review. Nothing was {done(inputs.decision)}. Remove the "
            "review"
        )
    if inputs.decision is Decision.REJECT:
        return Refuse(
            f"{messages.name(record)} was approved already{reviewer(record)} and is {record.state}. It cannot be "
            "rejected any more"
        )
    believed = inputs.mode or inputs.expected_mode
    if believed is not None and believed != record.mode:
        return Refuse(
            f"{messages.name(record)} was approved already{reviewer(record)}, but not as {believed.short}. Nothing was "
            "changed"
        )
    return Adopt(record, f"it was approved already{reviewer(record)}")


def reviewed(record: Remediation) -> bool:
    """Whether somebody has approved or rejected it."""
    return bool(record.reviewed_by or record.review_time)


def _pending(inputs: ReviewInputs, record: Remediation) -> Choice:
    if inputs.expected_mode is not None and inputs.expected_mode != record.mode:
        return Refuse(
            f"{messages.name(record)} is no longer the {inputs.expected_mode.short} that `expectedMode` says: its mode "
            f"is {record.mode.short} now. Nothing was {done(inputs.decision)}. Look at it again, and if it is right, "
            f"set `expectedMode` to {record.mode.short}"
        )
    return Review(record)


def _gone(inputs: ReviewInputs, record: Remediation | None, because: str) -> Gone | Refuse:
    if inputs.if_gone is IfGone.FAIL:
        return Refuse(f"{because}, and `ifGone` is FAIL. Nothing was {done(inputs.decision)}")
    return Gone(record, because)
