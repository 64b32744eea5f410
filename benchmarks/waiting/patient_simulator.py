"""The simulator with a journal that keeps every request.

python -m waiting.patient_simulator CLUSTERS INSTANCES SPEED PAGE
"""

from __future__ import annotations

import sys
from collections import deque

from pulumi_resource_togetherai.simulator.access import AccessKey
from pulumi_resource_togetherai.simulator.clock import Clock
from pulumi_resource_togetherai.simulator.scenario import simulate
from pulumi_resource_togetherai.simulator.script import Scenario
from pulumi_resource_togetherai.simulator.server import listen, serve
from pulumi_resource_togetherai.simulator.settings import Settings
from waiting.workload import API_KEY, PENDING, RUNNING


def main() -> None:
    """Prints its port and serves until a signal stops it."""
    clusters, instances, speed, page = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    scenario = Scenario(
        clusters=clusters,
        instances=instances,
        seed=1,
        settings=Settings(pending=PENDING, running=RUNNING, max_page_size=page),
        api_keys=[AccessKey(key=API_KEY)],
    )
    app = simulate(scenario, clock=Clock(speed=speed))
    app.journal.entries = deque()
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    serve(app, listener)


if __name__ == "__main__":
    main()
