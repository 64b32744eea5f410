"""A proxy before the simulated API that stops one request at an exact point, so that a test can kill somebody there."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

PATIENCE = 60.0
"""Seconds after which a point counts as never reached."""


@dataclass(frozen=True)
class Point:
    """Where to stop: at a request, before it takes effect or before its answer arrives."""

    is_there: Callable[[str, str, dict[str, Any]], bool]
    """Whether a request (method, path, and the answer's body, empty before it) is the one."""
    answered: bool
    """Whether the request has taken effect by then."""


class Gate:
    """Lets everything pass until it is set to stop at a point."""

    def __init__(self, api: str) -> None:
        self._http = httpx.Client(base_url=api.removesuffix("/v1"), timeout=30)
        self._point: Point | None = None
        self.rewrite: Callable[[str, str, bytes], bytes] = lambda method, path, body: body
        """What becomes of the API's answers on their way: method, path and body of the good ones."""
        self.reached = threading.Event()
        self._released = threading.Event()

    def stop_at(self, point: Point) -> None:
        """Stops the next request that comes to the point, and lets go on what was stopped before."""
        stopped, self._released = self._released, threading.Event()
        self.reached.clear()
        self._point = point
        stopped.set()

    def release(self) -> None:
        """Lets what was stopped go on, and everything after it pass."""
        self._point = None
        self._released.set()

    def close(self) -> None:
        """Ends the connections to the API."""
        self.release()
        self._http.close()

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Hands a request on, and stops it where it is to be stopped."""
        self._pass(method, path, {}, answered=False)
        response = self._http.request(method, path, headers=headers, content=body)
        answer: dict[str, Any] = json.loads(response.content) if response.is_success else {}
        self._pass(method, path, answer, answered=True)
        return response

    def _pass(self, method: str, path: str, answer: dict[str, Any], *, answered: bool) -> None:
        point = self._point
        if point is not None and point.answered is answered and point.is_there(method, path, answer):
            self._point, released = None, self._released
            self.reached.set()
            released.wait(PATIENCE)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of connections that end because their owner was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def gate(api: str) -> Generator[tuple[Gate, str]]:
    """A gate before an API; yields it, and the address to use instead of the API's."""
    made = Gate(api)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            passed_on = ("authorization", "content-type")
            kept = {name: value for name, value in self.headers.items() if name.lower() in passed_on}
            try:
                response = made.forward(self.command, self.path, kept, body)
                self.send_response_only(response.status_code)
                self.send_header("Date", response.headers["Date"])
                self.send_header("Content-Type", response.headers.get("Content-Type", "application/json"))
                content = response.content
                if response.is_success:
                    content = made.rewrite(self.command, self.path, content)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (OSError, RuntimeError):  # whoever asked was killed, or the test is over
                self.close_connection = True

        do_GET = do_POST = _handle

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are silent."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        made.close()
        server.shutdown()
        server.server_close()
        thread.join()
