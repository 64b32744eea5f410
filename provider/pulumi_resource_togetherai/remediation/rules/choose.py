"""What create does, by all rules: `decision`, an incomplete list, and `ifRecent`."""

from __future__ import annotations

from datetime import datetime

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.remediation.rules.decision import Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.recent import recent_rule, warned_of_recent


def choose(identity: Identity, history: History, *, now: datetime, config: ProviderConfig, intent: Intent) -> Decision:
    """What create does, given the node's remediations. `intent`: what the user asked for. `now` is the time by the
    earlier of the two clocks: an end then seems more recent than it is, and that starts nothing."""
    recent = recent_rule(identity.inputs, config)
    chosen = decide(
        identity,
        history.records,
        former=history.former,
        now=now,
        intent=intent,
        recent=recent,
        withdrawn=history.withdrawn,
        ending=history.ending,
    )
    if isinstance(chosen, Post) and history.astray:
        return Refuse(f"{history.astray}. Nothing was posted")
    if isinstance(chosen, Post) and history.incomplete:
        return Refuse(
            f"the API's list of the remediations of {identity.inputs.target} may lack one that is this resource's own "
            f"or active: {history.incomplete}. Nothing was posted. Run the command again; if it says the same, report "
            "what `togetherai-check --describe` says of the cluster"
        )
    return warned_of_recent(chosen, identity, history.of_the_node, now, recent)
