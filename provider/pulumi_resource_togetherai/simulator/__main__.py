"""`togetherai-simulator`."""

from __future__ import annotations

import argparse
import math
import random
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from pulumi_resource_togetherai.simulator.access import DEFAULT_API_KEY
from pulumi_resource_togetherai.simulator.app import API_ROOT, App, create_app
from pulumi_resource_togetherai.simulator.clock import Clock
from pulumi_resource_togetherai.simulator.errors import Refusal
from pulumi_resource_togetherai.simulator.platform import Platform
from pulumi_resource_togetherai.simulator.server import listen, serve
from pulumi_resource_togetherai.simulator.settings import Behaviour, Idempotency, Outcome, Settings
from pulumi_resource_togetherai.simulator.store import MemoryStore, SqliteStore

BEHAVIOUR_OPTIONS: dict[str, Outcome] = {
    "fail": "fail",
    "auto_resolve": "auto_resolve",
    "never": "never",
    "hold": "hold",
}


class Unusable(Exception):
    """What was asked for on the command line cannot be done."""


def _number(minimum: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and value >= minimum):
            raise ValueError
        return value

    return number


def _whole(minimum: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise ValueError
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="togetherai-simulator",
        description="Stands in for the Together AI remediation API. A page at its root shows what it does.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_whole(0), default=8080, help="0 picks a free one (default: %(default)s)")
    add("--clusters", type=_whole(1), default=1, metavar="N", help="number of clusters (default: %(default)s)")
    add("--instances", type=_whole(1), default=4, metavar="N", help="instances per cluster (default: %(default)s)")
    add(
        "--speed", type=_number(0), default=1.0, metavar="X", help="simulated seconds per second (default: %(default)s)"
    )
    add("--api-key", default=DEFAULT_API_KEY, metavar="KEY", help="the key to let in (default: %(default)s)")
    add("--data", type=Path, metavar="FILE", help="keep the state in this SQLite file (default: in memory)")
    add("--seed", type=int, metavar="N", help="repeat what chance decides (default: another each time)")
    add("--idempotency", choices=get_args(Idempotency), help="what remediation_id does (default: id)")
    for phase in ("pending", "quarantining", "quarantined", "running"):
        default = Settings.model_fields[phase].default
        add(f"--{phase}", type=_number(0), metavar="SECONDS", help=f"time in {phase.upper()} (default: {default})")
    for option, what in (
        ("fail", "its remediations fail"),
        ("auto-resolve", "its remediations resolve by themselves"),
        ("never", "its remediations stay RUNNING"),
        ("hold", "its remediations stay PENDING"),
        ("propose", "a remediation of it is proposed"),
    ):
        add(f"--{option}", action="append", default=[], metavar="INSTANCE", help=f"{what} (may be repeated)")
    return parser


def _build(options: argparse.Namespace) -> App:
    """The simulator that the command line asks for."""
    given = {
        name: getattr(options, name)
        for name in ("idempotency", "pending", "quarantining", "quarantined", "running")
        if getattr(options, name) is not None
    }
    try:
        store = SqliteStore(options.data) if options.data else MemoryStore()
    except sqlite3.Error as error:
        raise Unusable(f"--data {options.data}: {error}") from error
    platform = Platform(
        clock=Clock(speed=options.speed),
        clusters=options.clusters,
        instances=options.instances,
        settings=Settings(),
        seed=random.SystemRandom().getrandbits(32) if options.seed is None else options.seed,
        store=store,
    )
    if given:
        platform.change_settings(platform.settings.model_copy(update=given))
    for option, outcome in BEHAVIOUR_OPTIONS.items():
        for instance_id in getattr(options, option):
            platform.behave(_cluster_of(platform, instance_id), instance_id, Behaviour(outcome=outcome))
    for instance_id in options.propose:
        platform.propose(_cluster_of(platform, instance_id), instance_id)
    platform.commit()
    return create_app(platform, api_key=options.api_key)


def _cluster_of(platform: Platform, instance_id: str) -> str:
    for cluster in platform.clusters.values():
        if any(node.instance_id == instance_id for node in cluster.nodes):
            return cluster.cluster_id
    raise Unusable(f"there is no instance {instance_id}; they are named like cluster-1-node-1")


def _announce(app: App, base_url: str, options: argparse.Namespace) -> None:
    """Says where it listens and how to use it. The first line is for programs."""
    platform = app.platform
    print(f"Together AI simulator listening on {base_url}{API_ROOT}")
    print(f"  page       {base_url}/")
    print(f"  use it     export TOGETHER_BASE_URL={base_url}{API_ROOT} TOGETHER_API_KEY={options.api_key}")
    for cluster in list(platform.clusters.values())[:3]:
        instances = [node.instance_id for node in cluster.nodes if node.instance_id]
        shown = ", ".join(instances[:4]) + (f" ... ({len(instances)})" if len(instances) > 4 else "")
        print(f"  {cluster.cluster_id}  {shown}")
    if platform.restored:
        print(f"  goes on with the state in {options.data}")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns 2 for arguments that make no sense, 1 for what cannot be done."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: sys.exit(0))
    options = _parser().parse_args(arguments)
    try:
        app = _build(options)
        listener = listen(options.host, options.port)
    except (Unusable, Refusal, ValidationError) as error:
        print(f"togetherai-simulator: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"togetherai-simulator: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr
        )
        return 1
    host, port = listener.getsockname()[:2]
    _announce(app, f"http://{f'[{host}]' if ':' in host else host}:{port}", options)
    try:
        serve(app, listener)
    finally:
        app.platform.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
