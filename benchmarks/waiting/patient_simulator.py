"""The simulator with a journal that keeps every request, and with the lengths of a workload.

python -m waiting.patient_simulator COUNT CLUSTERS SPEED PAGE
"""

from __future__ import annotations

import sys
from collections import deque

from togetherai_simulator.access import AccessKey
from togetherai_simulator.clock import Clock
from togetherai_simulator.scenario import simulate
from togetherai_simulator.script import Scenario
from togetherai_simulator.server import listen, serve
from togetherai_simulator.settings import Behaviour, Settings
from waiting.workload import API_KEY, PENDING, Workload


def main() -> None:
    """Prints its port and serves until a signal stops it."""
    work = Workload(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), page=int(sys.argv[4]))
    scenario = Scenario(
        clusters=work.clusters,
        instances=work.instances,
        seed=1,
        settings=Settings(pending=PENDING, max_page_size=work.page),
        behaviours={instance: Behaviour(running=seconds) for instance, seconds in work.running.items()},
        api_keys=[AccessKey(key=API_KEY)],
    )
    app = simulate(scenario, clock=Clock(speed=work.speed))
    app.journal.entries = deque()
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    serve(app, listener)


if __name__ == "__main__":
    main()
