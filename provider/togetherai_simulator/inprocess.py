"""The simulator without a network: a transport for httpx that passes requests directly to the application."""

from __future__ import annotations

import httpx
from starlette.types import Message, Scope

from togetherai_simulator.app import App
from togetherai_simulator.endpoint import ConnectionDropped


class InProcessTransport(httpx.ASGITransport, httpx.BaseTransport):
    """Connects an `httpx.AsyncClient` or an `httpx.Client` to the simulator. A dropped connection raises the same error
    as on a network.

    Answers come whole. httpx's own timeouts do not apply, so put `asyncio.timeout` around a request that should time
    out under an injected latency. An `httpx.Client` cannot wait for such an answer: it raises RuntimeError.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app=app)
        self._simulator = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionDropped as error:
            raise _dropped(request) from error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Without an event loop, which may run around this: but for a latency, nothing in the simulator waits.
        answer = self._answer(request)
        try:
            answer.send(None)
        except StopIteration as done:
            return done.value
        except ConnectionDropped as error:
            raise _dropped(request) from error
        answer.close()
        raise RuntimeError("the answer takes time, and an httpx.Client cannot wait for it in the simulator's process")

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        scope: Scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        sent = list[Message]()

        async def receive() -> Message:
            return {"type": "http.request", "body": request.read()}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._simulator(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)


def _dropped(request: httpx.Request) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError("the simulator dropped the connection", request=request)
