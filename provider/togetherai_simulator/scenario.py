"""A scenario: what a simulated platform is made of and what happens on it, read from a YAML file.

    clusters: 2
    instances: 8
    seed: 7
    settings: {running: 120, failure_rate: 0.1}
    behaviours:
      cluster-1-node-3: {outcome: fail, error_message: no healthy host available}
    api_keys:
      - {key: simulator-key}
      - {key: other-team, clusters: [cluster-2], read_only: true}
    faults:
      - {operation: get, kind: error, status: 503, probability: 0.05}
    events:
      - {at: 60, do: propose, instance: cluster-1-node-1, fault: xid}
      - {at: 180, do: propose, instance: cluster-1-node-1, fault: gpu_lost}  # worse: raises the mode
      - {at: 300, do: approve, instance: cluster-1-node-1, comment: go ahead}

Every field is optional. Times are in simulated seconds from the first start. `script` and the simulator's reference
page explain each field.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from togetherai_simulator.app import App
from togetherai_simulator.clock import Clock
from togetherai_simulator.errors import Refusal
from togetherai_simulator.job import Job
from togetherai_simulator.platform import Platform
from togetherai_simulator.script import (
    AddFault,
    AnyEvent,
    Approve,
    Behave,
    BreakNode,
    Cancel,
    ClearAlerts,
    ClearFaults,
    Expire,
    InstanceEvent,
    MendNode,
    Propose,
    Reject,
    Scenario,
    SetState,
)
from togetherai_simulator.store import Store

__all__ = ["Scenario", "ScenarioError", "explain", "read_scenario", "simulate"]

_log = logging.getLogger("togetherai-simulator")

REVIEWER = "scenario"
"""The name under which a scenario's events review and cancel remediations."""


class ScenarioError(Exception):
    """A scenario with a mistake; the error's text is one line that names the place."""


def read_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {getattr(error, 'strerror', None) or 'is not UTF-8 text'}") from error
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise ScenarioError(f"{path}:{mark.line + 1 if mark else 1}: is not YAML: {problem or error}") from error
    try:
        return Scenario.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise ScenarioError(f"{path}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """The first problem with its place, on one line."""
    first = error.errors(include_url=False)[0]
    # pydantic puts the event's kind before an event's field, but the kind is not part of the file's structure.
    kinds = {str(get_args(kind.model_fields["do"].annotation)[0]) for kind in get_args(get_args(AnyEvent)[0])}
    place = [part for index, part in enumerate(first["loc"]) if not (index == 2 and part in kinds)]
    problem = "no such field" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(map(str, place)) or 'the file'}: {problem}"


def simulate(
    scenario: Scenario | Mapping[str, Any] | None = None, *, clock: Clock | None = None, store: Store | None = None
) -> App:
    """The simulator of a scenario, or of what a scenario file holds, as an ASGI application. Goes on with the state in
    the store, if there is one. Raises `ScenarioError`, or pydantic's ValidationError."""
    scenario = scenario if isinstance(scenario, Scenario) else Scenario.model_validate(scenario or {})
    clock = clock or Clock()
    if scenario.began_ago:
        clock.advance(-scenario.began_ago)
    platform = Platform(
        clock=clock,
        clusters=scenario.clusters,
        instances=scenario.instances,
        settings=scenario.settings,
        seed=random.SystemRandom().getrandbits(32) if scenario.seed is None else scenario.seed,
        store=store,
    )
    app = App(platform, scenario.api_keys, journal=scenario.journal)
    for rule in scenario.faults:
        app.faults.add(rule)
    homes = _homes(platform)
    for event in scenario.events:
        if isinstance(event, InstanceEvent):
            _home(homes, event.instance)
    for instance_id, behaviour in scenario.behaviours.items():
        cluster_id = _home(homes, instance_id)
        try:
            platform.behave(cluster_id, instance_id, behaviour)
        except Refusal:
            # This is a restart, and the instance was replaced before it. The new instance starts with no behaviour.
            continue
    _schedule(app, scenario, homes)
    platform.catch_up()
    platform.commit()
    return app


def _homes(platform: Platform) -> dict[str, str]:
    return {
        node.instance_ids[0]: cluster.cluster_id for cluster in platform.clusters.values() for node in cluster.nodes
    }


def _home(homes: dict[str, str], instance_id: str) -> str:
    """The cluster of an instance, even of one that does not exist yet, such as `cluster-1-node-1-r2`."""
    if cluster_id := homes.get(re.sub(r"-r\d+$", "", instance_id)):
        return cluster_id
    raise ScenarioError(f"there is no instance {instance_id}; they are named like {next(iter(homes))}")


def _schedule(app: App, scenario: Scenario, homes: dict[str, str]) -> None:
    """Puts the events on the platform's schedule; after a restart, only those that have not happened yet."""
    platform = app.platform
    ordered = sorted(scenario.events, key=lambda event: event.at)

    def happening(event: AnyEvent) -> Callable[[], None]:
        def happen() -> None:
            platform.counters.events += 1
            platform.changed("world")
            try:
                _happen(app, event, homes)
            except Refusal as refusal:
                _log.warning("scenario: %s at %g s did not happen: %s", event.do, event.at, refusal)

        return happen

    for event in ordered[platform.counters.events :]:
        platform.schedule.at(platform.counters.started + timedelta(seconds=event.at), happening(event))


def _happen(app: App, event: AnyEvent, homes: dict[str, str]) -> None:
    platform = app.platform

    def newest(instance_id: str) -> Job:
        active = platform.active_jobs(_home(homes, instance_id), instance_id)
        if not active:
            raise Refusal("FAILED_PRECONDITION", f"instance {instance_id} has no active remediation")
        return active[-1]

    match event:
        case Propose():
            details = event.model_dump(exclude={"at", "do", "instance"})
            platform.health.propose(_home(homes, event.instance), event.instance, **details)
        case ClearAlerts():
            platform.health.clear_alerts(_home(homes, event.instance), event.instance)
        case BreakNode():
            platform.health.break_node(_home(homes, event.instance), event.instance, cured_by=event.cured_by)
        case MendNode():
            platform.health.mend_node(_home(homes, event.instance), event.instance)
        case Approve():
            platform.approve(newest(event.instance), by=REVIEWER, comment=event.comment, mode=event.mode)
        case Reject():
            platform.reject(newest(event.instance), by=REVIEWER, comment=event.comment)
        case Cancel():
            platform.cancel(newest(event.instance), by=REVIEWER)
        case SetState():
            platform.force(newest(event.instance), event.state, event.error_message)
        case Expire():
            jobs = platform.jobs(_home(homes, event.instance), event.instance)
            if not jobs:
                raise Refusal("FAILED_PRECONDITION", f"instance {event.instance} has no remediation")
            platform.expire(jobs[-1])
        case Behave():
            platform.behave(_home(homes, event.instance), event.instance, event.behaviour)
        case AddFault():
            app.faults.add(event.fault)
        case ClearFaults():
            app.faults.clear()
