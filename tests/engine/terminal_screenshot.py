"""Takes the README's picture of a terminal, of a rolling repair in its own time: two minutes with
`python -m tests.engine.terminal_screenshot`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.engine.programs import NODE
from tests.engine.stack import Stack
from tests.engine.test_rolling import declare, rack
from tests.simulated import simulator
from tests.simulator.screenshots import chromium, keep

UP = ("up", "--yes", "--skip-preview")
COLUMNS = 138
STYLE = """
:root { --default: #d6dbe1; --black: #0d1117; --red: #ff7b72; --green: #56d364; --brown: #e3b341; --blue: #79c0ff;
  --magenta: #d2a8ff; --cyan: #76e3ea; --white: #d6dbe1; --brightblack: #8b949e; --brightred: #ffa198;
  --brightgreen: #7ee787; --brightbrown: #f2cc60; --brightblue: #a5d6ff; --brightmagenta: #e2c5ff;
  --brightcyan: #b3f0ff; --brightwhite: #ffffff }
body { margin: 0; display: inline-block; background: #0d1117 }
pre { margin: 0; padding: 18px 22px; color: var(--default); font: 15px/1.5 "DejaVu Sans Mono", monospace }
"""


def main(folder: Path) -> None:
    """Writes terminal.png into `folder`."""
    with tempfile.TemporaryDirectory() as scratch, simulator(speed=1, instances=6) as api, chromium() as browser:
        stack = Stack(Path(scratch) / "stack", "plugin", api.address)
        nodes = [NODE(number) for number in range(1, 7)]
        for number, running in enumerate((52, 61, 58, 66), 1):
            api.behave(NODE(number), running=running)
        declare(stack, rack=rack("plugin", instances=nodes, maxConcurrent=2))
        with stack.shown(*UP, columns=COLUMNS) as terminal:
            last = f"rack-{nodes[3]}"
            terminal.until(lambda: "RUNNING" in terminal.row(last))
            begun = terminal.row(last).partition("RUNNING")[2]
            terminal.until(lambda: terminal.row(last).partition("RUNNING")[2] != begun)
            shown = f"$ pulumi {' '.join(UP)}\n{terminal.html}"
        page = browser.new_page(viewport={"width": 1600, "height": 800}, device_scale_factor=2)
        page.set_content(f"<style>{STYLE}</style><pre>{shown}</pre>")
        keep(page.locator("body").screenshot(), folder / "terminal.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
