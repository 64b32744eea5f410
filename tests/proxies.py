"""What stands between a company's machine and the API: proxies, and servers with certificates of the company's own.
All of it is on this machine's loopback, each in a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Proxy:
    """A proxy that runs, and how it behaves."""

    leads: Mapping[str, int]
    """The port of this machine behind each `host:port` that clients may ask for."""
    user: tuple[str, str] | None = None
    """The user and the password that it asks for."""
    refuses: str = ""
    """The status that it answers instead of connecting, such as `403 Forbidden`."""
    instead: str = ""
    """What it does instead of answering: `close`, `silence` or `noise`."""
    port: int = 0
    asked: list[str] = field(default_factory=list[str])
    """What it was asked for, in turn."""


@contextmanager
def http_proxy(proxy: Proxy, tls: ssl.SSLContext | None = None) -> Generator[Proxy]:
    """A proxy that speaks HTTP, or HTTPS if there is `tls`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, _, headers = head.partition("\r\n")
        method, target, _ = line.split(" ")
        proxy.asked.append(f"{method} {target}")
        answer = _answer(proxy, headers)
        if answer or proxy.instead:
            await _be_odd(proxy, answer, writer)
        elif method == "CONNECT":
            away = await asyncio.open_connection("127.0.0.1", proxy.leads[target])
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join((reader, writer), away)
        else:
            host, _, path = target.removeprefix("http://").partition("/")
            away = await asyncio.open_connection("127.0.0.1", proxy.leads[host])
            away[1].write(f"{method} /{path} HTTP/1.1\r\n{headers}".encode("latin-1"))
            await _join((reader, writer), away)

    with _listening(handle, tls) as proxy.port:
        yield proxy


def _answer(proxy: Proxy, headers: str) -> str:
    """The status of an answer that is no connection; empty if there is to be one."""
    if proxy.user is not None:
        wanted = base64.b64encode(":".join(proxy.user).encode()).decode()
        if f"proxy-authorization: basic {wanted}".lower() not in headers.lower():
            return "407 Proxy Authentication Required"
    return proxy.refuses


async def _be_odd(proxy: Proxy, answer: str, writer: asyncio.StreamWriter) -> None:
    if proxy.instead == "silence":
        await asyncio.Event().wait()
    if proxy.instead == "noise":
        writer.write(b"220 mail.example.test ESMTP\r\n")
    elif not proxy.instead:
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


@contextmanager
def socks_proxy(proxy: Proxy) -> Generator[Proxy]:
    """A proxy that speaks SOCKS 5 (RFC 1928 and, for a user, RFC 1929)."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        offered, wanted = await reader.readexactly(count), 0 if proxy.user is None else 2
        if proxy.instead == "close":
            return
        writer.write(bytes([5, wanted if wanted in offered else 255]))
        if wanted not in offered:
            return
        if proxy.user is not None:
            given = list[str]()
            _, length = await reader.readexactly(2)
            given.append((await reader.readexactly(length)).decode())
            (length,) = await reader.readexactly(1)
            given.append((await reader.readexactly(length)).decode())
            writer.write(bytes([1, int(tuple(given) != proxy.user)]))
            if tuple(given) != proxy.user:
                return
        *_, kind = await reader.readexactly(4)
        assert kind == 3, "the client looks names up itself"
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode()
        target = f"{host}:{int.from_bytes(await reader.readexactly(2))}"
        proxy.asked.append(f"SOCKS {target}")
        reply = bytes([5, 2 if proxy.refuses else 0, 0, 1, 0, 0, 0, 0, 0, 0])
        if proxy.refuses:
            writer.write(reply)
            return
        away = await asyncio.open_connection("127.0.0.1", proxy.leads[target])
        writer.write(reply)
        await _join((reader, writer), away)

    with _listening(handle) as proxy.port:
        yield proxy


@contextmanager
def behind_tls(port: int, tls: ssl.SSLContext) -> Generator[int]:
    """A port that speaks TLS, for another one that does not."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        away = await asyncio.open_connection("127.0.0.1", port)
        await _join((reader, writer), away)

    with _listening(handle, tls) as listening:
        yield listening


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(here: Streams, there: Streams) -> None:
    """Passes on what comes from either side until one side ends."""
    ways = [asyncio.ensure_future(_pass_on(a[0], b[1])) for a, b in ((here, there), (there, here))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await _close(there[1])


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@contextmanager
def _listening(handle: Handler, tls: ssl.SSLContext | None = None) -> Generator[int]:
    """Serves on a free port of the loopback, in a thread, and closes everything."""
    bound = Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handle(reader, writer)
        await _close(writer)

    async def serve() -> None:
        clients, ended = dict[asyncio.Task[None], asyncio.StreamWriter](), asyncio.Event()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if ended.is_set():  # it was accepted before the server closed, and is told of after
                writer.close()
                return
            task = asyncio.ensure_future(client(reader, writer))
            clients[task] = writer
            task.add_done_callback(clients.pop)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        bound.set_result((asyncio.get_running_loop(), ended, server.sockets[0].getsockname()[1]))
        await ended.wait()
        server.close()
        left = dict(clients)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for writer in left.values():  # a task that was cancelled before it began has closed nothing
            await _close(writer)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, ended, port = bound.result(timeout=30)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
