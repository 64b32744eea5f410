"""The pages for people: the console at the root, the reference, and the OpenAPI document behind it.

Plain HTML made here, with a little script of our own: the libraries that do this have no package that would bring them
along, and a page of a simulator has to work without a network.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import get_args

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.simulator.access import Access
from pulumi_resource_togetherai.simulator.alerts import FAULTS
from pulumi_resource_togetherai.simulator.console import render
from pulumi_resource_togetherai.simulator.faults import FaultName, Faults, OperationName
from pulumi_resource_togetherai.simulator.openapi import openapi
from pulumi_resource_togetherai.simulator.platform import Platform
from pulumi_resource_togetherai.simulator.reference import render_reference
from pulumi_resource_togetherai.simulator.script import Scenario

ASSETS = Path(__file__).parent / "assets"
HARDENED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What a browser lets the pages do: run the script of their own and ask the simulator, nothing else."""


def _options(values: list[str], *, first: str | None = None) -> str:
    head = "" if first is None else f'<option value="">{escape(first)}</option>'
    return head + "".join(f"<option>{escape(value)}</option>" for value in values)


class Pages:
    """The pages and what they are made of."""

    def __init__(self, platform: Platform, faults: Faults, access: Access) -> None:
        self._platform = platform
        self._faults = faults
        self._access = access

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
        values = {
            # The page acts through the API like everybody else, so it needs a key; this one opens nothing real.
            "key": escape(next((key.key for key in self._access.keys.values() if not key.read_only), "")),
            "modes": _options([mode.short for mode in RemediationMode]),
            "approval_modes": _options(
                [mode.short for mode in RemediationMode if mode != RemediationMode.HOST_POWER_CYCLE],
                first="as proposed",
            ),
            "alerts": _options(list(FAULTS)),
            "kinds": _options(list(get_args(FaultName))),
            "operations": _options(list(get_args(OperationName))[::-1]),
        }
        page = (ASSETS / "console.html").read_text(encoding="utf-8")
        for name, value in values.items():
            page = page.replace(f"{{{{{name}}}}}", value)
        return HTMLResponse(page, headers=HARDENED)

    async def fragment(self, request: Request) -> Response:
        """What the page shows of one cluster; 304 when nothing changed since."""
        self._platform.catch_up()
        self._platform.commit()
        clusters = self._platform.clusters
        cluster = clusters.get(request.query_params.get("cluster", "")) or next(iter(clusters.values()))
        tag = f'"{id(self._platform)}-{cluster.cluster_id}-{self._platform.revision}-{hash(repr(self._faults.rules))}"'
        clock = self._platform.clock
        headers = {"ETag": tag, "X-Simulated-Time": clock.now().isoformat(), "X-Speed": str(clock.anchor.speed)}
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(render(self._platform, self._faults, cluster), headers=headers)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("console.css", "console.js"):
            return PlainTextResponse("not found", 404)
        return FileResponse(ASSETS / name)

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(openapi())

    async def reference(self, request: Request) -> Response:
        return HTMLResponse(render_reference(openapi(), Scenario.model_json_schema()), headers=HARDENED)
