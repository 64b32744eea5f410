"""The simulator as a command: its options, and what it prints when it listens."""

from __future__ import annotations

import argparse
import math
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from togetherai_simulator.access import DEFAULT_API_KEY, AccessKey
from togetherai_simulator.app import App
from togetherai_simulator.clock import Clock
from togetherai_simulator.operations import API_ROOT
from togetherai_simulator.scenario import (
    Scenario,
    ScenarioError,
    explain,
    read_scenario,
    simulate,
)
from togetherai_simulator.script import Propose
from togetherai_simulator.server import listen, serve
from togetherai_simulator.settings import Behaviour, Idempotency, Outcome, Settings
from togetherai_simulator.store import MemoryStore, SqliteStore

OUTCOMES: dict[str, Outcome] = {"fail": "fail", "auto_resolve": "auto_resolve", "never": "never", "hold": "hold"}
"""The outcomes that have an option of their own."""
ANNOUNCED = 10
"""How many clusters it lists at its start."""
OF_THE_SCENARIO = ("clusters", "instances", "seed")
OF_THE_SETTINGS = ("idempotency", "pending", "quarantining", "quarantined", "running")


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return value


def _whole(minimum: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= minimum):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {minimum} up")
        return int(text)

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="togetherai-simulator",
        usage="%(prog)s [options]",
        description="Simulates the Together AI remediation API. Its page shows what happens and what it can do.",
    )
    add = parser.add_argument
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on, and besides localhost the only name its page answers to (default: %(default)s)",
    )
    add("--port", type=_whole(0), default=8080, help="port to listen on; 0 picks a free one (default: %(default)s)")
    add("--clusters", type=_whole(1), metavar="N", help="number of clusters (default: 1)")
    add("--instances", type=_whole(1), metavar="N", help="instances per cluster (default: 4)")
    add("--speed", type=_seconds, default=1.0, metavar="X", help="simulated seconds per second (default: 1)")
    add("--api-key", metavar="KEY", help=f"the API key to accept (default: {DEFAULT_API_KEY})")
    add("--data", type=Path, metavar="FILE", help="keep the state in this SQLite file (default: in memory)")
    add("--scenario", type=Path, metavar="FILE", help="YAML file that defines what happens (see the reference page)")
    add(
        "--log",
        action=argparse.BooleanOptionalAction,
        help="whether to print each request to the API with what came of it (default: to a terminal)",
    )
    add("--seed", type=int, metavar="N", help="seed of all random decisions (default: another each time)")
    add("--idempotency", choices=get_args(Idempotency), help="what remediation_id does (default: id)")
    add(
        "--dialect",
        action="append",
        default=[],
        metavar="SEED|NAME=VALUE",
        help="how the API speaks: a seed that draws it, or one choice of it, such as list_lag=3 (may be repeated; see "
        "the reference page)",
    )
    for phase in ("pending", "quarantining", "quarantined", "running"):
        default = Settings.model_fields[phase].default
        add(f"--{phase}", type=_seconds, metavar="SECONDS", help=f"time in {phase.upper()} (default: {default})")
    for option, what in (
        ("fail", "its remediations fail"),
        ("auto-resolve", "its remediations resolve by themselves"),
        ("never", "its remediations stay RUNNING"),
        ("hold", "its remediations stay PENDING"),
        ("propose", "the platform proposes a remediation of it"),
    ):
        add(f"--{option}", action="append", default=[], metavar="INSTANCE", help=f"{what} (may be repeated)")
    return parser


def _dialect(choice: str) -> Any:
    """A seed or one choice of the dialect, its value read as a scenario file's."""
    name, is_choice, value = choice.partition("=")
    try:
        return {name: yaml.safe_load(value)} if is_choice else yaml.safe_load(choice)
    except yaml.YAMLError:
        return choice


def _scenario(options: argparse.Namespace) -> Scenario:
    """The scenario file, if there is one. Options of the command line override it."""
    scenario = read_scenario(options.scenario) if options.scenario else Scenario()
    for target, names in ((scenario, OF_THE_SCENARIO), (scenario.settings, OF_THE_SETTINGS)):
        for name in names:
            if (value := getattr(options, name)) is not None:
                setattr(target, name, value)
    for choice in options.dialect:
        scenario.settings = scenario.settings.with_changes({"dialect": _dialect(choice)})
    if options.api_key is not None:
        scenario.api_keys = [AccessKey(key=options.api_key)]
    for option, outcome in OUTCOMES.items():
        for instance_id in getattr(options, option):
            scenario.behaviours[instance_id] = Behaviour(outcome=outcome)
    for instance_id in options.propose:
        scenario.events.append(Propose(at=0, do="propose", instance=instance_id))
    return scenario


def _announce(app: App, base_url: str, scenario: Scenario) -> None:
    """Prints where the simulator listens and how to use it. The first line is for programs."""
    print(f"Together AI simulator listening on {base_url}{API_ROOT}")
    print(f"  page       {base_url}/")
    print(f"  use it     export TOGETHER_BASE_URL={base_url} TOGETHER_API_KEY={scenario.api_keys[0].key}")
    clusters = list(app.platform.clusters.values())
    for cluster in clusters[:ANNOUNCED]:
        instances = [node.instance_id for node in cluster.nodes if node.instance_id]
        more = f" ... ({len(instances)})" if len(instances) > 4 else ""
        print(f"  {cluster.cluster_id:<10} {', '.join(instances[:4])}{more}")
    if len(clusters) > ANNOUNCED:
        print(f"  ... and {len(clusters) - ANNOUNCED} more clusters, up to {clusters[-1].cluster_id}")
    if app.platform.restored:
        print("  It goes on with the state in its data file; --clusters, --instances and --seed are as they were.")
    sys.stdout.flush()


def _complain(problem: str) -> int:
    print(f"togetherai-simulator: {problem}", file=sys.stderr)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns 1 if something cannot be done; argparse exits with 2 for wrong options."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: sys.exit(0))
    options = _parser().parse_args(arguments)
    try:
        scenario = _scenario(options)
        listener = listen(options.host, options.port)
    except ScenarioError as error:
        return _complain(str(error))
    except ValidationError as error:
        return _complain(explain(error))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        return _complain(f"cannot listen on {options.host}:{options.port}: {reason}")
    try:
        store = SqliteStore(options.data) if options.data else MemoryStore()
        app = simulate(scenario, clock=Clock(speed=options.speed), store=store)
    except sqlite3.Error as error:
        return _complain(f"--data {options.data}: {error}")
    except ValidationError as error:
        return _complain(f"--data {options.data} holds something else than a simulator's state: {explain(error)}")
    except ScenarioError as error:
        return _complain(str(error))
    host, port = listener.getsockname()[:2]
    app.own_host = options.host
    if sys.stdout.isatty() if options.log is None else options.log:
        app.journal.on_end = lambda entry: print(entry.line(), flush=True)
    _announce(app, f"http://{f'[{host}]' if ':' in host else host}:{port}", scenario)
    try:
        serve(app, listener)
    finally:
        store.close()
    return 0
