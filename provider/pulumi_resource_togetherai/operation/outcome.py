"""What the end of a remediation means, whichever resource waits for it."""

from __future__ import annotations

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages

SUCCESSES = frozenset({RemediationState.SUCCEEDED, RemediationState.AUTO_RESOLVED})
"""The terminal states that make a resource complete. An end that this version cannot judge, a state that it does not
know, is an error."""


def ended_badly(record: Remediation) -> bool:
    """Whether it ended without doing its work, although the work was still needed."""
    return record.terminal and record.state not in SUCCESSES


def not_waited_for(record: Remediation) -> str:
    """Why a preview leaves a resource incomplete: it does not wait for the end."""
    return (
        f"{messages.name(record)} is {record.state}. A preview does not wait for its end; `pulumi refresh` and "
        "`pulumi up` do, and post nothing"
    )
