"""The component itself, whichever adapter makes its children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from pulumi_resource_togetherai.rolling.inputs import INPUT_OF_EACH, OF_EACH, RollingInputs, listed
from pulumi_resource_togetherai.rolling.summary import SHOWN, summary

TYPE = "togetherai:index:RollingRemediation"

Child = Callable[[str, dict[str, Any], pulumi.ResourceOptions], pulumi.Resource]
"""Declares a Remediation: its name, its inputs in camelCase, its options."""


def child_name(component: str, node: str) -> str:
    """The name of the Remediation of a node, which is named as the component names it."""
    return f"{component}-{node}"


def at_once_of(inputs: Mapping[str, Any]) -> int:
    """How many nodes to repair at once, from inputs in camelCase."""
    return int(inputs.get("maxConcurrent", RollingInputs.model_fields["max_concurrent"].default))


def predecessors(nodes: Sequence[str], max_concurrent: int) -> dict[str, str | None]:
    """The order of the nodes: `max_concurrent` chains. Each node with the one that has to be done before it, in the
    order given: the first ones have none."""
    return {
        node: nodes[index - max_concurrent] if index >= max_concurrent else None for index, node in enumerate(nodes)
    }


def declare(
    component: pulumi.ComponentResource, name: str, inputs: Mapping[str, Any], child: Child
) -> tuple[dict[str, pulumi.Output[dict[str, Any]]], pulumi.Output[dict[str, str]], pulumi.Output[dict[str, int]]]:
    """Declares a Remediation per node, each of which depends on the one before it in its chain. Returns what
    the table shows of each node, and the outputs `states` and `counts`, which lack what was not begun.

    `inputs` are checked, and in camelCase; those that decide which remediations there are, are known.
    """
    plan = RollingInputs.model_fields
    kind, nodes = listed(inputs)
    of_each = {key: inputs[key] for key in OF_EACH if inputs.get(key) is not None}
    if not inputs.get("stopOnFailure", plan["stop_on_failure"].default):
        of_each["acceptFailure"] = True
    children = dict[str, pulumi.Resource]()
    for node, before in predecessors(nodes, at_once_of(inputs)).items():
        options = pulumi.ResourceOptions(parent=component, depends_on=[children[before]] if before else [])
        children[node] = child(child_name(name, node), of_each | {INPUT_OF_EACH[kind]: node}, options)
    shown = {
        node: pulumi.Output.all(**{key: getattr(resource, attribute) for key, attribute in SHOWN.items()})
        for node, resource in children.items()
    }

    def tell(rows: Mapping[str, Any]) -> dict[str, str]:
        # After a failure, some releases of pulumi give the outputs of what was not begun as None.
        begun = {node: str(rows[node]["state"]) for node in nodes if rows[node]["state"]}
        if children and len(begun) == len(nodes) and not pulumi.runtime.is_dry_run():
            pulumi.log.info(summary(rows, nodes), component)
        return begun

    states = pulumi.Output.all(**shown).apply(tell)
    return shown, states, states.apply(lambda found: dict(Counter(found.values())))
