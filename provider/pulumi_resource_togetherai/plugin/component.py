"""What the plugin's components have in common."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue

from pulumi_resource_togetherai.unknown import UNKNOWN

MOST_CHILDREN = 1000
"""How many children may be under way at once: Pulumi takes a thread for each."""
HALTED = "it is halted, because a remediation of it has not succeeded: see the error of that one"
NOT_KNOWN = PropertyValue(UNKNOWN)


class Component(pulumi.ComponentResource):
    """A component's node in the tree of resources."""

    def __init__(
        self, kind: str, name: str, opts: pulumi.ResourceOptions, inputs: dict[str, pulumi.Input[Any]] | None = None
    ) -> None:
        """`inputs` are what the stack and policy packs see of it."""
        super().__init__(kind, name, inputs, opts)


def make_room_for_children() -> None:
    """Lets as many children be under way at once as a component may have. Call it on the event loop."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_CHILDREN, "child"))
