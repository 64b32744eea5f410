"""The decision before a POST: take over a remediation that is there, start one, report one, or refuse.

A pure function of what the API lists. It is what keeps a remediation from running twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive
from pulumi_resource_togetherai.remediation.rules.outcome import ended_badly


@dataclass(frozen=True)
class Post:
    """Start a remediation: this attempt of this resource."""

    attempt: int
    because: str
    beware: str = ""
    """What the user should know before it runs; empty if there is nothing."""


@dataclass(frozen=True)
class Adopt:
    """Take a remediation over instead of starting one. `attempt` is None if it is somebody else's."""

    record: Remediation
    attempt: int | None
    because: str
    surprising: bool = False
    """Whether the user should be warned, because nothing will run."""


@dataclass(frozen=True)
class Refuse:
    """Start nothing and take nothing over."""

    because: str


Decision = Post | Adopt | Refuse


def decide(
    identity: Identity,
    history: Sequence[Remediation],
    *,
    now: datetime,
    window: timedelta,
    recorded: bool,
    withdrawn: Collection[str] = (),
) -> Decision:
    """What to do, given the instance's remediations, newest first.

    `window`: how recently ours must have ended well to be taken over. `recorded`: whether the stack holds this resource
    already, declared as it is now; then a second create means that the user has asked for another attempt after a bad
    end. `withdrawn`: the ids of our remediations that were cancelled before they began because others came first (see
    `precedence`). These do not count as bad ends.
    """
    inputs = identity.inputs
    ours = [(attempt, record) for record in history if (attempt := identity.attempt_of(record)) is not None]
    for attempt, record in ours:
        if record.mode != inputs.mode:
            return Refuse(
                f"the idempotency key {identity.key(attempt)} already belongs to a remediation of another mode: "
                f"{messages.whose(record)}. Nothing was posted. Choose another `idempotencyKey`"
            )
        if not record.terminal:
            return Adopt(record, attempt, f"it belongs to this resource and is {record.state}")
    attempt, because = 1, "no earlier attempt"
    if ours:
        # Two runs of the stack at once may have started an attempt twice and withdrawn one: the other one counts.
        last, record = max(ours, key=lambda item: (item[0], not ended_badly(item[1])))
        if record.id in withdrawn:
            pass
        elif ended_badly(record):
            may_retry = recorded or (inputs.retry_failed and record.state == RemediationState.FAILED)
            if not may_retry:
                return Adopt(record, last, f"it {record.state} and does not run again by itself")
        elif (ended := record.end_time or record.update_time) is None or now - ended <= window:
            return Adopt(
                record,
                last,
                f"it belongs to this resource and {record.state} {messages.age(record, now)} ago; "
                "to run another one, change `triggers`",
                surprising=True,
            )
        attempt = last + 1
        what = "was withdrawn before it began" if record.id in withdrawn else record.state
        because = f"attempt {last} ({record.id}) {what} {messages.age(record, now)} ago"
    others = [record for record in history if not record.terminal]
    if others:
        other = others[0]
        if inputs.if_active is IfActive.ADOPT:
            return Adopt(other, None, "it is active and `ifActive` is ADOPT")
        if inputs.if_active is IfActive.FAIL:
            return Refuse(
                f"{inputs.node} is being repaired already: {messages.whose(other)}. Nothing was posted. Wait "
                "for it to end; or set `ifActive` to ADOPT to wait for it here, or to CREATE to start another one at "
                "the same time; or take it over with `pulumi import togetherai:index:Remediation <name> "
                f"{messages.import_id(other)}`"
            )
    return Post(attempt, because)
