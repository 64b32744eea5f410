"""RollingRemediation as the engine has the plugin construct it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConstructRequest, ConstructResponse

from pulumi_resource_togetherai.plugin.values import plain
from pulumi_resource_togetherai.remediation.rules.check import check
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.run import RemediationError
from pulumi_resource_togetherai.rolling.component import TYPE, declare
from pulumi_resource_togetherai.rolling.inputs import DECIDING, RollingInputs
from pulumi_resource_togetherai.rolling.summary import SHOWN, summary
from pulumi_resource_togetherai.unknown import UNKNOWN, holds_unknown

_CHILD = "togetherai:index:Remediation"
MOST_CHILDREN = 1000
"""How many children may be under way at once: Pulumi takes a thread for each."""


class _Component(pulumi.ComponentResource):
    """The component's node in the tree of resources."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(TYPE, name, None, opts)


class _Remediation(pulumi.CustomResource):
    """A child. Its attributes are the outputs that the component needs."""

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        outputs = dict.fromkeys(SHOWN.values())
        super().__init__(_CHILD, name, outputs | inputs, opts)

    def translate_output_property(self, prop: str) -> str:
        """The attribute that holds an output."""
        return SHOWN.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """The input that an argument sets."""
        return next((key for key, attribute in SHOWN.items() if attribute == prop), prop)


async def construct(request: ConstructRequest, created_here: Mapping[str, State | None]) -> ConstructResponse:
    """Declares the remediations and waits for their ends. Raises RemediationError, whose text is for the user.

    `created_here`: the remediations that this process started or took over, by URN; None for those still running.
    """
    inputs = {name: plain(value) for name, value in request.inputs.items()}
    checked = check(RollingInputs, inputs)
    if checked.failures:
        raise RemediationError(f"{request.name}: " + "; ".join(failure.reason for failure in checked.failures))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_CHILDREN, "child"))
    component = _Component(request.name, request.options)
    urn = await component.urn.future()
    unknown = [name for name in DECIDING if holds_unknown(checked.inputs.get(name))]
    if unknown:
        pulumi.log.info(f"what it repairs is not known before `pulumi up`: {', '.join(unknown)}", component)
        return _answer(str(urn), PropertyValue(UNKNOWN), PropertyValue(UNKNOWN))
    states, counts = declare(component, request.name, checked.inputs, _Remediation)
    try:
        known, found, numbers = await states.is_known(), await states.future(), await counts.future()
    except asyncio.CancelledError:
        # The engine closes the connection once a remediation has failed: this is the last moment to print the table.
        instances: list[str] = checked.inputs["instances"]
        rows = {instance: _row(created_here, str(urn), f"{request.name}-{instance}") for instance in instances}
        if not pulumi.runtime.is_dry_run():
            pulumi.log.info(summary(rows, instances), component)
        raise
    if not known or found is None or numbers is None:
        return _answer(str(urn), PropertyValue(UNKNOWN), PropertyValue(UNKNOWN))
    return _answer(
        str(urn),
        PropertyValue({instance: PropertyValue(state) for instance, state in found.items()}),
        PropertyValue({state: PropertyValue(float(number)) for state, number in numbers.items()}),
    )


def _row(created_here: Mapping[str, State | None], urn: str, child: str) -> Mapping[str, Any] | str:
    of_child = f"{urn.rpartition('::')[0]}${_CHILD}::{child}"
    if of_child not in created_here:
        return "not begun"
    state = created_here[of_child]
    return "still under way" if state is None else state.outputs()


def _answer(urn: str, states: PropertyValue, counts: PropertyValue) -> ConstructResponse:
    return ConstructResponse(urn, {"states": states, "counts": counts}, {})
