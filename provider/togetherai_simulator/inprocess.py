"""The simulator without a network: a transport for httpx that passes requests directly to the application."""

from __future__ import annotations

import httpx

from togetherai_simulator.app import App
from togetherai_simulator.endpoint import ConnectionDropped


class InProcessTransport(httpx.ASGITransport):
    """Connects an `httpx.AsyncClient` to the simulator. A dropped connection raises the same error as on a network.

    Answers come whole. httpx's own timeouts do not apply, so put `asyncio.timeout` around a request that should time
    out under an injected latency.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app=app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionDropped as error:
            raise httpx.RemoteProtocolError("the simulator dropped the connection", request=request) from error
