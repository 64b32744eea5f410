"""The RemediationReview resource as a Python program declares it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.dynamic.declared import arguments, options, passed_beside
from pulumi_resource_togetherai.dynamic.provider import ReviewProvider
from pulumi_resource_togetherai.review.rules.inputs import Decision, IfGone, ReviewInputs
from pulumi_resource_togetherai.review.rules.state import output_names

_KIND = "RemediationReview"
PYTHON_NAMES = {to_camel(name): name for name in (*ReviewInputs.model_fields, *output_names())}
"""The attribute or argument for each property."""


class RemediationReview(Resource, module="togetherai", name=_KIND):
    """The review of a remediation that the platform proposed.

    The arguments are the inputs of the plugin's `togetherai.RemediationReview`, the attributes its outputs.
    """

    cluster_id: pulumi.Output[str]
    instance_id: pulumi.Output[str]
    remediation_id: pulumi.Output[str]
    node: pulumi.Output[str | None]
    decision: pulumi.Output[str]
    comment: pulumi.Output[str | None]
    mode: pulumi.Output[str | None]
    expected_mode: pulumi.Output[str | None]
    wait: pulumi.Output[bool]
    timeout: pulumi.Output[str]
    accept_failure: pulumi.Output[bool]
    if_gone: pulumi.Output[str]
    adopted: pulumi.Output[bool]
    gone: pulumi.Output[bool]
    instance_name: pulumi.Output[str | None]
    trigger: pulumi.Output[str | None]
    state: pulumi.Output[str | None]
    reason: pulumi.Output[str | None]
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
        remediation_id: pulumi.Input[str] | None = None,
        node: pulumi.Input[str] | None = None,
        decision: pulumi.Input[str | Decision],
        comment: pulumi.Input[str] | None = None,
        mode: pulumi.Input[str | RemediationMode] | None = None,
        expected_mode: pulumi.Input[str | RemediationMode] | None = None,
        wait: pulumi.Input[bool] | None = None,
        timeout: pulumi.Input[str] | None = None,
        accept_failure: pulumi.Input[bool] | None = None,
        if_gone: pulumi.Input[str | IfGone] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """See `ReviewInputs` for what each argument means, and its default."""
        declared = arguments(ReviewInputs, locals())
        beside = passed_beside(resource_name, _KIND, declared, opts)
        only_outputs = dict.fromkeys(output_names())
        super().__init__(ReviewProvider(), resource_name, only_outputs | declared | beside, options(_KIND, opts))

    def translate_output_property(self, prop: str) -> str:
        """The attribute that holds an output."""
        return PYTHON_NAMES.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """The input that an argument sets."""
        return to_camel(prop) if prop in PYTHON_NAMES.values() else prop
