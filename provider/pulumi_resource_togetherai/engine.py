"""Talks to the Pulumi engine that started this process: writes to its log, and watches whether it is still there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

import grpc
import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from pulumi_resource_togetherai.clusters.report import HEARTBEAT
from pulumi_resource_togetherai.live_rows import repaints_rows
from pulumi_resource_togetherai.sanitize import sanitize_lines
from pulumi_resource_togetherai.telemetry import export

AT_ONCE = 16
"""How many messages are on their way at once. When a thousand remediations change their state in the same poll, a
thousand calls at once would take more memory than all else that waits for them."""
NO_PROXY = [("grpc.enable_http_proxy", 0)]
"""The engine is on this machine. gRPC would look for it behind `https_proxy`, where that is written in lower case."""
LIVE = 5.0
"""How often, in seconds, a row in a terminal says how long the wait has taken."""
_GONE = (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN)
NEVER_REACHED = 60.0
"""Seconds after which an engine that was never there counts as gone. It was killed while it started this process."""


class Engine:
    """The engine at an address, as Pulumi gives it to every plugin."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=NO_PROXY)
        self._stub = engine_pb2_grpc.EngineStub(self._channel)
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def report(self, urn: str, worded: Callable[[str], str] = str, severity: int = engine_pb2.INFO) -> EngineReport:
        """What shows messages about one resource, on that resource's line. `worded` is how a text is to be shown, such
        as without its secrets; `severity` that of what informs."""
        return EngineReport(self, urn, worded, severity)

    async def log(self, severity: int, urn: str, text: str, *, passing: bool = False) -> None:
        """Shows a message of one or more lines. If the engine does not take it, the operation goes on."""
        request = engine_pb2.LogRequest(message=sanitize_lines(text), urn=urn, ephemeral=passing)
        request.severity = severity  # pyright: ignore[reportAttributeAccessIssue]
        async with self._turns:
            with suppress(grpc.RpcError):
                # The type stubs know the blocking client only.
                await cast(Awaitable[object], self._stub.Log(request))  # pyright: ignore[reportUnknownMemberType]

    def warn(self, text: str) -> None:
        """Shows a line about the process itself. May be called from any thread, and does not wait."""
        self._log_soon(engine_pb2.WARNING, text)

    def debug(self, text: str) -> None:
        """Shows a line to those who run `pulumi --debug`. May be called from any thread, and does not wait."""
        self._log_soon(engine_pb2.DEBUG, text)

    def _log_soon(self, severity: int, text: str) -> None:
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self.log(severity, "", text), self._loop)

    async def exit_with_it(self) -> None:
        """Sends the remaining telemetry and ends this process as soon as the engine is gone. Prints nothing: stderr is
        a broken pipe by then."""
        seen, expected_by = False, self._loop.time() + NEVER_REACHED
        state = self._channel.get_state(try_to_connect=True)
        while True:
            if state is grpc.ChannelConnectivity.READY:
                seen = True
            elif state in _GONE and (seen or self._loop.time() > expected_by):
                export.stop()
                os._exit(0)
            await self._channel.wait_for_state_change(state)
            state = self._channel.get_state(try_to_connect=True)


class EngineReport:
    """The lines of one resource. Passing lines update its status; the others stay under Diagnostics."""

    @property
    def heartbeat(self) -> float:
        """How often, in seconds, a wait without changes may say that it goes on."""
        return LIVE if repaints_rows() else HEARTBEAT

    def __init__(self, engine: Engine, urn: str, worded: Callable[[str], str], severity: int) -> None:
        self._engine = engine
        self._urn = urn
        self._worded = worded
        self._severity = severity

    async def status(self, text: str) -> None:
        """A passing line about the current status."""
        await self._engine.log(self._severity, self._urn, self._worded(text), passing=True)

    async def info(self, text: str) -> None:
        """A line that stays."""
        await self._engine.log(self._severity, self._urn, self._worded(text))

    async def warning(self, text: str) -> None:
        """A line that stays and asks for attention."""
        await self._engine.log(engine_pb2.WARNING, self._urn, self._worded(text))

    async def error(self, text: str) -> None:
        """What went wrong, where no operation fails with it: the engine shows the resource as failed."""
        await self._engine.log(engine_pb2.ERROR, self._urn, self._worded(text))
