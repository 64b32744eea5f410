"""The policy of a cluster's repair, as a program declares it: what to do about which fault, and within which limits."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pulumi_resource_togetherai.api.enums import TERMINAL_STATES, RemediationMode, RemediationState
from pulumi_resource_togetherai.fields import Choice, Duration, Inputs, Mode, Named, Severity, State
from pulumi_resource_togetherai.functions.health import Health, health
from pulumi_resource_togetherai.sanitize import quoted


class Action(Choice):
    """What to do with a node that a rule fits."""

    REPAIR = ("REPAIR", "Approve the platform's proposal, or start a remediation.")
    LEAVE = ("LEAVE", "Do nothing. A proposal goes on waiting for a person.")
    REJECT = ("REJECT", "Reject the platform's proposal; do nothing if there is none.")


def _as_text(number: Any) -> Any:
    """A number as it is written. Pulumi knows floats only: 79 arrives as 79.0."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return number
    return str(int(number)) if float(number).is_integer() else str(number)


def _an_xid(code: Any) -> Any:
    written = _as_text(code)
    if not isinstance(written, str) or not re.fullmatch(r"[0-9]{1,5}", written.strip()):
        raise ValueError(f'"{code}" is not an Xid; write its number, such as 79')
    return written.strip()


def _share_or_count(most: Any) -> Any:
    written = _as_text(most)
    if not isinstance(written, str) or not re.fullmatch(r"(100|[0-9]{1,2})\s*%|[0-9]{1,9}", written.strip()):
        raise ValueError(f'"{most}" is neither a share nor a number of nodes; write one such as 20% or 5')
    return "".join(written.split())


Xid = Annotated[str, BeforeValidator(_an_xid)]
"""The number of an NVIDIA Xid, as text or as a number."""
ShareOrCount = Annotated[str, BeforeValidator(_share_or_count)]
"""A share of a cluster's nodes (`20%`), or a number of them."""


class When(Inputs):
    """Which nodes a rule fits: those to which everything applies that is given here. `alerts`, `xids` and
    `slurmReasons` name a fault in three ways, so of these one that applies is enough."""

    alerts: list[Named] | None = Field(default=None, min_length=1)
    """The platform proposes a remediation because of an alert of one of these names, such as `DmesgXidError`."""
    xids: list[Xid] | None = Field(default=None, min_length=1)
    """The platform proposes a remediation because of an NVIDIA Xid of one of these numbers, such as `79`."""
    slurm_reasons: list[Named] | None = Field(default=None, min_length=1)
    """The platform proposes a remediation because Slurm drained the node for one of these reasons, in upper or lower
    case. `*` stands for any text: `health check:*`."""
    severity: Severity | None = None
    """The alert is at least this serious: INFO, WARNING or CRITICAL."""
    statuses: list[Named] | None = Field(default=None, min_length=1)
    """The node has one of these statuses, such as `NotReady`."""
    unhealthy_for: Duration | None = None
    """For how long, such as `15m`, the node has not worked, as its phases say. Without `statuses`: any status that says
    that it does not work."""
    proposed: bool | None = None
    """Whether the platform proposes a remediation of the node."""
    proposed_modes: list[Mode] | None = Field(default=None, min_length=1)
    """The platform proposes a remediation of one of these modes."""
    last_outcome: list[State] | None = Field(default=None, min_length=1)
    """The node's last remediation ended in one of these states, such as `FAILED`."""

    @property
    def needs_a_proposal(self) -> bool:
        """Whether the rule fits a node only while the platform proposes a remediation of it."""
        return bool(
            self.proposed or self.proposed_modes or self.alerts or self.xids or self.slurm_reasons or self.severity
        )

    @property
    def names_a_fault(self) -> bool:
        """Whether something is wrong with every node that the rule fits."""
        failed = self.last_outcome is not None and set(self.last_outcome) == {RemediationState.FAILED}
        return bool(self.needs_a_proposal or self.statuses or self.unhealthy_for or failed)

    @field_validator("last_outcome")
    @classmethod
    def _an_end(cls, states: list[RemediationState] | None) -> list[RemediationState] | None:
        under_way = next((state for state in states or () if state not in TERMINAL_STATES), None)
        if under_way is not None:
            ends = ", ".join(state for state in RemediationState if state in TERMINAL_STATES)
            raise ValueError(f'"{under_way}" is not the end of a remediation; write one of {ends}')
        return states

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.proposed is False and self.needs_a_proposal:
            raise ValueError(
                "`proposed: false` never applies together with alerts, xids, slurmReasons, severity or "
                "proposedModes, which are those of a proposal; remove it"
            )
        return self


class Rule(Inputs):
    """What to do about a fault."""

    name: Named
    """The rule's name, for the plan and for the reasons of remediations."""
    when: When = When()
    """Which nodes the rule fits. Empty: every node, which only a rule that repairs nothing may say."""
    modes: list[Mode] | None = Field(default=None, min_length=1)
    """How to repair, in short (`VM_ONLY`) or in full. Several are a ladder: if the node comes back within `within`,
    the next one is tried, and after the last one the last one again. Default: the mode that the platform proposes."""
    within: Duration = "24h"
    """How long ago, such as `24h`, a remediation of the node may have ended and still counts for the ladder and for
    `maxAttempts`."""
    action: Action = Action.REPAIR
    """What to do with a node that the rule fits."""

    @field_validator("modes")
    @classmethod
    def _each_once(cls, modes: list[RemediationMode] | None) -> list[RemediationMode] | None:
        ladder = modes or []
        twice = next((mode for index, mode in enumerate(ladder) if mode in ladder[:index]), None)
        if twice is not None:
            raise ValueError(f"{twice.short} is listed twice; the last mode is tried again without that")
        return modes

    @model_validator(mode="after")
    def _sound(self) -> Self:
        shown = quoted(self.name)
        if self.action is not Action.REPAIR:
            if self.modes is not None:
                raise ValueError(f'rule "{shown}" has modes, and its action is {self.action}; remove one of them')
            return self
        if not self.when.names_a_fault:
            raise ValueError(
                f'rule "{shown}" would repair nodes with which nothing is wrong; name a fault in `when`, such as '
                "`statuses: [NotReady]` or `proposed: true`"
            )
        well = next((word for word in self.when.statuses or () if health(word) is Health.HEALTHY), None)
        if well is not None and not self.when.needs_a_proposal:
            raise ValueError(f'rule "{shown}" would repair healthy nodes; remove {quoted(well)} from `statuses`')
        if self.modes is None and not self.when.needs_a_proposal:
            raise ValueError(
                f'rule "{shown}" fits nodes for which the platform proposes no mode; give it `modes`, or add '
                "`proposed: true` to its `when`"
            )
        return self


class Policy(Inputs):
    """What to do about which fault of a cluster's nodes, how many at once, and when to stop."""

    rules: list[Rule] = Field(min_length=1)
    """The rules. The first one that fits a node decides about it."""
    max_concurrent: int = Field(default=1, ge=1)
    """How many nodes of the cluster may be under repair at once, whoever started it."""
    max_unhealthy: ShareOrCount | None = None
    """How many nodes of the cluster may be unhealthy, as a share such as 20% or as a number. A share is rounded down.
    If there are more, nothing is started. Default: any number."""
    max_attempts: int = Field(default=3, ge=1)
    """How many remediations of a node may have ended within the rule's time, whoever started them. That time is its
    `within`. Then it is a person's turn."""
    cooldown: Duration = "30m"
    """How long after the end of a node's remediation, such as 30m, the next one may begin."""
    nodes: list[Named] | None = Field(default=None, min_length=1)
    """Only these nodes, each by any name that the API knows for it. Default: every node of the cluster."""
    exclude: list[Named] | None = None
    """Not these nodes, each by any name that the API knows for it."""

    @field_validator("rules")
    @classmethod
    def _each_name_once(cls, rules: list[Rule]) -> list[Rule]:
        names = [rule.name for rule in rules]
        twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
        if twice is not None:
            raise ValueError(f'two rules are named "{quoted(twice)}"; give each one a name of its own')
        return rules

    def most_unhealthy(self, nodes: int) -> int | None:
        """How many of so many nodes may be unhealthy; None for any number."""
        if self.max_unhealthy is None:
            return None
        share, percent, _ = self.max_unhealthy.partition("%")
        return nodes * int(share) // 100 if percent else int(share)
