"""`ifRecent`: what to do if another remediation of the node succeeded a short while ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.config import IfRecent, ProviderConfig
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.remediation.rules.decision import Decision, Post, Recent, Refuse, recent_repair
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs


def recent_rule(inputs: RemediationInputs, config: ProviderConfig) -> Recent:
    """The rule for a resource: its own settings, else the provider's."""
    window = timedelta(seconds=seconds(inputs.recent_window or config.recent_window))
    return Recent(inputs.if_recent or config.if_recent, window)


def warned_of_recent(
    decision: Decision, identity: Identity, history: Sequence[Remediation], now: datetime, recent: Recent
) -> Decision:
    """Applies `ifRecent` to a decision: warns of a POST to a node that was repaired a short while ago, or refuses
    it."""
    if not isinstance(decision, Post) or recent.choice is IfRecent.IGNORE:
        return decision
    repair = recent_repair(identity, history, now, recent.window)
    if repair is None:
        return decision
    when = f" at {repair.end_time:%Y-%m-%d %H:%M:%S} UTC" if repair.end_time else ""
    found = f"{identity.inputs.target} was repaired {messages.age(repair, now)} ago{when}, by {messages.whose(repair)}"
    if recent.choice is IfRecent.FAIL:
        return Refuse(
            f"{found}, and `ifRecent` is FAIL. Nothing was posted. To repair it once more on purpose, set `ifRecent` "
            "to IGNORE"
        )
    known = f"{decision.warning}. " if decision.warning else ""
    return replace(decision, warning=f"{known}{found}. To repair it once more on purpose, set `ifRecent` to IGNORE")
