"""The parts of Pulumi's Python SDK that the plugin uses although they are not public: each one, and why.

A release of pulumi may move or change any of it. `tests/unit/test_pulumi_internals.py` says which; `make versions` runs
both forms with the oldest release that pyproject.toml admits, 3.200.0, and with the newest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi
import pulumi.runtime.stack
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.resource import DependencyResource
from pulumi.runtime.proto import provider_pb2

# Pulumi's own limit on the size of a message (400 MB), without which a stack with large outputs fails in gRPC. Seen in
# `pulumi.runtime.settings` from 3.200.0 to 3.272.0; since some release in between it is defined elsewhere.
from pulumi.runtime.settings import (
    _GRPC_CHANNEL_OPTIONS,  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
    _get_rpc_manager,  # pyright: ignore[reportPrivateUsage]
)

from pulumi_resource_togetherai.engine import NO_PROXY

GRPC_OPTIONS = _GRPC_CHANNEL_OPTIONS
"""The options of a gRPC server that talks to the engine."""

_GRPC_CHANNEL_OPTIONS.extend(NO_PROXY)  # for the channels that Pulumi opens in this process, where it runs a component
REGISTRATION_FAILED: Any = getattr(pulumi.runtime.stack, "ResourceRegistrationFailed", ())
"""What the outputs of a resource end with that failed under `--continue-on-error` (as in 3.254.0); nothing in releases
of pulumi where they stay unknown (as in 3.200.0 and 3.272.0)."""


def depending_on(value: Any, urns: Iterable[str]) -> pulumi.Output[Any]:
    """A value as an output that depends on resources of which only the URNs are known."""
    resources = [DependencyResource(urn).urn for urn in urns]
    return pulumi.Output.all(value, *resources).apply(lambda found: found[0])


async def forgive_failed_registrations() -> None:
    """Waits for all that a component has asked of the engine, and lets children fail that could not be registered, with
    those that depend on them. Otherwise Pulumi takes the first of them for the component's error, and ends the program.
    """
    while True:
        try:
            await pulumi.runtime.stack.wait_for_rpcs(await_all_outstanding_tasks=False)
        except REGISTRATION_FAILED:
            _get_rpc_manager().unhandled_exception = None
        else:
            return


async def construct(
    servicer: ProviderServicer, request: provider_pb2.ConstructRequest, context: Any
) -> provider_pb2.ConstructResponse:
    """Constructs a component without waiting for the end of another one.

    Up to some release after 3.200.0, Pulumi's public `Construct` takes a lock first, because it changes the settings
    in `pulumi.runtime.settings`; with it, one RollingRemediation would wait for all repairs of another. The lock guards
    nothing: the settings are context variables, and each call has a context of its own.
    """
    return await servicer._construct(request, context)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
