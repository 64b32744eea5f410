"""Side: a plain asyncio loop over the vendor's client, in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from waiting.meter import PERIOD, Meter
from waiting.outcome import SIDE, Outcome
from waiting.platform import BENCHMARKS, Platform
from waiting.workload import MODE, Workload


def run(workload: Workload, api: Platform, meter: Meter) -> Outcome:
    """Does the work."""
    work = {
        "base_url": api.simulator.root,
        "api_key": api.simulator.key,
        "mode": MODE,
        "interval": workload.real_poll_interval,
        "patience": workload.patience,
        "targets": workload.targets,
    }
    loop = subprocess.Popen(
        [sys.executable, "-m", "waiting.vendor_loop"],
        cwd=BENCHMARKS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert loop.stdin is not None
        assert loop.stdout is not None
        print(json.dumps(work), file=loop.stdin, flush=True)
        loop.stdout.readline()
        meter.watch(SIDE, loop.pid)
        time.sleep(3 * PERIOD)
        print(file=loop.stdin, flush=True)
        told = json.loads(loop.stdout.readline())
        time.sleep(3 * PERIOD)
        return Outcome(**told)
    finally:
        loop.kill()
        loop.communicate()
