"""A process of the provider ends with its engine, however long nobody has called anybody before."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable
from typing import cast

import grpc
import grpc.aio
import pytest

from pulumi_resource_togetherai import engine
from pulumi_resource_togetherai.engine import Engine

IDLE_AFTER = [("grpc.client_idle_timeout_ms", 1000)]
"""By itself gRPC closes a connection that was not used for 30 minutes. It takes no shorter time than a second."""
READY = grpc.ChannelConnectivity.READY


class Ended(Exception):
    """The process would have ended."""


def end(_status: int) -> None:
    raise Ended


async def test_a_process_whose_engine_was_never_there_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "_exit", end)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{free.getsockname()[1]}")
        monkeypatch.setattr(grpc.aio, "insecure_channel", lambda *_, **_options: channel)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        async with asyncio.timeout(20):
            watch = asyncio.create_task(Engine("").exit_with_it())
            while channel.get_state() is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                await cast(Awaitable[None], channel.wait_for_state_change(channel.get_state()))
            await asyncio.sleep(0)
            assert not watch.done()  # the engine may be slow
            watch.cancel()
            monkeypatch.setattr(engine, "NEVER_REACHED", 0.0)
            with pytest.raises(Ended):
                await Engine("").exit_with_it()
        await channel.close()


async def test_an_engine_that_ends_is_noticed_after_grpc_has_closed_an_idle_connection(monkeypatch: pytest.MonkeyPatch):
    server = grpc.aio.server()
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    channel = grpc.aio.insecure_channel(address, options=IDLE_AFTER)
    monkeypatch.setattr(grpc.aio, "insecure_channel", lambda *_, **_options: channel)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(os, "_exit", end)
    started = Engine(address)
    watch = asyncio.create_task(started.exit_with_it())
    async with asyncio.timeout(20):
        await started.log(1, "", "gRPC counts the idle time from the end of a call")
        await cast(Awaitable[None], channel.wait_for_state_change(READY))  # it closes the connection
        while channel.get_state() is not READY:  # and the watch has it opened again
            await cast(Awaitable[None], channel.wait_for_state_change(channel.get_state()))
        assert not watch.done()
        await server.stop(None)
        with pytest.raises(Ended):
            await watch
    await channel.close()
