"""What the simulator costs: its requests per second, compared with a bare app of the same framework, and its memory.

    python benchmarks/simulator_cost.py [--requests 4000] [--soak 100000]

The bare app answers with a constant JSON of the size of the simulator's answer. The benchmark measures both in turn in
one run, on the loopback, over 8 connections that stay open. The figures are the ratio, and the growth of the memory
from 20 % of the soak to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from togetherai_simulator import DEFAULT_API_KEY, running, serving

CONNECTIONS = 8
SLOWEST = 1 / 3
"""The least share of the bare app's requests per second that the simulator must reach."""
GROWTH = 1.05
"""The most that memory may grow."""
NODE = "/v1/compute/clusters/cluster-1/instances/cluster-1-node-1/remediations"
SPEED = 0.001
"""Simulated seconds per second: nothing ends meanwhile."""


def bare_app(body: bytes) -> Starlette:
    """The bare app."""

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


async def ask(address: str, request: bytes, count: int) -> tuple[float, bytes]:
    """Requests per second over the connections, and the body of one answer."""
    url, body = urlsplit(address), b""

    async def one(number: int) -> None:
        nonlocal body
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        for _ in range(number):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(one(count // CONNECTIONS) for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - started), body


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A complete HTTP request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {DEFAULT_API_KEY}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def resident(process: int) -> float:
    """The memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def measure(count: int, soak: int) -> dict[str, dict[str, float]]:
    """All figures."""
    create = request("POST", NODE, b'{"mode": "REMEDIATION_MODE_REBOOT_VM", "reason": "benchmark"}')
    figures: dict[str, dict[str, float]] = {}
    with running(speed=SPEED) as simulator:
        _, made = await ask(simulator.root, create, CONNECTIONS)
        get = request("GET", f"{NODE}/{json.loads(made)['id']}")
        listing = request("GET", f"{NODE}?page_size=8")
        for name, asked in (("get", get), ("list", listing), ("create", create)):
            part = count // 4 if name == "create" else count
            _, answer = await ask(simulator.root, asked, CONNECTIONS)
            with serving(bare_app, answer) as (other, _):
                await ask(other, asked, CONNECTIONS)
                rounds = [[(await ask(app, asked, part))[0] for app in (other, simulator.root)] for _ in range(3)]
            bare, own = (sorted(speeds)[1] for speeds in zip(*rounds, strict=True))
            figures[name] = {"bare /s": round(bare), "simulator /s": round(own), "ratio": round(own / bare, 2)}
    with running(speed=SPEED) as simulator:
        _, made = await ask(simulator.root, create, CONNECTIONS)
        get = request("GET", f"{NODE}/{json.loads(made)['id']}")
        await ask(simulator.root, get, soak // 5)
        early = resident(simulator.process)
        await ask(simulator.root, get, soak - soak // 5)
        figures["memory"] = {
            f"MB after {soak // 5}": round(early, 1),
            f"MB after {soak}": round(resident(simulator.process), 1),
            "growth": round(resident(simulator.process) / early, 3),
        }
    return figures


def main() -> None:
    """Prints the figures as JSON; ends with 1 if they miss a target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--soak", type=int, default=100_000)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.requests, arguments.soak))
    print(json.dumps(figures | {"targets": {"ratio at least": round(SLOWEST, 2), "growth at most": GROWTH}}, indent=2))
    ratios = [figure["ratio"] for figure in figures.values() if "ratio" in figure]
    sys.exit(min(ratios) < SLOWEST or figures["memory"]["growth"] > GROWTH)


if __name__ == "__main__":
    main()
