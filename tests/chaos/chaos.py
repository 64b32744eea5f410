"""Random runs with faults on 30 % of the requests and random kills: nothing may run twice, nothing may get lost.

    python -m tests.chaos.chaos [--runs 250] [--engine-runs 24] [--seed 1]
    python -m tests.chaos.chaos --only core:17        # one failing run again

Most runs drive the lifecycle in process, in simulated time; the others a real `pulumi up` with a real provider process.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.processes import kill_the_provider
from tests.engine.stack import Stack
from tests.model.world import NODE, Killed, World
from tests.simulated import simulator

FAULTS: list[dict[str, Any]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "rate_limit", "seconds": 1},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 500, "after": True},
    {"kind": "error", "status": 503},
    {"kind": "error", "status": 503, "after": True},
    {"kind": "latency", "seconds": 2, "after": True},
    {"kind": "truncated"},
    {"kind": "malformed"},
    {"kind": "html"},
]
STRUCK = 0.3
"""The part of the requests that a fault strikes."""
READINGS = ("id", "existing", "conflict", "ignore")
TRIES = 40
"""How often a command is repeated at most until it ends well."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    seed: int
    duplicates: int
    losses: int
    commands: int
    kills: int

    @property
    def good(self) -> bool:
        """Whether nothing ran twice and nothing was lost."""
        return self.duplicates == self.losses == 0


def rules() -> list[dict[str, Any]]:
    """Faults that together strike 30 % of the requests."""
    share = 1 - (1 - STRUCK) ** (1 / len(FAULTS))
    return [fault | {"probability": share} for fault in FAULTS]


def core_run(seed: int) -> Outcome:
    """`up` until it ends well, then a change, then `destroy`, killed at random requests on the way."""
    chance = random.Random(seed)
    world = World(reading=chance.choice(READINGS), keeps_unfinished=chance.random() < 0.5, seed=seed)
    kills = commands = 0
    try:
        for rule in rules():
            world.control("POST", "/faults", rule)
        declared: dict[str, Any] = {"clusterId": "cluster-1", "instanceId": NODE, "mode": "REBOOT_VM"}
        intended = 0
        for program in ({"fix": declared}, {"fix": declared | {"triggers": {"run": "2"}}}, {}):
            intended += bool(program)
            for left in reversed(range(TRIES)):
                if left == 0:
                    world.control("DELETE", "/faults")
                if chance.random() < 0.5:
                    world.network.kill_at = (chance.randint(1, 6), chance.random() < 0.5)
                commands += 1
                try:
                    if not world.up(program):
                        break
                except Killed:
                    kills += 1
                finally:
                    world.network.kill_at = None
        posts = world.effective_posts()
        lost = [record for record in world.records() if not record.terminal]
        return Outcome(seed, sum(posts.values()) - intended, len(lost) + len(world.stack), commands, kills)
    finally:
        world.close()


def engine_run(seed: int, folder: Path) -> Outcome:
    """A real `pulumi up` until it ends well, its provider or itself killed at random moments."""
    chance = random.Random(seed)
    kills = commands = 0
    flags = (f"--idempotency={chance.choice(READINGS)}", f"--seed={seed}", "--pending=100", "--running=200")
    with simulator(*flags) as api:
        stack = Stack(folder, chance.choice(("plugin", "dynamic")), api.address)
        stack.configure("togetherai:requestTimeout", "1s")
        stack.configure("togetherai:maxRetries", "2")
        stack.declare()
        for rule in rules():
            api.add_fault(rule)
        code = 1
        for left in reversed(range(TRIES)):
            if left < TRIES // 2:
                api.clear_faults()
            commands += 1
            with stack.running("up", "--yes", "--skip-preview") as up:
                try:
                    up.communicate(timeout=chance.uniform(1, 4) if chance.random() < 0.5 and left else 120)
                except subprocess.TimeoutExpired:
                    kills += 1
                    if chance.random() < 0.5:
                        kill_the_provider(stack)
                        up.communicate(timeout=120)
                    else:
                        os.kill(up.pid, signal.SIGKILL)
                        up.wait()
                code = up.returncode
            if code == 0:
                break
            stack.run("cancel", "--yes")
        api.clear_faults()
        held = {item["outputs"]["remediationId"] for item in stack.resources().values()}
        lost = [item for item in api.remediations() if item["id"] not in held]
        created = len(api.requests("created"))
        return Outcome(seed, created - 1, len(lost) + (code != 0), commands, kills)


def main() -> None:
    """Runs them and prints what came of them; ends with 1 if anything ran twice or got lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=250, help="runs in process")
    parser.add_argument("--engine-runs", type=int, default=24, help="runs of a real engine")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each run has the next one")
    parser.add_argument("--only", metavar="KIND:SEED", help="one run again, such as core:17 or engine:3")
    arguments = parser.parse_args()
    core = range(arguments.seed, arguments.seed + arguments.runs)
    engine = range(arguments.seed, arguments.seed + arguments.engine_runs)
    if arguments.only:
        kind, _, seed = arguments.only.partition(":")
        core = [int(seed)] if kind == "core" else []
        engine = [int(seed)] if kind == "engine" else []
    bad = _report("core", [core_run(seed) for seed in core])
    with tempfile.TemporaryDirectory(prefix="togetherai-chaos-") as folder, ThreadPoolExecutor(2) as pool:

        def one(seed: int) -> Outcome:
            return engine_run(seed, Path(folder) / str(seed))

        bad += _report("engine", list(pool.map(one, engine)))
    sys.exit(bool(bad))


def _report(kind: str, outcomes: list[Outcome]) -> int:
    if not outcomes:
        return 0
    bad = [outcome for outcome in outcomes if not outcome.good]
    duplicates, losses = sum(one.duplicates for one in outcomes), sum(one.losses for one in outcomes)
    commands, kills = sum(one.commands for one in outcomes), sum(one.kills for one in outcomes)
    print(
        f"{kind}: seeds {outcomes[0].seed} to {outcomes[-1].seed}, {len(outcomes)} runs, {commands} commands, "
        f"{kills} kills: {duplicates} duplicates, {losses} losses",
        flush=True,
    )
    for outcome in bad:
        print(f"  {outcome}; again: python -m tests.chaos.chaos --only {kind}:{outcome.seed}")
    return len(bad)


if __name__ == "__main__":
    main()
