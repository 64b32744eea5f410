"""Applies the rules of `rules/decision` and `rules/recent` with the clock and the settings of a run."""

from __future__ import annotations

from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.remediation.rules.decision import Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.recent import recent_rule, warned_of_recent
from pulumi_resource_togetherai.remediation.steps.history import History


def decision(run: Run, identity: Identity, history: History, *, intent: Intent) -> Decision:
    """What create does, given the instance's remediations. `intent`: what the user asked for."""
    # By the earlier of the two clocks an end seems more recent than it is, and that starts nothing.
    now, recent = run.client.earliest_now(), recent_rule(identity.inputs, run.config)
    chosen = decide(
        identity,
        history.records,
        now=now,
        intent=intent,
        recent=recent,
        withdrawn=history.withdrawn,
        ending=history.ending,
    )
    if isinstance(chosen, Post) and history.incomplete:
        return Refuse(
            f"the API's list of the remediations of {identity.inputs.node} may lack one that is this resource's own or "
            f"active: {history.incomplete}. Nothing was posted. Run the command again; if it says the same, report "
            "what `togetherai-check --describe` says of the cluster"
        )
    return warned_of_recent(chosen, identity, history.records, now, recent)
