"""ClusterRepair as the engine has the plugin construct it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConstructRequest, ConstructResponse

from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.forms import DYNAMIC, PLUGIN
from pulumi_resource_togetherai.functions.function import LONGEST
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.plugin.component import HALTED, NOT_KNOWN, Component, make_room_for_children
from pulumi_resource_togetherai.plugin.pulumi_internals import REGISTRATION_FAILED, forgive_failed_registrations
from pulumi_resource_togetherai.plugin.values import plain
from pulumi_resource_togetherai.repair.children import Child
from pulumi_resource_togetherai.repair.component import TYPE, UNKNOWN_INPUTS, declare, planned
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs, ClusterRepairOutputs
from pulumi_resource_togetherai.secrecy import Secrets
from pulumi_resource_togetherai.unknown import holds_unknown


class _Child(pulumi.CustomResource):
    """A Remediation or a RemediationReview. Of its outputs the component needs `state`."""

    def __init__(self, child: Child, opts: pulumi.ResourceOptions) -> None:
        same_in_the_other_form = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"{DYNAMIC}{child.kind}")])
        options = pulumi.ResourceOptions.merge(opts, same_in_the_other_form)
        super().__init__(f"{PLUGIN}{child.kind}", child.name, {"state": None} | child.inputs, options)


async def construct(request: ConstructRequest, session: Session, engine: Engine) -> ConstructResponse:
    """Plans, declares the children and waits for their ends. Raises OperationError, whose text is for the user."""
    inputs = {name: plain(value) for name, value in request.inputs.items()}
    checked = check(ClusterRepairInputs, inputs)
    secrets = Secrets.among(inputs, {name for name, value in request.inputs.items() if value.contains_secret()})
    if failures := secrets.mistakes(checked.failures):
        raise OperationError(f"{request.name}: {'; '.join(failure.reason for failure in failures)}")
    make_room_for_children()
    known = {name: value for name, value in checked.inputs.items() if not holds_unknown(value)}
    shown = {name: pulumi.Output.secret(value) if name in secrets.names else value for name, value in known.items()}
    component = Component(TYPE, request.name, request.options, shown)
    urn = str(await component.urn.future())
    report = engine.report(urn)
    if secrets.warning:
        await report.warning(secrets.warning)
    if holds_unknown(checked.inputs):
        await report.info(UNKNOWN_INPUTS)
        return _answer(urn, {})
    run = await session.preflight(report) if pulumi.runtime.is_dry_run() else session.run(report, LONGEST)
    if run is None:
        return _answer(urn, {})
    made = await planned(run, urn, ClusterRepairInputs.model_validate(checked.inputs))
    outputs = made.outputs()
    states = declare(component, made, _Child)
    try:
        known, found = await states.is_known(), await states.future()
    except REGISTRATION_FAILED:
        # Only under `--continue-on-error`, where an error of the component would end all that goes on beside it.
        pulumi.log.error(HALTED, component)
        await forgive_failed_registrations()
        return _answer(urn, outputs)
    if made.problem:
        raise OperationError(f"{request.name}: {made.problem}")
    return _answer(urn, outputs | ({"states": found} if known and found is not None else {}))


def _answer(urn: str, outputs: Mapping[str, Any]) -> ConstructResponse:
    names = [str(field.alias) for field in ClusterRepairOutputs.model_fields.values()]
    state = {name: _property(outputs[name]) if name in outputs else NOT_KNOWN for name in names}
    return ConstructResponse(urn, state, {})


def _property(value: Any) -> PropertyValue:
    """A plain value as Pulumi's. Numbers are floats there."""
    if isinstance(value, dict):
        return PropertyValue({name: _property(item) for name, item in cast(dict[str, Any], value).items()})
    if isinstance(value, list):
        return PropertyValue([_property(item) for item in cast(list[Any], value)])
    return PropertyValue(float(value) if isinstance(value, int) else value)
