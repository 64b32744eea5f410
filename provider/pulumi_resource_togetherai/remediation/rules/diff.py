"""Diff: which changes run a new remediation, and when an `up` has something left to finish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.results import Diff
from pulumi_resource_togetherai.remediation.rules.identity import REPLACING, declaration
from pulumi_resource_togetherai.remediation.rules.state import State


def diff(old_inputs: Mapping[str, Any], state: State, new_inputs: Mapping[str, Any]) -> Diff:
    """Compares the recorded inputs with the declared ones; values that are not known yet count as changed. A new
    remediation runs exactly when its key would be another."""
    old, new = declaration(old_inputs), declaration(new_inputs)
    replaces = [name for name in REPLACING if old[name] != new[name]]
    others = sorted({*old_inputs, *new_inputs}.difference(REPLACING))
    if new_inputs.get("retryFailed") is True and state.record.state == RemediationState.FAILED:
        replaces.append("state")
    elif state.withdrawn:
        replaces.append("withdrawn")
    return Diff(
        replaces,
        unfinished=not replaces and ended_badly(state.record) and not new_inputs.get("acceptFailure"),
        settings=[name for name in others if old_inputs.get(name) != new_inputs.get(name)],
    )
