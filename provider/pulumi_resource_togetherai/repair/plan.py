"""What is to be done about each node of a cluster now: a pure function of what the API lists, the policy and the time.

The records are the only memory. So the same records give the same plan, whichever process makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.enums import DescribedEnum, RemediationMode, RemediationState
from pulumi_resource_togetherai.api.listed import Unreadable
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.functions.health import Health, counts
from pulumi_resource_togetherai.repair.fits import fits
from pulumi_resource_togetherai.repair.rules import Action, Policy, Rule
from pulumi_resource_togetherai.repair.scope import Scope, scope_of
from pulumi_resource_togetherai.repair.seen import Seen, ended_at, every_node
from pulumi_resource_togetherai.repair.words import unknown_words
from pulumi_resource_togetherai.sanitize import quoted

Ours = Callable[[Remediation], bool]
"""Whether a remediation is of the component that asks."""


class Word(DescribedEnum):
    """What is to be done about a node."""

    CONTINUE = ("CONTINUE", "Go on waiting for the remediation that is under way, which is ours.")
    APPROVE = ("APPROVE", "Approve the platform's proposal.")
    START = ("START", "Start a remediation, in place of the platform's proposal if there is one.")
    REJECT = ("REJECT", "Reject the platform's proposal.")
    WAIT = ("WAIT", "Do nothing yet.")
    PERSON = ("PERSON", "Do nothing: a person has to look at the node.")
    LEAVE = ("LEAVE", "Do nothing.")


BEGINS = frozenset({Word.APPROVE, Word.START})
"""What puts a node under repair."""
_HELD = BEGINS | {Word.REJECT}
"""What is not done while too many nodes are unhealthy."""


@dataclass(frozen=True)
class Decision:
    """What is to be done about one node."""

    word: Word
    node: str
    """The node's name that stays."""
    instance_id: str
    """The instance that is or will be repaired; empty if the node has none."""
    because: str
    """Why, for people."""
    rule: str = ""
    """The rule that decides; empty if none does."""
    mode: RemediationMode | None = None
    """With CONTINUE, APPROVE and START: how the node is repaired."""
    record: Remediation | None = None
    """With CONTINUE: what is under way. With APPROVE and REJECT: the proposal, in the mode that is expected of it. With
    START: the proposal to reject before, if there is one."""
    after: str = ""
    """With START: the id of the node's remediation that was the last one to end before; empty if none had. It tells one
    fault of a node from the next one. With CONTINUE: the same, as far as the times of the records say."""
    until: datetime | None = None
    """With WAIT: until when, if that is known."""
    ended: Sequence[str] = ()
    """With CONTINUE: the ids of all remediations of the node that have ended, the last one first."""


@dataclass(frozen=True)
class Plan:
    """What is to be done about a cluster."""

    decisions: Sequence[Decision]
    """One for each node that the policy is about, and for each remediation of ours, in the order of their names."""
    nodes: int
    """How many nodes the cluster has."""
    unhealthy: int
    """How many of them are unhealthy: their status says so, they are or are to be repaired, or a repair is proposed."""
    under_repair: int
    """How many of them are under repair already, whoever started it."""
    halted: str = ""
    """Why nothing is started; empty if something may be."""
    warnings: Sequence[str] = ()
    """What in the policy or in the cluster may be a mistake, or a word that this version does not know."""

    @property
    def counts(self) -> Mapping[Word, int]:
        """How many decisions there are of each kind."""
        return Counter(decision.word for decision in self.decisions)


def plan(
    cluster: Cluster,
    records: Iterable[Remediation],
    policy: Policy,
    ours: Ours,
    now: datetime,
    *,
    replaced: Ours = lambda _: False,
    unreadable: Iterable[Unreadable] = (),
) -> Plan:
    """What to do about each node of a cluster.

    `records`: all remediations of the cluster, of which none may be missing but those in `unreadable`, which the API
    lists and which cannot be read: nothing is started on their nodes, and nothing at all where it is not known which
    nodes those are. `replaced`: whether the component that asks has rejected a proposal to start another remediation in
    its place.
    """
    known, hidden = list(records), list(unreadable)
    everything = every_node(cluster, known, [one for one in hidden if one.instance_id])
    scope = scope_of(cluster, policy)
    judged = [(seen, _about(seen, policy, scope, ours, replaced, now)) for seen in everything]
    there = [(seen, choice) for seen, choice in judged if (counts(seen.node) if seen.node else seen.under_way)]
    unhealthy = sum(_is_unhealthy(seen, choice) for seen, choice in there)
    under_repair = sum(seen.under_repair for seen in everything)
    halted = scope.unclear or _of_any_node(hidden, everything) or _too_many(policy, len(there), unhealthy)
    choices = _each_once([choice for _, choice in judged if choice is not None])
    return Plan(
        decisions=_within_limits(choices, policy, halted, under_repair),
        nodes=len(there),
        unhealthy=unhealthy,
        under_repair=under_repair,
        halted=halted,
        warnings=[*scope.warnings, *_of_one_node(everything), *unknown_words(cluster, known, policy)],
    )


@dataclass(frozen=True)
class _Choice:
    """What is to be done about a node if the limits allow it."""

    decision: Decision
    urgency: int = 0
    """The place of the rule in the policy. Of two nodes, the one whose rule stands first is repaired first."""


def _about(seen: Seen, policy: Policy, scope: Scope, ours: Ours, replaced: Ours, now: datetime) -> _Choice | None:
    """What is to be done about a node; None if it is none of the policy's business."""
    own = next((record for record in (*seen.under_way, *seen.waiting) if ours(record)), None)
    if own is not None:
        return _Choice(_go_on(seen, own, now))
    if seen.node is None or not counts(seen.node) or not scope.includes(seen.node):
        return None
    if seen.under_way:
        other = seen.under_way[0]
        return _Choice(_decision(Word.WAIT, seen, f"{messages.whose(other)}, is under way"))
    return _half_done(seen, policy, replaced, now) or _by_first_rule(seen, policy, now)


def _half_done(seen: Seen, policy: Policy, replaced: Ours, now: datetime) -> _Choice | None:
    """What a run was about to start that has rejected a proposal for it and was killed then; None if there was none.

    Without the proposal no rule about its fault fits any more, and the platform proposes nothing for a while. By then,
    after `cooldown`, the proposal counts no more.
    """
    last = seen.ended[0] if seen.ended else None
    if last is None or not replaced(last):
        return None
    if (rested := _rested(last, policy)) is None or rested <= now:
        return None
    proposed = last.model_copy(update={"state": RemediationState.PENDING_APPROVAL, "end_time": None})
    before = replace(seen, records=[proposed, *(record for record in seen.records if record is not last)])
    choice = _by_first_rule(before, policy, now)
    decision = choice.decision
    if decision.word is not Word.START or decision.record is not proposed:
        return None
    return replace(choice, decision=replace(decision, record=None))


def _by_first_rule(seen: Seen, policy: Policy, now: datetime) -> _Choice:
    unclear, early = "", dict[str, datetime]()
    for place, rule in enumerate(policy.rules):
        if not fits(rule.when, seen):
            continue
        if rule.when.unhealthy_for is not None:
            since = seen.unhealthy_since
            if since is None:
                unclear = unclear or rule.name
                continue
            due = since + timedelta(seconds=seconds(rule.when.unhealthy_for))
            if due > now:
                early[rule.name] = due
                continue
        return _Choice(_by_rule(seen, rule, policy, now), place)
    return _Choice(_by_no_rule(seen, unclear, early))


def _go_on(seen: Seen, own: Remediation, now: datetime) -> Decision:
    before = seen.last_ended(own.create_time or own.start_time)
    return Decision(
        Word.CONTINUE,
        seen.name,
        own.instance_id,
        f"{messages.name(own)} has been {messages.state(own)} for {messages.took(own, now)}",
        mode=own.mode,
        record=own,
        after=before.id if before else "",
        ended=tuple(record.id for record in seen.ended),
    )


def _by_no_rule(seen: Seen, unclear: str, early: Mapping[str, datetime]) -> Decision:
    if early:
        rule, due = min(early.items(), key=lambda item: item[1])
        return _decision(Word.WAIT, seen, "it has not been unhealthy for long enough", rule=rule, until=due)
    if unclear:
        status = quoted(seen.node.status) if seen.node else ""
        return _decision(
            Word.PERSON,
            seen,
            f"its status is {status}, and its phases do not say since when: look at the node, or leave `unhealthyFor` "
            "out of the rule",
            rule=unclear,
        )
    return _decision(Word.LEAVE, seen, "no rule fits")


def _by_rule(seen: Seen, rule: Rule, policy: Policy, now: datetime) -> Decision:
    proposal = seen.proposal
    if seen.unreadable and rule.action is not Action.LEAVE:
        why = f"the API lists a remediation of it that cannot be read ({seen.unreadable[0].problem})"
        return _decision(Word.PERSON, seen, f"{why}, which may be under way or have just ended", rule=rule.name)
    if rule.action is Action.REJECT and proposal is not None:
        return _decision(Word.REJECT, seen, f"{messages.name(proposal)} is proposed", rule=rule.name, record=proposal)
    if rule.action is not Action.REPAIR:
        return _decision(Word.LEAVE, seen, "the rule says so", rule=rule.name)
    if why := _for_a_person(seen, rule, policy, now):
        return _decision(Word.PERSON, seen, why, rule=rule.name)
    last = seen.last_decided
    if last is not None and (rested := _rested(last, policy)) and rested > now:
        because = f"{messages.name(last)} ended {messages.age(last, now)} ago, and `cooldown` is {policy.cooldown}"
        return _decision(Word.WAIT, seen, because, rule=rule.name, until=rested)
    return _repair(seen, rule, now)


def _rested(last: Remediation, policy: Policy) -> datetime | None:
    """When the next remediation may begin."""
    ended = ended_at(last)
    return ended + timedelta(seconds=seconds(policy.cooldown)) if ended else None


def _for_a_person(seen: Seen, rule: Rule, policy: Policy, now: datetime) -> str:
    """Why a node cannot be repaired without a person; empty if it can be."""
    if seen.node is None or not seen.node.instance_id:
        return "no instance is in the node, so there is nothing to repair"
    if timeless := next((record for record in seen.tried if ended_at(record) is None), None):
        return f"the API does not say when {messages.name(timeless)} ended, so it is not known whether it is too soon"
    within = _within(seen, rule, now)
    if len(within) >= policy.max_attempts:
        times = "once" if len(within) == 1 else f"{len(within)} times"
        return (
            f"it was repaired {times} within {rule.within}, and `maxAttempts` is {policy.max_attempts}; the last one, "
            f"{messages.name(within[0])}, ended as {messages.state(within[0])}"
        )
    if rule.modes is None and seen.proposal is not None and not seen.proposal.mode.known:
        proposed = f"{messages.name(seen.proposal)} is proposed, in a mode that this version does not know"
        return f"{proposed}; give the rule `modes`"
    return ""


def _repair(seen: Seen, rule: Rule, now: datetime) -> Decision:
    proposal = seen.proposal
    if proposal is not None and rule.modes is None:
        return _decision(Word.APPROVE, seen, "it is proposed", rule=rule.name, record=proposal, mode=proposal.mode)
    mode, because = _rung(seen, rule, now)
    if proposal is None:
        last = seen.last_ended()
        return _decision(Word.START, seen, because, rule=rule.name, mode=mode, after=last.id if last else "")
    if mode == proposal.mode:
        return _decision(Word.APPROVE, seen, because, rule=rule.name, record=proposal, mode=mode)
    proposed = quoted(proposal.mode.short)
    if mode != RemediationMode.HOST_POWER_CYCLE:
        because = f"{because}; {proposed} is proposed"
        return _decision(Word.APPROVE, seen, because, rule=rule.name, record=proposal, mode=mode)
    because = f"{because}; {proposed} is proposed, and no proposal can be approved as {mode.short}"
    # Once it is rejected, the proposal is the last one to have ended: so the name stays if this run is killed between.
    return _decision(Word.START, seen, because, rule=rule.name, mode=mode, record=proposal, after=proposal.id)


def _rung(seen: Seen, rule: Rule, now: datetime) -> tuple[RemediationMode, str]:
    """The mode of the ladder whose turn it is, and why: the one after the highest that was tried, and of the last one
    there is no next."""
    ladder = rule.modes or []
    within = _within(seen, rule, now)
    tried = [ladder.index(record.mode) for record in within if record.mode in ladder]
    if not tried:
        return ladder[0], "the first mode"
    last = max(tried)
    below = ladder[last].short
    if last + 1 < len(ladder):
        return ladder[last + 1], f"the mode after {below}, which was tried within {rule.within}"
    return ladder[last], f"the last mode once more, which was tried within {rule.within}"


def _within(seen: Seen, rule: Rule, now: datetime) -> list[Remediation]:
    """The remediations that count for the ladder and for `maxAttempts`, the last one first."""
    earliest = now - timedelta(seconds=seconds(rule.within))
    return [record for record in seen.tried if (ended := ended_at(record)) is None or ended >= earliest]


def _each_once(choices: Sequence[_Choice]) -> list[_Choice]:
    """The same, but what is under way goes on once. If it is of an instance that is gone, it may be of two nodes; the
    other one waits for it."""
    first, kept = dict[str, Decision](), list[_Choice]()
    for choice in choices:
        decision, record = choice.decision, choice.decision.record
        if decision.word is Word.CONTINUE and record is not None:
            other = first.setdefault(record.id, decision)
            if other is not decision:
                because = f"{messages.name(record)} is under way, of this node or of {quoted(other.node)}"
                choice = _Choice(_waiting(decision, because))
        kept.append(choice)
    return kept


def _is_unhealthy(seen: Seen, choice: _Choice | None) -> bool:
    to_be_repaired = choice is not None and choice.decision.word in BEGINS
    return seen.health is Health.UNHEALTHY or seen.under_repair or seen.proposal is not None or to_be_repaired


def _of_any_node(hidden: Sequence[Unreadable], everything: Iterable[Seen]) -> str:
    """Why nothing may be started on any node; empty if something may be."""
    nameless = [one for one in hidden if not one.instance_id]
    lost = [*nameless, *(one for seen in everything if seen.node is None for one in seen.unreadable)]
    if not lost:
        return ""
    of = f"of instance {quoted(lost[0].instance_id)}, which no node is known to have had" if lost[0].instance_id else ""
    return (
        f"the API lists a remediation {of or 'without an instance'} that cannot be read ({lost[0].problem}): it may be "
        "under way on any node; report what `togetherai-check --describe` says of the cluster"
    )


def _of_one_node(everything: Iterable[Seen]) -> Iterator[str]:
    for seen in everything:
        if seen.node is not None and seen.unreadable:
            one = seen.unreadable[0]
            yield (
                f"the API lists a remediation of node {quoted(seen.name)} (instance {quoted(one.instance_id or '')}) "
                f"that cannot be read ({one.problem}): nothing is started on this node"
            )


def _too_many(policy: Policy, nodes: int, unhealthy: int) -> str:
    most = policy.most_unhealthy(nodes)
    if most is None or unhealthy <= most:
        return ""
    share = f" ({most} nodes)" if str(policy.max_unhealthy).endswith("%") else ""
    return (
        f"{unhealthy} of {nodes} nodes are unhealthy, and `maxUnhealthy` is {policy.max_unhealthy}{share}: so much at "
        "once has a cause of its own, which repairs do not remove; find it first"
    )


def _within_limits(choices: Sequence[_Choice], policy: Policy, halted: str, under_repair: int) -> list[Decision]:
    """The decisions, of which those wait for which there is no room."""
    if halted:
        why = "nothing is started while the repair is halted"
        return [_waiting(one.decision, why) if one.decision.word in _HELD else one.decision for one in choices]
    room = max(0, policy.max_concurrent - under_repair)
    begin = [index for index, choice in enumerate(choices) if choice.decision.word in BEGINS]
    late = set(sorted(begin, key=lambda index: choices[index].urgency)[room:])
    why = f"its turn has not come: `maxConcurrent` is {policy.max_concurrent}"
    return [
        _waiting(choice.decision, why) if index in late else choice.decision for index, choice in enumerate(choices)
    ]


def _waiting(decision: Decision, because: str) -> Decision:
    return replace(decision, word=Word.WAIT, because=because, mode=None, record=None, after="")


def _decision(
    word: Word,
    seen: Seen,
    because: str,
    *,
    rule: str = "",
    mode: RemediationMode | None = None,
    record: Remediation | None = None,
    after: str = "",
    until: datetime | None = None,
) -> Decision:
    instance = (seen.node.instance_id if seen.node else None) or ""
    return Decision(word, seen.name, instance, because, rule, mode, record, after, until)
