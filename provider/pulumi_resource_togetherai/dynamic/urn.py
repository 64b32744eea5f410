"""A resource's URN, worked out in the program: pulumi.dynamic does not tell it to the provider."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

import pulumi


def urn_of(resource_name: str, kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.Output[str]:
    """The URN. It names the parent without depending on it: to depend on a component is to depend on all its children,
    of which the resource is one."""
    parent = opts.parent if opts else None
    above = pulumi.Output.from_input(cast(Awaitable[str], parent.urn.future())) if parent else None
    return pulumi.create_urn(resource_name, kind, above)
