"""Serves the simulator over HTTP until a signal stops it."""

from __future__ import annotations

import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a busy port is noticed before the simulator announces its address. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that declare TCP; with the delay every answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # The first client may connect before uvicorn is ready: from here on it waits, and is not refused.
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Stop at once, without waiting for an open event stream or a hanging request. uvicorn would also raise the
        # signal again at its end, and the process would end with that signal's status.
        self.should_exit = self.force_exit = True


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Answers requests until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        app,
        # The Date of an answer is the simulated time.
        date_header=False,
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_level="warning",
        lifespan="off",
        ws="none",
    )
    _Server(config).run(sockets=[listener])
