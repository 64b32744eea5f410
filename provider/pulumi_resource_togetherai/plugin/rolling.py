"""RollingRemediation as the engine has the plugin construct it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConstructRequest, ConstructResponse

from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.forms import DYNAMIC, PLUGIN
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.operations import Hook
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.plugin.component import NOT_KNOWN, Component, make_room_for_children
from pulumi_resource_togetherai.plugin.pulumi_internals import (
    REGISTRATION_FAILED,
    depending_on,
    forgive_failed_registrations,
)
from pulumi_resource_togetherai.plugin.values import plain
from pulumi_resource_togetherai.rolling.component import TYPE, at_once_of, child_name, declare
from pulumi_resource_togetherai.rolling.inputs import DECIDING, INPUT_OF_EACH, RollingInputs, listed
from pulumi_resource_togetherai.rolling.progress import RollingProgress
from pulumi_resource_togetherai.rolling.summary import SHOWN
from pulumi_resource_togetherai.schema import RELEASES
from pulumi_resource_togetherai.secrecy import Secrets
from pulumi_resource_togetherai.unknown import holds_unknown

_CHILD = f"{PLUGIN}Remediation"
_SAME_IN_THE_OTHER_FORM = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"{DYNAMIC}Remediation")])
_FROM = {of_each: name for name, of_each in INPUT_OF_EACH.items()} | {"acceptFailure": "stopOnFailure"}
"""The component's input that decides an input of a child, where the two have different names."""


class _Remediation(pulumi.CustomResource):
    """A child. Its attributes are the outputs that the component needs."""

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        outputs = dict.fromkeys(SHOWN.values())
        options = pulumi.ResourceOptions.merge(opts, _SAME_IN_THE_OTHER_FORM)
        super().__init__(_CHILD, name, outputs | inputs, options)

    def translate_output_property(self, prop: str) -> str:
        """The attribute that holds an output."""
        return SHOWN.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """The input that an argument sets."""
        return next((key for key, attribute in SHOWN.items() if attribute == prop), prop)


async def construct(
    request: ConstructRequest, engine: Engine, hooks: dict[str, Hook], version: str | None
) -> ConstructResponse:
    """Declares the remediations and waits for their ends. Raises OperationError, whose text is for the user.

    `hooks`: those of the plugin's Remediations, to show what ran if one of them fails. `version`: the one with which
    the engine asked for this plugin; None if it named none.
    """
    inputs = {name: plain(value) for name, value in request.inputs.items()}
    checked = check(RollingInputs, inputs)
    secret = {name for name, value in request.inputs.items() if value.contains_secret()}
    if failures := Secrets.among(inputs, secret).mistakes(checked.failures):
        raise OperationError(f"{request.name}: {'; '.join(failure.reason for failure in failures)}")
    make_room_for_children()
    component = Component(TYPE, request.name, request.options)
    urn = await component.urn.future()
    unknown = [name for name in DECIDING if holds_unknown(checked.inputs.get(name))]
    if unknown:
        pulumi.log.info(f"what it repairs is not known before `pulumi up`: {', '.join(unknown)}", component)
        return _answer(str(urn))
    _, nodes = listed(checked.inputs)
    of_child = f"{str(urn).rpartition('::')[0]}${_CHILD}::"
    children = {of_child + child_name(request.name, one): one for one in nodes}
    report = engine.report(str(urn), Secrets.among(inputs, secret).conceal)
    progress = RollingProgress(report, children, hooks, at_once=at_once_of(checked.inputs))
    # An SDK asks for its own version of the plugin. Without it the engine would start another process for the children.
    same_plugin = pulumi.ResourceOptions(version=version, plugin_download_url=RELEASES if version else None)

    def child(name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> _Remediation:
        given = {key: request.inputs.get(_FROM.get(key, key)) for key in inputs}
        opts = pulumi.ResourceOptions.merge(opts, same_plugin)
        return _Remediation(name, {key: _like(given[key], value) for key, value in inputs.items()}, opts)

    shown, states, counts = declare(component, request.name, checked.inputs, child)
    for node, outputs in shown.items():
        outputs.apply(partial(progress.ended, node))
    try:
        known, found, numbers = await states.is_known(), await states.future(), await counts.future()
    except asyncio.CancelledError:
        # The engine closes the connection after any failure, also that of a resource outside this component. This is
        # the last moment to show the table.
        if not pulumi.runtime.is_dry_run():
            await progress.show_halt()
        raise
    except REGISTRATION_FAILED:
        # Only under `--continue-on-error`, where an error of the component would end all that goes on beside it.
        await progress.show_halt()
        await forgive_failed_registrations()
        return _answer(str(urn))
    if not known or found is None or numbers is None or len(found) < len(nodes):
        if progress.halted:  # the same, in releases of pulumi where the outputs of what failed are unknown, or None
            await progress.show_halt()
        return _answer(str(urn))
    secret = await states.is_secret()
    return _answer(
        str(urn),
        PropertyValue({node: PropertyValue(state) for node, state in found.items()}, secret),
        PropertyValue({state: PropertyValue(float(number)) for state, number in numbers.items()}, secret),
    )


def _like(given: PropertyValue | None, value: Any) -> pulumi.Input[Any]:
    """A child's input that is made from one of the component's: it is secret if that one is, and depends on the same
    resources."""
    if given is None or not (given.contains_secret() or given.all_dependencies()):
        return value
    output = depending_on(value, given.all_dependencies())
    return pulumi.Output.secret(output) if given.contains_secret() else output


def _answer(urn: str, states: PropertyValue = NOT_KNOWN, counts: PropertyValue = NOT_KNOWN) -> ConstructResponse:
    return ConstructResponse(urn, {"states": states, "counts": counts}, {})
