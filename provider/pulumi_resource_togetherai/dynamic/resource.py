"""The Remediation resource as a Python program declares it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.dynamic.declared import arguments, options, passed_beside
from pulumi_resource_togetherai.dynamic.provider import RemediationProvider
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning, IfActive, RemediationInputs
from pulumi_resource_togetherai.remediation.rules.state import output_names

_KIND = "Remediation"
PYTHON_NAMES = {to_camel(name): name for name in (*RemediationInputs.model_fields, *output_names())}
"""The attribute or argument for each property."""


class Remediation(Resource, module="togetherai", name=_KIND):
    """A remediation: the repair of one GPU worker node.

    The arguments are the inputs of the plugin's `togetherai.Remediation`, the attributes its outputs.
    """

    cluster_id: pulumi.Output[str]
    instance_id: pulumi.Output[str]
    node: pulumi.Output[str | None]
    mode: pulumi.Output[str]
    reason: pulumi.Output[str | None]
    triggers: pulumi.Output[Mapping[str, str] | None]
    idempotency_key: pulumi.Output[str | None]
    wait: pulumi.Output[bool]
    timeout: pulumi.Output[str]
    if_active: pulumi.Output[str]
    if_recent: pulumi.Output[str | None]
    recent_window: pulumi.Output[str | None]
    retry_failed: pulumi.Output[bool]
    accept_failure: pulumi.Output[bool]
    delete_while_running: pulumi.Output[str]
    remediation_id: pulumi.Output[str]
    attempt: pulumi.Output[int | None]
    adopted: pulumi.Output[bool]
    resumed: pulumi.Output[bool]
    withdrawn: pulumi.Output[bool]
    current_instance_id: pulumi.Output[str | None]
    current_host: pulumi.Output[str | None]
    instance_name: pulumi.Output[str | None]
    trigger: pulumi.Output[str]
    state: pulumi.Output[str]
    requested_by: pulumi.Output[str | None]
    reviewed_by: pulumi.Output[str | None]
    review_time: pulumi.Output[str | None]
    review_comment: pulumi.Output[str | None]
    create_time: pulumi.Output[str | None]
    start_time: pulumi.Output[str | None]
    end_time: pulumi.Output[str | None]
    update_time: pulumi.Output[str | None]
    error_message: pulumi.Output[str | None]
    active_health_check_run_id: pulumi.Output[str | None]
    passive_health_check_event_id: pulumi.Output[str | None]
    linked_alerts: pulumi.Output[list[Mapping[str, Any]] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        cluster_id: pulumi.Input[str],
        instance_id: pulumi.Input[str] | None = None,
        node: pulumi.Input[str] | None = None,
        mode: pulumi.Input[str | RemediationMode],
        reason: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        idempotency_key: pulumi.Input[str] | None = None,
        wait: pulumi.Input[bool] | None = None,
        timeout: pulumi.Input[str] | None = None,
        if_active: pulumi.Input[str | IfActive] | None = None,
        if_recent: pulumi.Input[str | IfRecent] | None = None,
        recent_window: pulumi.Input[str] | None = None,
        retry_failed: pulumi.Input[bool] | None = None,
        accept_failure: pulumi.Input[bool] | None = None,
        delete_while_running: pulumi.Input[str | DeleteWhileRunning] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """See `RemediationInputs` for what each argument means, and its default."""
        declared = arguments(RemediationInputs, locals())
        beside = passed_beside(resource_name, _KIND, declared, opts)
        only_outputs = dict.fromkeys(output_names())
        super().__init__(RemediationProvider(), resource_name, only_outputs | declared | beside, options(_KIND, opts))

    def translate_output_property(self, prop: str) -> str:
        """The attribute that holds an output."""
        return PYTHON_NAMES.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """The input that an argument sets."""
        return to_camel(prop) if prop in PYTHON_NAMES.values() else prop
