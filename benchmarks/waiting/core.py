"""Side: the plugin without the engine, in one process or in several. A gRPC client sends each process the engine's
requests, for all of its remediations at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from waiting.meter import PERIOD, Meter
from waiting.outcome import SIDE, Outcome
from waiting.platform import Platform
from waiting.workload import MODE, Workload

URN = "urn:pulumi:prod::training::togetherai:index:Remediation::"


class Listener(engine_pb2_grpc.EngineServicer):
    """The part of the engine that the plugin calls. It ignores every call."""

    async def Log(self, request: engine_pb2.LogRequest, context: grpc.aio.ServicerContext[Any, Any]) -> empty_pb2.Empty:
        """A line for the user."""
        return empty_pb2.Empty()


def run(workload: Workload, api: Platform, meter: Meter) -> Outcome:
    """Does the work."""
    return asyncio.run(_run(workload, api, meter))


async def _run(workload: Workload, api: Platform, meter: Meter) -> Outcome:
    server = grpc.aio.server()
    engine_pb2_grpc.add_EngineServicer_to_server(Listener(), server)  # pyright: ignore[reportUnknownMemberType]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with AsyncExitStack() as started:
            plugins = [await started.enter_async_context(_plugin(port, api, meter)) for _ in workload.shares]
            for plugin in plugins:
                await plugin.Configure(provider_pb2.ConfigureRequest(args=_struct(workload.provider_settings)))
            return await _ask(plugins, workload)
    finally:
        await server.stop(None)


@asynccontextmanager
async def _plugin(engine: int, api: Platform, meter: Meter) -> AsyncGenerator[Any]:
    """Starts a plugin that takes the `engine` port for the engine's, and yields its client. The type is Any because the
    type stubs know only the blocking client."""
    plugin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pulumi_resource_togetherai", f"127.0.0.1:{engine}"),
        stdout=subprocess.PIPE,
        env=os.environ | api.simulator.environment,
    )
    try:
        assert plugin.stdout is not None
        meter.watch(SIDE, plugin.pid)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{int(await plugin.stdout.readline())}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        with suppress(ProcessLookupError):  # if it has died, its missing returns show that
            plugin.terminate()
        await plugin.wait()


async def _ask(plugins: Sequence[Any], workload: Workload) -> Outcome:
    await asyncio.sleep(3 * PERIOD)
    outcome = Outcome(time.time())

    async def repair(ask: Any, cluster: str, instance: str) -> None:
        urn = URN + instance
        news = _struct({"clusterId": cluster, "instanceId": instance, "mode": MODE})
        try:
            checked = await ask.Check(provider_pb2.CheckRequest(urn=urn, news=news))
            await ask.Create(provider_pb2.CreateRequest(urn=urn, properties=checked.inputs))
        except grpc.RpcError as error:
            outcome.failures.append(str(error.details()))
        else:
            outcome.returned[instance] = time.time()

    repairs = [
        asyncio.create_task(repair(plugin, cluster, instance))
        for plugin, share in zip(plugins, workload.shares, strict=True)
        for cluster, instance in share
    ]
    _, late = await asyncio.wait(repairs, timeout=workload.patience)
    if late:
        outcome.given_up = time.time()
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    await asyncio.sleep(3 * PERIOD)
    return outcome


def _struct(properties: dict[str, str]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct
