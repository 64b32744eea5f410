"""The pages for people: the console at the root, the reference, and the OpenAPI document behind it.

They are plain HTML from templates, with a small script of their own: the libraries that make such pages in the browser
come in no Python package, and the simulator's pages must work without a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pulumi_resource_togetherai.api.enums import RemediationMode
from togetherai_simulator.access import Access
from togetherai_simulator.alerts import FAULTS
from togetherai_simulator.conditions import OUTCOMES, SORTS
from togetherai_simulator.console import REQUESTS, Look, render_cluster
from togetherai_simulator.faults import FaultName, Faults, OperationName
from togetherai_simulator.html import render
from togetherai_simulator.journal import Journal
from togetherai_simulator.openapi import openapi
from togetherai_simulator.platform import Platform
from togetherai_simulator.reference import render_reference

ASSETS = Path(__file__).parent / "assets"
HARDENED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What a browser lets the pages do: run their own script and send requests to the simulator, nothing else."""


class Pages:
    """The pages and their parts."""

    def __init__(self, platform: Platform, faults: Faults, access: Access, journal: Journal) -> None:
        self._platform = platform
        self._faults = faults
        self._access = access
        self._journal = journal

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/", self.console),
            Route("/_simulator/console", self.fragment),
            Route("/_simulator/assets/{name}", self.asset),
            Route("/openapi.json", self.openapi),
            Route("/reference", self.reference),
        ]

    async def console(self, request: Request) -> Response:
        page = render(
            "console.html",
            # The page uses the API like any client, so it needs a key. This key gives access to nothing real.
            key=next((key.key for key in self._access.keys.values() if not key.read_only), ""),
            modes=[mode.short for mode in RemediationMode],
            approval_modes=[mode.short for mode in RemediationMode if mode != RemediationMode.HOST_POWER_CYCLE],
            alerts=list(FAULTS),
            kinds=get_args(FaultName),
            operations=get_args(OperationName)[::-1],
            outcomes=OUTCOMES,
            sorts=list(SORTS),
        )
        return HTMLResponse(page, headers=HARDENED)

    async def fragment(self, request: Request) -> Response:
        """What the page shows of one cluster; 304 if nothing has changed since the page last asked."""
        self._platform.catch_up()
        self._platform.commit()
        clusters, asked = self._platform.clusters, request.query_params
        cluster = clusters.get(asked.get("cluster", "")) or next(iter(clusters.values()))
        look = Look(asked.get("find", ""), asked.get("sort", Look.sort))
        requests = [(entry.seq, *entry.same()) for entry in self._journal.latest(REQUESTS)]
        shown = (cluster.cluster_id, look, self._platform.revision, repr(self._faults.rules), *requests)
        tag = f'"{id(self._platform)}-{hash(shown)}"'
        clock = self._platform.clock
        headers = {"ETag": tag, "X-Simulated-Time": clock.now().isoformat(), "X-Speed": str(clock.anchor.speed)}
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        page = render_cluster(self._platform, self._faults, self._journal, cluster, look)
        return HTMLResponse(page, headers=headers)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("console.css", "console.js"):
            return PlainTextResponse("not found", 404)
        return FileResponse(ASSETS / name)

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(openapi())

    async def reference(self, request: Request) -> Response:
        return HTMLResponse(render_reference(openapi(), self._platform.settings), headers=HARDENED)
