"""Runs examples/fleet as a whole: many clusters, failures, a stop in the middle, and a second call that goes on.

    python benchmarks/rehearse_fleet.py [--clusters 20] [--instances 50] [--speed 20]

The simulator's clock is faster than real time, and `pollInterval` is shorter by the same factor. The benchmark prints
the time, the requests and the memory of the processes (USS). It ends with 1 if a node was repaired twice or forgotten,
or if more nodes were under repair at once than allowed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from togetherai_simulator import pulumi_environment, running

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "examples" / "fleet" / "fleet.py"
FAILING = 25
"""One node in this many fails."""
AT_ONCE, PER_CLUSTER, ENGINES = 20, 5, 4
"""The limits that the benchmark passes to the program."""
ROLES = {"pulumi": "pulumi", "pulumi-resource-togetherai": "plugin"}
"""The roles of the measured processes, by the program that their command line begins with."""


@dataclass
class Memory:
    """The peak memory in MiB: of one process of each role, and of all together."""

    one: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    all: float = 0.0
    processes: int = 0

    def weigh(self, program: psutil.Process) -> None:
        """Measures a program and the processes that it started."""
        weights = list[tuple[str, float]]()
        for process in [program, *program.children(recursive=True)]:
            try:
                line, mib = process.cmdline(), process.memory_full_info().uss / 2**20
            except psutil.Error:
                continue
            names = (Path(word).name for word in line[:2])
            weights.append((next((ROLES[name] for name in names if name in ROLES), "fleet.py"), mib))
        for role, mib in weights:
            self.one[role] = max(self.one[role], mib)
        self.all = max(self.all, sum(mib for _, mib in weights))
        self.processes = max(self.processes, len(weights))


def call(command: list[str], folder: Path, memory: Memory, stop: Callable[[], bool]) -> tuple[int, float, str]:
    """Runs the program, and interrupts it once `stop` is true. Returns its exit code, the seconds, its last line."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = list[str]()

    def read() -> None:
        assert process.stdout is not None
        lines.extend(process.stdout)

    reader = Thread(target=read)
    reader.start()
    program, told = psutil.Process(process.pid), False
    while process.poll() is None:
        memory.weigh(program)
        if not told and stop():
            told = True
            process.send_signal(signal.SIGINT)
        time.sleep(1)
    reader.join()
    return process.returncode, time.monotonic() - started, lines[-1].strip()


def most_at_once(records: Iterable[dict[str, Any]]) -> int:
    """The most remediations that were active at the same moment."""
    moments = [moment for one in records for moment in ((one["create_time"], 1), (one["end_time"], -1))]
    return max(itertools.accumulate(change for _, change in sorted(moments)))


def main() -> int:
    """Runs the benchmark and prints the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=20)
    parser.add_argument("--instances", type=int, default=50)
    parser.add_argument("--speed", type=float, default=20.0, help="simulated seconds per second")
    parser.add_argument("--keep", type=Path, help="copy the report into this folder")
    options = parser.parse_args()
    nodes = [(f"cluster-{c}", n) for c in range(1, options.clusters + 1) for n in range(1, options.instances + 1)]
    failing = [f"{cluster}-node-{n}" for index, (cluster, n) in enumerate(nodes, 1) if index % FAILING == 0]
    scenario = {
        "clusters": options.clusters,
        "instances": options.instances,
        "behaviours": {instance: {"outcome": "fail"} for instance in failing},
    }
    with tempfile.TemporaryDirectory() as name, running(scenario, speed=options.speed) as simulator:
        folder = Path(name)
        path = [str(Path(sys.executable).parent), str(ROOT / ".tools/bin"), os.environ["PATH"]]
        os.environ |= {"PATH": os.pathsep.join(path), **pulumi_environment(folder), **simulator.environment}
        modes = ("REBOOT_VM", "REBOOT_VM", "VM_ONLY", "HOST_AWARE")
        rows = [f"{cluster},{cluster}-node-{n},{modes[n % len(modes)]}" for cluster, n in nodes]
        (folder / "nodes.csv").write_text("\n".join(["cluster,instance,mode", *rows]))
        command = [sys.executable, str(PROGRAM), "nodes.csv", "--incident=rehearsal", "--yes", "--max-failed=5%"]
        command += [f"--max-concurrent={AT_ONCE}", f"--max-concurrent-per-cluster={PER_CLUSTER}"]
        command += [f"--engines={ENGINES}", f"--config=togetherai:pollInterval={round(5000 / options.speed)}ms"]

        def records() -> list[dict[str, Any]]:
            clusters = simulator.control("GET", f"/state?limit={len(nodes)}")["clusters"]
            return [record for cluster in clusters for record in cluster["remediations"]]

        memory = Memory()
        for stop in (lambda: len(records()) > len(nodes) * 0.4, lambda: False):
            code, seconds, said = call(command, folder, memory, stop)
            print(f"code {code} after {seconds:.0f} s: {said}", flush=True)
        requests = simulator.requests()
        made = records()
        if options.keep:
            for file in folder.glob("fleet-report.*"):
                (options.keep / file.name).write_bytes(file.read_bytes())
    print(f"{requests[-1]['seq']} requests, {requests[-1]['seq'] / len(nodes):.1f} for each node")
    print(f"MiB at the most: { ({role: round(mib) for role, mib in memory.one.items()}) } each,", end=" ")
    print(f"{memory.all:.0f} for all {memory.processes} processes")
    per_cluster = max(most_at_once(one for one in made if one["cluster_id"] == cluster) for cluster, _ in nodes)
    print(f"{len(made)} remediations of {len(nodes)} nodes; at once {most_at_once(made)}, in a cluster {per_cluster}")
    repaired = Counter(record["instance_id"] for record in made)
    print(f"states: {dict(Counter(record['state'] for record in made))}")
    kept = most_at_once(made) <= AT_ONCE and per_cluster <= PER_CLUSTER
    return int(not kept or set(repaired.values()) != {1} or len(repaired) != len(nodes))


if __name__ == "__main__":
    sys.exit(main())
