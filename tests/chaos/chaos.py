"""Random runs with faults on 30 % of the requests and random kills: nothing may run twice, nothing may get lost.

    python -m tests.chaos.chaos [--runs 250] [--engine-runs 12] [--seed 1]
    python -m tests.chaos.chaos --only core:17        # one failing run again

core    one stack, in process, in simulated time
node    two or three stacks that ask for one node, in process, in simulated time
lies    one stack against a server that lies, in process, in simulated time
engine  one stack, a real `pulumi up` with a real provider process
stacks  two stacks that ask for one node, on the engine
racks   two rolling repairs of one cluster from two pipelines, on the engine, under one `maxConcurrentPerCluster`
postgres, s3
        one stack on a server of that kind, whose runners vanish one after another, or sleep and wake up later

Duplicates are counted per resource (more POSTs that took effect than meant), and where several ask, per node (more
remediations that began than one) and per cluster (more under repair at once than allowed).
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.backends import SERVERS, NotToBeHad
from tests.engine.processes import kill_the_provider, kill_what_is_left, signal_all
from tests.engine.stack import Backend, Stack
from tests.engine.test_rolling import declare as declare_racks
from tests.engine.test_rolling import most_at_once, rack
from tests.model.asking import LONG, all_at_once, arrange, begun
from tests.model.test_lies import LIES, tried
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


def rules(struck: float = STRUCK) -> list[dict[str, Any]]:
    """Faults that together strike a part of the requests."""
    share = 1 - (1 - struck) ** (1 / len(FAULTS))
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
    settings = {"idempotency": chance.choice(READINGS), "pending": 100, "running": 200}
    with simulator(seed=seed, settings=settings) as api:
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
        kill_what_is_left(stack)
        held = {item["outputs"]["remediationId"] for item in stack.resources().values()}
        lost = [item for item in api.remediations() if item["id"] not in held]
        created = len(api.requests("created"))
        return Outcome(seed, created - 1, len(lost) + (code != 0), commands, kills)


def node_run(seed: int) -> Outcome:
    """Two or three stacks that ask for one node at the same moment, killed and cut off at random."""
    chance = random.Random(seed)
    askers = [
        {
            "ifActive": chance.choice(("FAIL", "ADOPT")),
            "wait": chance.random() < 0.7,
            "keeps": chance.random() < 0.5,
            "kills": [(chance.randint(1, 7), chance.random() < 0.5) for _ in range(chance.randint(0, 3))],
        }
        for _ in range(chance.randint(2, 3))
    ]
    world, asking = arrange(chance.choice(READINGS), seed, askers, [], 0.1, pending=LONG)
    try:
        coarse = chance.random() < 0.5
        all_at_once(world, [asker.run(chance, coarse=coarse) for asker in asking])
        world.control("DELETE", "/faults")
        world.wait(LONG + 100)
        ran = len(begun(world.records()))
        kills = sum(asker.killed for asker in asking)
        return Outcome(seed, max(ran - 1, 0), int(ran == 0), sum(asker.runs for asker in asking), kills)
    finally:
        for asker in reversed(asking):
            asker.world.close()


def lies_run(seed: int) -> Outcome:
    """Three runs against a server that lies, and one against the truth; what counts as a kill is a lie."""
    chance = random.Random(seed)
    kinds = chance.sample(sorted(LIES), chance.randint(1, 4))
    reading, keeps, part = chance.choice(READINGS), chance.random() < 0.5, chance.choice((0.1, 0.3, 0.7, 1.0))
    told = tried(
        seed, kinds, reading=reading, keeps=keeps, part=part, outcome=chance.choice(("succeed", "succeed", "fail"))
    )
    TOLD.update(told)
    return Outcome(seed, 0, 0, 4, told.total())


TOLD = Counter[str]()
"""How often each lie was told."""


def stacks_run(seed: int, folder: Path) -> Outcome:
    """Two stacks on the engine that ask for one node, each killed at random moments, until each knows how it stands."""
    chance = random.Random(seed)
    settings = {"idempotency": chance.choice(READINGS), "pending": 4000, "running": 200}
    with simulator(seed=seed, settings=settings) as api:
        form = chance.choice(("plugin", "dynamic"))
        stacks = [Stack(folder / name, form, api.address, name=name) for name in ("east", "west")]
        for rule in rules(0.1):
            api.add_fault(rule)
        for stack in stacks:
            stack.configure("togetherai:requestTimeout", "1s")
            stack.declare(wait=False)
        plans = [[chance.uniform(1, 3) for _ in range(chance.randint(0, 2))] for _ in stacks]
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(_until_told, stacks, plans))
        commands, kills = map(sum, zip(*told, strict=True))
        for stack in stacks:
            kill_what_is_left(stack)
        api.clear_faults()
        api.advance(5000)
        ran = [item for item in api.remediations() if item["state"] != "CANCELLED"]
        return Outcome(seed, max(len(ran) - 1, 0), int(not ran), commands, kills)


def _until_told(stack: Stack, kills: list[float]) -> tuple[int, int]:
    """`pulumi up` until it is done or told of another one, killed first after each of some times. Returns how often it
    was run, and how often killed."""
    killed = 0
    for number in range(1, TRIES):
        with stack.running("up", "--yes", "--skip-preview") as up:
            try:
                output, _ = up.communicate(timeout=kills.pop() if kills else 120)
            except subprocess.TimeoutExpired:
                os.kill(up.pid, signal.SIGKILL)
                up.wait()
                output, killed = "", killed + 1
        if up.returncode == 0 or "is being repaired already" in output:
            return number, killed
        stack.run("cancel", "--yes")
    return TRIES, killed


def racks_run(seed: int, folder: Path) -> Outcome:
    """Two rolling repairs of one cluster, two nodes each at once, where one cluster may have two under repair."""
    chance = random.Random(seed)
    settings = {"idempotency": chance.choice(READINGS), "pending": 300, "running": 200}
    with simulator(seed=seed, settings=settings, instances=6) as api:
        for rule in rules(0.05):
            api.add_fault(rule)
        stacks = list[Stack]()
        for name, first in (("east", 1), ("west", 4)):
            stack = Stack(folder / name, chance.choice(("plugin", "dynamic")), api.address, name=name)
            stack.configure("togetherai:maxConcurrentPerCluster", "2")
            stack.configure("togetherai:requestTimeout", "1s")
            nodes = [f"cluster-1-node-{number}" for number in range(first, first + 3)]
            declare_racks(stack, rack=rack(stack.form, instances=nodes, maxConcurrent=2))
            stacks.append(stack)
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(_until_told, stacks, [[], []]))
        api.clear_faults()
        ran = [item for item in api.remediations() if item["state"] != "CANCELLED"]
        twice = len(ran) - len({item["instance_id"] for item in ran})
        too_many = max(0, most_at_once(api, begun=True) - 2)
        return Outcome(
            seed, twice + too_many, 6 - len({item["instance_id"] for item in ran}), sum(runs for runs, _ in told), 0
        )


def runners_run(seed: int, folder: Path, backend: Backend) -> Outcome:
    """Runners of one stack, each with a folder of its own. One after another is killed, or put to sleep like a machine
    whose host moves it: then it goes on beside the next one, which has unlocked the stack, or after it."""
    chance = random.Random(seed)
    sleepy = chance.random() < 0.5
    # A sleeper's POST may arrive when all is over; only a server that ignores the key would take it for a new one.
    reading = chance.choice(READINGS[:3] if sleepy else READINGS)
    kills = commands = 0
    settings = {"idempotency": reading, "pending": 100, "running": 200}
    with simulator(seed=seed, settings=settings) as api, ExitStack() as machines:
        runner = Stack(
            folder / "0", chance.choice(("plugin", "dynamic")), api.address, backend=backend, name=f"s-{seed}"
        )
        runner.configure("togetherai:requestTimeout", "1s")
        runner.configure("togetherai:maxRetries", "2")
        runner.declare()
        for rule in rules():
            api.add_fault(rule)
        sleeping = list[tuple[Stack, subprocess.Popen[str]]]()
        for number in range(1, TRIES):
            if number > TRIES // 2:
                api.clear_faults()
            commands += 1
            machines.callback(kill_what_is_left, runner)
            up = machines.enter_context(runner.running("up", "--yes", "--skip-preview"))
            if sleeping and chance.random() < 0.5:
                signal_all(sleeping[-1][0], signal.SIGCONT)
            try:
                up.communicate(timeout=chance.uniform(1, 4) if chance.random() < 0.6 else 120)
            except subprocess.TimeoutExpired:
                kills += 1
                if sleepy and chance.random() < 0.5:
                    signal_all(runner, signal.SIGSTOP)
                    sleeping.append((runner, up))
                else:
                    signal_all(runner, signal.SIGKILL)
                    up.wait()
            if up.returncode == 0:
                break
            runner = runner.elsewhere(folder / str(number))
            runner.run("cancel", "--yes", check=True)
        api.clear_faults()
        for sleeper, up in sleeping:
            signal_all(sleeper, signal.SIGCONT)
            up.communicate(timeout=120)
        last = runner.elsewhere(folder / "last")
        code = last.up().code
        ran = [item["id"] for item in api.remediations() if item["state"] != "CANCELLED"]
        held = {item["outputs"]["remediationId"] for item in last.resources().values()}
        return Outcome(seed, len(ran) - 1, len(set(ran) - held) + (code != 0), commands, kills)


def main() -> None:
    """Runs them and prints what came of them; ends with 1 if anything ran twice or got lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=250, help="runs of each kind in process")
    parser.add_argument("--engine-runs", type=int, default=12, help="runs of each kind on a real engine")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each run has the next one")
    parser.add_argument("--only", metavar="KIND:SEED", help="one run again, such as core:17 or engine:3")
    arguments = parser.parse_args()
    on_the_engine = [*ON_THE_ENGINE, *SERVERS]
    counts = dict.fromkeys(IN_PROCESS, arguments.runs) | dict.fromkeys(on_the_engine, arguments.engine_runs)
    seeds = {kind: range(arguments.seed, arguments.seed + count) for kind, count in counts.items()}
    if arguments.only:
        kind, _, seed = arguments.only.partition(":")
        seeds = {kind: range(int(seed), int(seed) + 1)}
    bad = 0
    for kind in [kind for kind in IN_PROCESS if kind in seeds]:
        bad += _report(kind, [IN_PROCESS[kind](seed) for seed in seeds[kind]])
    for kind, count in sorted(TOLD.items()):
        print(f"  {kind.replace('_', ' ')}: told {count} times")
    for kind in [kind for kind in on_the_engine if kind in seeds]:
        try:
            with _machines(kind) as run:
                bad += _report(kind, run(seeds[kind]))
        except NotToBeHad as reason:
            print(f"{kind}: left out: {reason}")
            bad += bool(arguments.only)
    sys.exit(bool(bad))


@contextmanager
def _machines(kind: str) -> Generator[Callable[[range], list[Outcome]]]:
    """What runs a kind on the engine, two seeds at a time."""
    with ExitStack() as needed:
        run = ON_THE_ENGINE.get(kind)
        if run is None:
            run = partial(runners_run, backend=needed.enter_context(SERVERS[kind]()))
        folder = Path(needed.enter_context(tempfile.TemporaryDirectory(prefix="togetherai-chaos-")))
        pool = needed.enter_context(ThreadPoolExecutor(2))
        yield lambda seeds: list(pool.map(run, seeds, [folder / str(seed) for seed in seeds]))


IN_PROCESS = {"core": core_run, "node": node_run, "lies": lies_run}
ON_THE_ENGINE = {"engine": engine_run, "stacks": stacks_run, "racks": racks_run}


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
