"""The decision before a POST: take over a remediation that is there, start one, report one, or refuse.

A pure function of what the API lists. It is what keeps a remediation from running twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import precedence
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.remediation.rules.identity import Identity, Own
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.outcome import replacing


@dataclass(frozen=True)
class Post:
    """Start a remediation: this attempt of this resource, under this key."""

    attempt: int
    key: str
    because: str
    warning: str = ""
    """What the user should know before it runs; empty if there is nothing."""


@dataclass(frozen=True)
class Adopt:
    """Take a remediation over instead of starting one. `attempt` is None if it is somebody else's."""

    record: Remediation
    attempt: int | None
    because: str
    warns: bool = False
    """Whether the user should be warned, because nothing will run."""


@dataclass(frozen=True)
class Refuse:
    """Start nothing and take nothing over."""

    because: str


Decision = Post | Adopt | Refuse


@dataclass(frozen=True)
class Recent:
    """The rule about a node that somebody else has repaired a short while ago."""

    choice: IfRecent
    window: timedelta
    """How long ago that may have been."""


def decide(
    identity: Identity,
    history: Sequence[Remediation],
    *,
    former: Sequence[Remediation] = (),
    now: datetime,
    intent: Intent,
    recent: Recent,
    withdrawn: Collection[str] = (),
    ending: Collection[str] = (),
) -> Decision:
    """What to do, given the instance's remediations, newest first.

    `former`: those of the other instances that are or were the same node. `intent`: what the user asked for.
    `withdrawn`: the ids of our remediations that were cancelled before they began because others came first (see
    `precedence`). These do not count as bad ends. `ending`: the ids of those that will have ended before anything is
    done.
    """

    def stays(record: Remediation) -> bool:
        return not record.terminal and record.id not in ending

    inputs, explicit = identity.inputs, identity.chosen
    ours = [own for record in history if (own := identity.own(record)) is not None]
    used = next((record for record in history if explicit is not None and same_id(record.id, explicit)), None)
    if used is not None and used.mode != inputs.mode:
        return _in_use(used)
    if active := [own for own in ours if own.declared and stays(own.record)]:
        # Two runs of the stack at once may both have started one, and either may have been killed. So take over the one
        # that has to give way: it is withdrawn, and then the other one is taken over.
        own = max(active, key=lambda own: precedence(own.record))
        return Adopt(own.record, own.attempt, f"{_known(identity)} and is {messages.state(own.record)}")
    last = _newest(ours)
    if (
        last is not None
        and last.declared
        and last.record.id not in withdrawn
        and not intent.another_after(last)
        and not _asked_anew(identity, last, now, recent)
    ):
        if not ended_badly(last.record):
            return _done_already(last, identity, now)
        if not (inputs.retry_failed and last.record.state == RemediationState.FAILED):
            because = f"it {messages.ended(last.record)} and does not run again by itself"
            return Adopt(last.record, last.attempt, because)
    others = [record for record in (*history, *former) if stays(record)]
    if beside := _beside(identity, others, [*history, *former], now, recent, intent):
        return beside
    post = _post(identity, ours, last, withdrawn, ending, now, others, replace=intent.replace)
    return _in_use(used) if used is not None and used.id == post.key else post


def _in_use(used: Remediation) -> Refuse:
    """A key that the program chose is good for one declaration."""
    return Refuse(
        f"the idempotency key {used.id} belongs to another remediation already: {messages.whose(used)}. Nothing was "
        "posted. Choose another `idempotencyKey`"
    )


def _known(identity: Identity) -> str:
    return "the same was asked for before" if identity.stateless else "it belongs to this resource"


def _newest(ours: Sequence[Own]) -> Own | None:
    """The last attempt. Two runs of the stack at once may have started one twice and withdrawn one: the other one
    counts."""
    return max(ours, key=lambda own: (own.attempt, not ended_badly(own.record)), default=None)


def _asked_anew(identity: Identity, last: Own, now: datetime, recent: Recent) -> bool:
    """Whether what is asked for is no repetition: nobody remembers it without a stack, so what ended before the window
    counts no more, unless a key says that it is the same."""
    end = last.record.end_time or last.record.update_time
    if not identity.stateless or identity.inputs.idempotency_key is not None or end is None:
        return False
    return now - end > recent.window


def _done_already(last: Own, identity: Identity, now: datetime) -> Adopt:
    again = identity.inputs.again
    return Adopt(
        last.record,
        last.attempt,
        f"{_known(identity)} and {messages.state(last.record)} {messages.age(last.record, now)} ago, so "
        f"nothing runs; to run another one, change {again}, or: {replacing(identity.urn)}",
        warns=True,
    )


def _beside(
    identity: Identity,
    others: Sequence[Remediation],
    history: Sequence[Remediation],
    now: datetime,
    recent: Recent,
    intent: Intent,
) -> Decision | None:
    """What `ifActive` says of what somebody else, or an earlier declaration of this resource, has under way; None if
    that is nothing. A proposal stands in nobody's way."""
    inputs = identity.inputs
    other = next((record for record in others if record.state != RemediationState.PENDING_APPROVAL), None)
    if inputs.if_active is IfActive.ADOPT:
        if other is not None:
            return Adopt(other, None, "it is active and `ifActive` is ADOPT")
        done = recent_repair(identity, history, now, recent.window)
        # A run may come when what its preview promised to wait for has just ended. One of this program ran before on
        # purpose.
        if (
            done is not None
            and recent.choice is not IfRecent.IGNORE
            and not identity.same_program(done)
            and not intent.another_than(done)
        ):
            return Adopt(
                done,
                None,
                f"it SUCCEEDED {messages.age(done, now)} ago, and `ifActive` is ADOPT; to repair the node once more on "
                "purpose, set `ifRecent` to IGNORE",
                warns=True,
            )
    if other is not None and inputs.if_active is IfActive.FAIL:
        name = identity.urn.rpartition("::")[2]
        # What is imported declares an instance: for a program that names a node, or another instance of it, that is
        # another declaration, and the next `up` would repair the fresh VM.
        same = inputs.instance_id is not None and same_id(inputs.instance_id, other.instance_id)
        which = messages.by_id(other) if same or inputs.node is not None else messages.whose(other)
        return Refuse(
            messages.told(
                f"{inputs.target} is being repaired already: {which}. Nothing was posted",
                "The stack records nothing of it",
                "next: wait for it to end, then run `pulumi up` again",
                "to wait for it here: set `ifActive` to ADOPT",
                "to start another one at the same time: set `ifActive` to CREATE",
                f"to take it over: pulumi import togetherai:index:Remediation '{name}' {messages.import_id(other)}"
                if same
                else "",
            )
        )
    return None


def _post(
    identity: Identity,
    ours: Sequence[Own],
    last: Own | None,
    withdrawn: Collection[str],
    ending: Collection[str],
    now: datetime,
    others: Sequence[Remediation],
    *,
    replace: bool,
) -> Post:
    attempt, because = 1, "no earlier attempt"
    if last is not None:
        attempt = last.attempt + 1
        if not last.record.terminal:
            what = "ends first" if last.record.id in ending else f"is {messages.state(last.record)}"
        else:
            withdrew = last.record.id in withdrawn
            ended = "was withdrawn before it began" if withdrew else messages.ended(last.record)
            what = f"{ended} {messages.age(last.record, now)} ago"
        because = f"attempt {last.attempt} ({last.record.id}) {what}"
    key = identity.key(attempt, again=any(own.declared for own in ours))
    warning = list[str]()
    if last is not None and last.declared and last.record.terminal and not ended_badly(last.record):
        done = f"{messages.name(last.record)} {messages.state(last.record)} {messages.age(last.record, now)} ago"
        warning.append(f"{done}; another attempt was asked for")
        if replace:
            # The engine tells no provider what the stack holds when it is told to replace.
            warning.append(
                f"If a `--replace` that was stopped has started {last.record.id}, run `pulumi refresh` instead"
            )
    for record in others:
        if record.state == RemediationState.PENDING_APPROVAL:
            warning.append(f"the platform has proposed a repair of the same node: {messages.whose(record)}")
            break
    return Post(attempt, key, because, ". ".join(warning))


def recent_repair(
    identity: Identity, history: Sequence[Remediation], now: datetime, window: timedelta
) -> Remediation | None:
    """The newest remediation that SUCCEEDED within the window and is somebody else's. An AUTO_RESOLVED one repaired
    nothing."""
    ended = [
        (end, record)
        for record in history
        if record.state == RemediationState.SUCCEEDED
        and (end := record.end_time or record.update_time) is not None
        and now - end <= window
        and ((own := identity.own(record)) is None or (identity.stateless and not own.declared))
    ]
    return max(ended, key=lambda item: item[0])[1] if ended else None
