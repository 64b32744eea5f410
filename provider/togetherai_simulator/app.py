"""The simulator as an ASGI application."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from togetherai_simulator.access import Access, AccessKey
from togetherai_simulator.control import Control
from togetherai_simulator.endpoint import ConnectionDropped, Endpoint, date_header
from togetherai_simulator.errors import Refusal, not_found
from togetherai_simulator.faults import Faults
from togetherai_simulator.journal import Journal
from togetherai_simulator.operations import API_ROOT, OPERATIONS, Operation
from togetherai_simulator.origin import check_own
from togetherai_simulator.pages import Pages
from togetherai_simulator.platform import Platform
from togetherai_simulator.spoken import speak_refusal


class App:
    """The API, the control API below /_simulator, and pages for people."""

    def __init__(self, platform: Platform, keys: Iterable[AccessKey], *, journal: int) -> None:
        """`journal` is how many requests the journal keeps."""
        self.platform = platform
        self.access = Access(keys)
        self.faults = Faults(platform.randomness.of("faults"))
        self.journal = Journal(journal)
        control = Control(platform, self.faults, self.journal)
        # A bare router: Starlette's own error pages would answer a connection that is to be dropped.
        pages = Pages(platform, self.faults, self.access, self.journal)
        routes = [*self._api_routes(), *control.routes(), *pages.routes()]
        self.own_host: str | None = None
        """The address on which the simulator listens. In process it listens on none, and no browser can reach it."""
        self._router = Router(routes, redirect_slashes=False, default=self._not_found)

    def _api_routes(self) -> list[BaseRoute]:
        by_path: defaultdict[str, list[Operation]] = defaultdict(list)
        for operation in OPERATIONS:
            by_path[operation.path].append(operation)
        return [
            Route(
                path,
                Endpoint(
                    operations, platform=self.platform, access=self.access, faults=self.faults, journal=self.journal
                ),
            )
            for path, operations in by_path.items()
        ]

    async def _not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        entry = self.journal.open(self.platform.now, scope["method"], path, query, b"")
        entry.status = 404
        self.journal.close(entry)
        hint = "" if path.startswith(API_ROOT) else f"; the API is below {API_ROOT}"
        answer = speak_refusal(not_found(f"there is nothing at {path}{hint}"), self.platform.settings.dialect)
        headers = date_header(self.platform)
        await Response(answer.body, answer.status, headers, answer.content_type)(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.own_host is not None and scope["type"] == "http" and not scope["path"].startswith(API_ROOT + "/"):
            try:
                check_own(
                    dict[bytes, bytes](scope["headers"]), self.own_host, write=scope["method"] not in ("GET", "HEAD")
                )
            except Refusal as refusal:
                await JSONResponse(refusal.body, refusal.http_status)(scope, receive, send)
                return
        try:
            await self._router(scope, receive, send)
        except (ConnectionDropped, asyncio.CancelledError):
            # Cancelled: the server stops, and a request that it still answers ends like a dropped connection.
            # ASGI has no message for closing a connection, so this uses uvicorn's transport. In process there is no
            # connection to close, and the exception goes on to the httpx transport (see `inprocess`).
            transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
            if transport is None:
                raise
            transport.close()
            # uvicorn notices this in the loop's next iteration. If this returned before, uvicorn would send an answer.
            while (await receive())["type"] != "http.disconnect":
                pass
