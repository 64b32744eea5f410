"""The control API below /_simulator: with it, tests, demos and the console page direct the simulator. No key needed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError
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


class Changes(RootModel[dict[str, Any]]):
    """Any of the fields of `Settings`. Of the dialect too only what is given changes; a seed draws another one."""


class Proposal(Options):
    """A remediation for the platform to propose. Every field is optional."""

    mode: KnownMode | None = None
    """The proposed mode. Default: the one that fits `fault`."""
    fault: FaultKind | None = None
    """What is wrong with the node. Default: a fault that fits `mode`."""
    reason: str | None = None
    """Why. Default: what the fault is called."""
    clears_after: Seconds | None = None
    """After how long the fault goes away by itself. Default: never."""
    force: bool = False
    """Whether to propose even though a remediation of the node ended a moment ago."""


class Breaking(Options):
    """What cures a node that breaks."""

    cured_by: KnownMode | None = None
    """The mildest mode whose repair cures it. Default: REBOOT_VM."""


class ForcedState(Options):
    """A state to put a remediation into. Unknown states are allowed too: a newer server may have them."""

    state: RemediationState
    error_message: str | None = None
    """Default: none."""


Model = TypeVar("Model", bound=BaseModel)


def _validated(validate: Callable[[Any], Model], content: Any) -> Model:
    try:
        return validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise invalid_argument(".".join(map(str, first["loc"])) or "body", first["msg"]) from None


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise invalid_argument("body", f"is not JSON: {error}") from None


class Control:
    """The operations of the control API: what `CALLS` serves. The reference page shows their documentation."""

    def __init__(self, platform: Platform, faults: Faults, journal: Journal) -> None:
        self._platform = platform
        self._faults = faults
        self._journal = journal

    def routes(self) -> list[Route]:
        """Its routes."""
        return [Route(ROOT + call.path, self._endpoint(call), methods=[call.method]) for call in CALLS]

    def _endpoint(self, call: ControlCall) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                self._platform.catch_up()
                given = (_validated(call.body.model_validate, await _json(request)),) if call.body else ()
                return JSONResponse(call.handler(self, request, *given))
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.http_status, refusal.headers)
            finally:
                self._platform.commit()

        return endpoint

    def state(self, request: Request) -> Any:
        """The simulator's whole state: the time, the settings, the faults, and each cluster with its nodes and its
        newest remediations. The query's `limit` says how many of them; by default 200."""
        limit = request.query_params.get("limit", str(SHOWN))
        if not limit.isdecimal():
            raise invalid_argument("limit", f"{limit!r} is not a number")
        return {
            **self._clock(),
            "settings": self._platform.settings.model_dump(),
            "faults": [rule.model_dump() for rule in self._faults.rules],
            "requests": self._journal.count,
            "clusters": [self._cluster(cluster, int(limit)) for cluster in self._platform.clusters.values()],
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

    def requests(self, request: Request) -> Any:
        """The latest requests to the API, oldest first, each with its `status` (null while there is none, or if the
        connection was dropped instead), its `effect` (created, replayed, approved, rejected or cancelled) and the
        `fault` injected into it."""
        return [entry.as_json() for entry in self._journal.entries]

    def clear_requests(self, request: Request) -> Any:
        """Forgets the requests."""
        self._journal.clear()
        return {}

    def _clock(self) -> dict[str, Any]:
        return {"now": self._platform.now.isoformat(), "speed": self._platform.clock.anchor.speed}

    def clock(self, request: Request) -> Any:
        """The simulated time `now`, and its `speed`."""
        return self._clock()

    def set_speed(self, request: Request, body: Speed) -> Any:
        """Sets how fast time passes."""
        self._platform.set_speed(body.speed)
        return self._clock()

    def advance(self, request: Request, body: Advance) -> Any:
        """Jumps ahead in time. All that was due in that time has happened when it answers."""
        self._platform.advance(body.seconds)
        return self._clock()

    def settings(self, request: Request) -> Any:
        """The settings."""
        return self._platform.settings.model_dump()

    def change_settings(self, request: Request, body: Changes) -> Any:
        """Changes settings, for the remediations that are under way too. Answers with all of them."""
        self._platform.change_settings(_validated(self._platform.settings.with_changes, body.root))
        return self._platform.settings.model_dump()

    def faults(self, request: Request) -> Any:
        """The faults that are on."""
        return [rule.model_dump() for rule in self._faults.rules]

    def add_fault(self, request: Request, body: FaultRule) -> Any:
        """Switches a fault on. Answers with those that are on."""
        self._faults.add(body)
        return self.faults(request)

    def clear_faults(self, request: Request) -> Any:
        """Switches every fault off."""
        self._faults.clear()
        return []

    def behave(self, request: Request, body: Behaviour) -> Any:
        """Says how the instance's remediations go, those under way included."""
        self._platform.behave(**request.path_params, behaviour=body)
        return body.model_dump()

    def propose(self, request: Request, body: Proposal) -> Any:
        """Has the platform propose a remediation, or worsen the proposal that waits. Answers with it."""
        return describe(self._platform.health.propose(**request.path_params, **body.model_dump()))

    def clear_alerts(self, request: Request) -> Any:
        """The instance's faults go away: its alerts resolve, and a proposal that waits becomes AUTO_RESOLVED."""
        self._platform.health.clear_alerts(**request.path_params)
        return {}

    def break_node(self, request: Request, body: Breaking) -> Any:
        """Breaks a node in a way that the platform knows nothing of: no alert, no proposal, only `NotReady`."""
        self._platform.health.break_node(**request.path_params, cured_by=body.cured_by)
        return {}

    def mend_node(self, request: Request) -> Any:
        """Mends a node that was broken so."""
        self._platform.health.mend_node(**request.path_params)
        return {}

    def force(self, request: Request, body: ForcedState) -> Any:
        """Puts a remediation into a state, as something outside would. Answers with it."""
        job = self._platform.job_by_id(**request.path_params)
        self._platform.force(job, body.state, body.error_message)
        return describe(job)

    def expire(self, request: Request) -> Any:
        """Forgets a remediation: its history has expired."""
        self._platform.expire(self._platform.job_by_id(**request.path_params))
        return {}


@dataclass(frozen=True)
class ControlCall:
    """A call of the control API."""

    method: str
    path: str
    """Below `ROOT`."""
    handler: Callable[..., Any]
    """A method of `Control`, given the request and, if there is one, the body."""
    body: type[BaseModel] | None = None
    """What its JSON body holds."""


ROOT = "/_simulator"
INSTANCE = "/instances/{cluster_id}/{instance_id}"
REMEDIATION = "/remediations/{remediation_id}"
CALLS = (
    ControlCall("GET", "/state", Control.state),
    ControlCall("GET", "/requests", Control.requests),
    ControlCall("DELETE", "/requests", Control.clear_requests),
    ControlCall("GET", "/clock", Control.clock),
    ControlCall("POST", "/clock", Control.set_speed, Speed),
    ControlCall("POST", "/advance", Control.advance, Advance),
    ControlCall("GET", "/settings", Control.settings),
    ControlCall("PATCH", "/settings", Control.change_settings, Changes),
    ControlCall("GET", "/faults", Control.faults),
    ControlCall("POST", "/faults", Control.add_fault, FaultRule),
    ControlCall("DELETE", "/faults", Control.clear_faults),
    ControlCall("PUT", f"{INSTANCE}/behaviour", Control.behave, Behaviour),
    ControlCall("POST", f"{INSTANCE}/propose", Control.propose, Proposal),
    ControlCall("POST", f"{INSTANCE}/clear-alerts", Control.clear_alerts),
    ControlCall("POST", f"{INSTANCE}/break", Control.break_node, Breaking),
    ControlCall("POST", f"{INSTANCE}/mend", Control.mend_node),
    ControlCall("POST", f"{REMEDIATION}/state", Control.force, ForcedState),
    ControlCall("POST", f"{REMEDIATION}/expire", Control.expire),
)
"""Every control call. The routes and the reference page are made of it."""


def describe(job: Job) -> dict[str, Any]:
    """A remediation, with what the API does not show of it."""
    return json.loads(job.answer) | {
        "key": job.key,
        "timeline": [moment.model_dump(mode="json") for moment in job.timeline],
    }
