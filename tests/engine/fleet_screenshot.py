"""Takes the picture of examples/fleet's report for its README: `python -m tests.engine.fleet_screenshot`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.engine.stack import Stack
from tests.engine.test_fleet import call
from tests.simulated import simulator
from tests.simulator.screenshots import chromium, keep

NODES = [f"cluster-{cluster}-node-{number}" for cluster in (1, 2) for number in range(1, 7)]
SPEED = 20
"""Simulated seconds per real one: slow enough for every state to be seen."""
MODES = ("REBOOT_VM", "VM_ONLY", "HOST_AWARE")


def main(folder: Path) -> None:
    """Writes fleet-report.png into `folder`."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        simulator(clusters=2, instances=6, speed=SPEED) as api,
        chromium() as browser,
    ):
        user = Stack(Path(scratch) / "stack", "plugin", api.address)
        rows = [f"{node.partition('-node')[0]},{node},{MODES[index % 3]}" for index, node in enumerate(NODES)]
        (user.folder / "nodes.csv").write_text("\n".join(["cluster,instance,mode", *rows]))
        api.behave(NODES[1], outcome="fail", error_message="no healthy host available in the capacity pool")
        for index, node in enumerate(NODES[2:], 2):
            api.behave(node, running=40 + 17 * (index % 5), pending=10 + 3 * (index % 4))
        limits = ("--max-concurrent=4", "--max-concurrent-per-cluster=3", "--max-failed=20%")
        ran = call(user, "nodes.csv", "--incident=INC-1050", "--yes", *limits, "--config=togetherai:pollInterval=50ms")
        assert ran.code == 1, ran.output
        page = browser.new_page(color_scheme="light", viewport={"width": 1100, "height": 800})
        page.goto((user.folder / "fleet-report.html").as_uri())
        keep(page.screenshot(full_page=True), folder / "fleet-report.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
