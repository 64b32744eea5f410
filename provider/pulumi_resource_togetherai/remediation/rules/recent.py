"""`ifRecent`: what to do if another remediation of the node succeeded a short while ago."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.config import IfRecent, ProviderConfig
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation.rules.decision import Decision, Post, Refuse
from pulumi_resource_togetherai.remediation.rules.identity import Identity


def recent_repair(
    identity: Identity, history: Iterable[Remediation], now: datetime, window: timedelta, own: str | None
) -> Remediation | None:
    """The newest remediation that SUCCEEDED within the window and is somebody else's. An AUTO_RESOLVED one repaired
    nothing. `own` is the id of the remediation that this resource had under other inputs."""
    ended = [
        (end, record)
        for record in history
        if record.state == RemediationState.SUCCEEDED
        and (end := record.end_time or record.update_time) is not None
        and now - end <= window
        and record.id != own
        and identity.attempt_of(record) is None
    ]
    return max(ended, key=lambda item: item[0])[1] if ended else None


def reckon(
    decision: Decision,
    identity: Identity,
    history: Iterable[Remediation],
    *,
    now: datetime,
    config: ProviderConfig,
    own: str | None,
) -> Decision:
    """Applies `ifRecent` to a decision: warns of a POST to a node that was repaired a short while ago, or refuses
    it."""
    inputs = identity.inputs
    choice = inputs.if_recent or config.if_recent
    if not isinstance(decision, Post) or choice is IfRecent.IGNORE:
        return decision
    window = timedelta(seconds=seconds(inputs.recent_window or config.recent_window))
    repair = recent_repair(identity, history, now, window, own)
    if repair is None:
        return decision
    when = f" at {repair.end_time:%Y-%m-%d %H:%M:%S} UTC" if repair.end_time else ""
    found = f"{inputs.node} was repaired {messages.age(repair, now)} ago{when}, by {messages.whose(repair)}"
    if choice is IfRecent.FAIL:
        return Refuse(
            f"{found}, and `ifRecent` is FAIL. Nothing was posted. To repair it once more on purpose, set `ifRecent` "
            "to IGNORE"
        )
    return replace(decision, beware=f"{found}. To repair it once more on purpose, set `ifRecent` to IGNORE")
