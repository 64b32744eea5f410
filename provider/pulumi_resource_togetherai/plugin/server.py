"""The plugin's process: a gRPC server that the engine starts, calls, interrupts and stops.

It is started often and used rarely, so modules that a start does not need (models, HTTP client, schema) are imported on
first use.
"""

from __future__ import annotations

import asyncio
import sys

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.plugin.ending import when_asked_to_end
from pulumi_resource_togetherai.plugin.provider import TogetherAiProvider
from pulumi_resource_togetherai.plugin.pulumi_internals import GRPC_OPTIONS
from pulumi_resource_togetherai.plugin.servicer import Servicer
from pulumi_resource_togetherai.telemetry import export

GRACE = 5.0
"""How long, in seconds, running operations may still take when the server stops."""


def main() -> None:
    """Serves until the engine says to stop, or has exited."""
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not arguments:
        sys.exit(
            "pulumi-resource-togetherai is a Pulumi provider plugin: Pulumi starts it. "
            "It takes the engine's address as its argument."
        )
    asyncio.run(_serve(arguments[-1]))


async def _serve(engine_address: str) -> None:
    stopped = asyncio.Event()
    when_asked_to_end(stopped.set)
    engine = Engine(engine_address)
    provider = TogetherAiProvider(engine)
    interceptors = list[grpc.aio.ServerInterceptor]()
    if export.start(warn=engine.warn, debug=engine.debug):
        from pulumi_resource_togetherai.plugin.trace_context import TraceContext

        interceptors.append(TraceContext())
    server = grpc.aio.server(interceptors=interceptors, options=GRPC_OPTIONS)
    servicer = Servicer(sys.argv[1:], __version__, provider, engine_address, engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    watch = asyncio.create_task(engine.exit_with_it())
    await stopped.wait()
    await provider.cancel()
    await server.stop(GRACE)
    watch.cancel()
    await provider.close()
    export.stop()
