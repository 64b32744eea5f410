"""The control API below /_simulator: with it, tests, demos and the console page direct the simulator. No key needed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_resource_togetherai.api.enums import RemediationState
from togetherai_simulator.alerts import FaultKind
from togetherai_simulator.bodies import KnownMode
from togetherai_simulator.errors import Refusal, invalid_argument
from togetherai_simulator.faults import FaultRule, Faults
from togetherai_simulator.fleet import Cluster
from togetherai_simulator.job import Job
from togetherai_simulator.journal import Journal
from togetherai_simulator.options import Options, Seconds
from togetherai_simulator.platform import Platform
from togetherai_simulator.settings import Behaviour

SHOWN = 200
"""How many remediations per cluster the state holds, newest first, unless the query sets `limit`."""


class Advance(Options):
    """Jump ahead in time."""

    seconds: Seconds


class Speed(Options):
    """How fast time passes."""

    speed: Seconds
    """Simulated seconds per real second; 0 stops the clock."""


class Proposal(Options):
    """A remediation for the platform to propose; see `HealthChecks.propose`."""

    mode: KnownMode | None = None
    fault: FaultKind | None = None
    reason: str | None = None
    clears_after: Seconds | None = None
    force: bool = False


class ForcedState(Options):
    """A state to put a remediation into. Unknown states are allowed too: a newer server may have them."""

    state: RemediationState
    error_message: str | None = None


Model = TypeVar("Model", bound=BaseModel)


async def _read(request: Request, model: type[Model]) -> Model:
    """The request's body as a `model`."""
    return await _validated(request, model.model_validate)


async def _validated(request: Request, validate: Callable[[Any], Model]) -> Model:
    try:
        return validate(json.loads(await request.body() or b"{}"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise invalid_argument(".".join(map(str, first["loc"])) or "body", first["msg"]) from None
    except ValueError as error:
        raise invalid_argument("body", f"is not JSON: {error}") from None


class Control:
    """The operations of the control API."""

    def __init__(self, platform: Platform, faults: Faults, journal: Journal) -> None:
        self._platform = platform
        self._faults = faults
        self._journal = journal

    def routes(self) -> list[Route]:
        """Its routes."""
        instance = "/instances/{cluster_id}/{instance_id}"
        remediation = "/remediations/{remediation_id}"
        table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "/state", self.state),
            ("GET", "/requests", self.requests),
            ("DELETE", "/requests", self.clear_requests),
            ("GET", "/clock", self.clock),
            ("POST", "/clock", self.set_speed),
            ("POST", "/advance", self.advance),
            ("GET", "/settings", self.settings),
            ("PATCH", "/settings", self.change_settings),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("PUT", f"{instance}/behaviour", self.behave),
            ("POST", f"{instance}/propose", self.propose),
            ("POST", f"{instance}/clear-alerts", self.clear_alerts),
            ("POST", f"{remediation}/state", self.force),
            ("POST", f"{remediation}/expire", self.expire),
        ]
        return [
            Route("/_simulator" + path, self._endpoint(handler), methods=[method]) for method, path, handler in table
        ]

    def _endpoint(self, handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                self._platform.catch_up()
                return JSONResponse(await handler(request))
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.http_status, refusal.headers)
            finally:
                self._platform.commit()

        return endpoint

    async def state(self, request: Request) -> Any:
        limit = request.query_params.get("limit", str(SHOWN))
        if not limit.isdecimal():
            raise invalid_argument("limit", f"{limit!r} is not a number")
        return self.snapshot(int(limit))

    def snapshot(self, limit: int = SHOWN) -> dict[str, Any]:
        """The simulator's whole state, with the newest `limit` remediations of each cluster."""
        return {
            **self._clock(),
            "settings": self._platform.settings.model_dump(),
            "faults": [rule.model_dump() for rule in self._faults.rules],
            "requests": self._journal.count,
            "clusters": [self._cluster(cluster, limit) for cluster in self._platform.clusters.values()],
        }

    def _cluster(self, cluster: Cluster, limit: int) -> dict[str, Any]:
        jobs = self._platform.jobs(cluster.cluster_id)
        newest = [jobs[index] for index in range(len(jobs) - 1, max(-1, len(jobs) - 1 - limit), -1)]
        nodes = [
            node.model_dump(mode="json", exclude={"behaviour"})
            | {"behaviour": node.behaviour.model_dump(exclude_none=True)}
            for node in cluster.nodes
        ]
        return {"cluster_id": cluster.cluster_id, "nodes": nodes, "remediations": [describe(job) for job in newest]}

    async def requests(self, request: Request) -> Any:
        return [entry.as_json() for entry in self._journal.entries]

    async def clear_requests(self, request: Request) -> Any:
        self._journal.clear()
        return {}

    def _clock(self) -> dict[str, Any]:
        return {"now": self._platform.now.isoformat(), "speed": self._platform.clock.anchor.speed}

    async def clock(self, request: Request) -> Any:
        return self._clock()

    async def set_speed(self, request: Request) -> Any:
        self._platform.set_speed((await _read(request, Speed)).speed)
        return self._clock()

    async def advance(self, request: Request) -> Any:
        self._platform.advance((await _read(request, Advance)).seconds)
        return self._clock()

    async def settings(self, request: Request) -> Any:
        return self._platform.settings.model_dump()

    async def change_settings(self, request: Request) -> Any:
        self._platform.change_settings(await _validated(request, self._platform.settings.with_changes))
        return self._platform.settings.model_dump()

    async def faults(self, request: Request) -> Any:
        return [rule.model_dump() for rule in self._faults.rules]

    async def add_fault(self, request: Request) -> Any:
        self._faults.add(await _read(request, FaultRule))
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Any:
        self._faults.clear()
        return []

    async def behave(self, request: Request) -> Any:
        behaviour = await _read(request, Behaviour)
        self._platform.behave(**request.path_params, behaviour=behaviour)
        return behaviour.model_dump()

    async def propose(self, request: Request) -> Any:
        proposal = await _read(request, Proposal)
        job = self._platform.health.propose(**request.path_params, **proposal.model_dump())
        return describe(job)

    async def clear_alerts(self, request: Request) -> Any:
        self._platform.health.clear_alerts(**request.path_params)
        return {}

    async def force(self, request: Request) -> Any:
        forced = await _read(request, ForcedState)
        job = self._platform.job_by_id(**request.path_params)
        self._platform.force(job, forced.state, forced.error_message)
        return describe(job)

    async def expire(self, request: Request) -> Any:
        self._platform.expire(self._platform.job_by_id(**request.path_params))
        return {}


def describe(job: Job) -> dict[str, Any]:
    """A remediation, with what the API does not show of it."""
    return json.loads(job.answer) | {
        "key": job.key,
        "timeline": [moment.model_dump(mode="json") for moment in job.timeline],
    }
