"""The RollingRemediation component as a Python program declares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.dynamic.declared import AT_ONCE, NODES, arguments, may_be_later, refuse_provider
from pulumi_resource_togetherai.dynamic.python_names import in_python
from pulumi_resource_togetherai.dynamic.resource import PYTHON_NAMES, Remediation
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning, IfActive
from pulumi_resource_togetherai.rolling.component import TYPE, at_once_of, declare
from pulumi_resource_togetherai.rolling.inputs import RollingInputs, listed
from pulumi_resource_togetherai.unknown import UNKNOWN


class RollingRemediation(pulumi.ComponentResource):
    """The repair of many nodes of a cluster: one Remediation per node, at most `max_concurrent` of them at once.

    The arguments are the inputs of the plugin's `togetherai.RollingRemediation`.
    """

    states: pulumi.Output[dict[str, str]]
    """The state of each node's remediation, by what `instances` or `nodes` name it."""
    counts: pulumi.Output[dict[str, int]]
    """How many remediations are in each state."""

    def __init__(
        self,
        resource_name: str,
        *,
        cluster_id: pulumi.Input[str],
        instances: Sequence[str] | None = None,
        nodes: Sequence[str] | None = None,
        mode: pulumi.Input[str | RemediationMode],
        max_concurrent: int | None = None,
        stop_on_failure: bool | None = None,
        reason: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        timeout: pulumi.Input[str] | None = None,
        if_active: pulumi.Input[str | IfActive] | None = None,
        if_recent: pulumi.Input[str | IfRecent] | None = None,
        recent_window: pulumi.Input[str] | None = None,
        retry_failed: pulumi.Input[bool] | None = None,
        delete_while_running: pulumi.Input[str | DeleteWhileRunning] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """See `RollingInputs` for what each argument means, and its default. Raises pulumi.RunError for a mistake."""
        declared = arguments(RollingInputs, locals())
        refuse_provider(resource_name, opts)
        super().__init__(TYPE, resource_name, None, opts)
        inputs = {to_camel(name): value for name, value in declared.items() if value is not None}
        known = {name: UNKNOWN if may_be_later(value) else value for name, value in inputs.items()}
        if failures := check(RollingInputs, known).failures:
            raise pulumi.RunError(in_python(f"{resource_name}: {'; '.join(failure.reason for failure in failures)}"))
        # Each child passes these on to the provider's process, which shows how far the whole has come.
        self.passed_to_children = {NODES: list(listed(inputs)[1]), AT_ONCE: at_once_of(inputs)}
        _, self.states, self.counts = declare(self, resource_name, inputs, _remediation)
        self.register_outputs({"states": self.states, "counts": self.counts})


def _remediation(name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> Remediation:
    return Remediation(name, opts=opts, **{PYTHON_NAMES[name]: value for name, value in inputs.items()})
