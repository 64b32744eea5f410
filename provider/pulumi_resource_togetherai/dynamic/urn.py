"""A resource's URN, worked out in the program: pulumi.dynamic does not pass it to the provider."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

import pulumi


def urn_of(resource_name: str, kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.Output[str]:
    """The URN. It names the parent without depending on it: a resource that depends on a component depends on all of
    its children, and this resource is one of them."""
    parent = opts.parent if opts else None
    above = pulumi.Output.from_input(cast(Awaitable[str], parent.urn.future())) if parent else None
    return pulumi.create_urn(resource_name, kind, above)
