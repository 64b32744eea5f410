"""Applies the rules of `rules/decision` and `rules/recent` with the clock and the settings of a run."""

from __future__ import annotations

from datetime import timedelta

from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation.rules.decision import Decision, Post, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.recent import reckon
from pulumi_resource_togetherai.remediation.steps.history import History
from pulumi_resource_togetherai.remediation.steps.run import Run


def decision(run: Run, identity: Identity, history: History, *, recorded: bool, own: str | None) -> Decision:
    """What create does, given the instance's remediations."""
    now, window = run.client.now(), timedelta(seconds=seconds(run.config.adoption_window))
    chosen = decide(identity, history.records, now=now, window=window, recorded=recorded, withdrawn=history.withdrawn)
    if isinstance(chosen, Post) and history.incomplete:
        return Refuse(
            f"the API's list of the remediations of {identity.inputs.node} may lack one that is this resource's own or "
            f"active: {history.incomplete}. Nothing was posted. Run the command again; if it says the same, "
            f"report what `togetherai-check {identity.inputs.cluster_id} --describe` prints"
        )
    return reckon(chosen, identity, history.records, now=now, config=run.config, own=own)
