"""The component itself, whichever adapter makes its children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from pulumi_resource_togetherai.operation.run import Run
from pulumi_resource_togetherai.repair.children import Child, Component
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.repair.look import look
from pulumi_resource_togetherai.repair.plan import Plan, plan
from pulumi_resource_togetherai.repair.table import left_to_people, planned_nodes, table

TYPE = "togetherai:index:ClusterRepair"
UNKNOWN_INPUTS = "what it repairs is not known before `pulumi up`, which knows its inputs"

Make = Callable[[Child, pulumi.ResourceOptions], pulumi.Resource]
"""Declares a child."""


@dataclass(frozen=True)
class Planned:
    """A component with its plan."""

    component: Component
    plan: Plan

    @property
    def told(self) -> str:
        """The plan as a table."""
        return table(self.plan, self.component.inputs.cluster_id, paused=self.component.inputs.paused)

    @property
    def problem(self) -> str:
        """Why the program fails once all that goes on has ended; empty if it does not."""
        return f"nothing was started: {self.plan.halted}" if self.plan.halted else ""

    def outputs(self) -> dict[str, Any]:
        """The outputs that are known before anything is done."""
        nodes = planned_nodes(self.plan)
        return {
            "plan": [node.model_dump(by_alias=True, exclude_none=True) for node in nodes],
            "counts": {word.value: number for word, number in sorted(self.plan.counts.items())},
            "leftToPeople": left_to_people(self.plan),
        }


async def planned(run: Run, urn: str, inputs: ClusterRepairInputs) -> Planned:
    """Looks at the cluster and plans. Raises OperationError."""
    component = Component(urn, inputs)
    cluster, records = await look(run, inputs.cluster_id)
    made = plan(
        cluster,
        records,
        inputs,
        component.is_ours,
        run.client.earliest_now(),
        replaced=component.has_replaced,
        unreadable=records.unreadable,
    )
    return Planned(component, made)


def declare(
    parent: pulumi.ComponentResource, made: Planned, make: Make, spelt: Callable[[str], str] = str
) -> pulumi.Output[dict[str, str]]:
    """Shows the plan and declares its resources. Returns the output `states`. `spelt`: a text with the names of inputs
    as the program's language has them.

    What leaves the program stays as it is: the engine forgets it, and cancels nothing. So that it may leave, it is not
    protected, even where the component is.
    """
    pulumi.log.info(spelt(made.told), parent)
    for warning in made.plan.warnings:
        pulumi.log.warn(spelt(warning), parent)
    states = dict[str, pulumi.Input[Any]]()
    for decision, children in made.component.children(made.plan):
        before = list[pulumi.Resource]()
        name = decision.node if decision.node and decision.node not in states else decision.instance_id
        for child in children:
            options = pulumi.ResourceOptions(parent=parent, depends_on=before, retain_on_delete=True, protect=False)
            before = [make(child, options)]
            states[name] = getattr(before[0], "state")  # noqa: B009
    return pulumi.Output.from_input(states).apply(_begun)


def _begun(states: Mapping[str, Any]) -> dict[str, str]:
    """The states that are known: after a failure, some releases of pulumi give None for what was not begun."""
    return {node: str(state) for node, state in states.items() if state is not None}
