"""Takes the pictures of the console page for the documentation: `python -m tests.simulator.screenshots`."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.simulator.driver import HOST_AWARE, REBOOT_VM, VM_ONLY, instance_path
from togetherai_simulator import Simulator, running

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
Scheme = Literal["light", "dark"]


@contextmanager
def chromium() -> Generator[Browser]:
    """The system's own Chromium, without a window."""
    with sync_playwright() as playwright:
        # Chromium's sandbox needs rights that a container does not give.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def showing(simulator: Simulator, browser: Browser, scheme: Scheme = "light") -> Generator[Page]:
    """The console page of a simulator. Fails when the page reports an error or asks for anything from elsewhere."""
    problems: list[str] = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 860})
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(simulator.root) else problems.append(request.url))
    try:
        page.goto(simulator.root)
        page.wait_for_selector("#content:not([aria-busy]) table")
        yield page
    finally:
        page.close()
    assert [problem for problem in problems if not problem.startswith("data:")] == []


def furnish(simulator: Simulator) -> None:
    """Gives the page something to show: every kind of remediation, alerts, and a fault."""

    def create(instance: str, mode: str, reason: str) -> None:
        path = instance_path(instance).removeprefix("/v1")
        simulator.http.post(path, json={"mode": mode, "reason": reason}).raise_for_status()

    def control(path: str, body: dict[str, object], method: str = "POST") -> None:
        simulator.control(method, path, body)

    control("/instances/cluster-1/cluster-1-node-5/behaviour", {"outcome": "fail"}, "PUT")
    create("cluster-1-node-5", REBOOT_VM, "Xid 94 during the nightly run")
    create("cluster-1-node-4", VM_ONLY, "NVLink errors [pulumi training/prod node-4 #1 6f1c2a9e-04b7c1d2]")
    control("/advance", {"seconds": 900})
    create("cluster-1-node-2", HOST_AWARE, "GPU 3 fell off the bus [pulumi training/prod 91d0c3b7aa52]")
    control("/advance", {"seconds": 45})
    control("/instances/cluster-1/cluster-1-node-1/propose", {"fault": "xid"})
    control("/advance", {"seconds": 8})
    control("/instances/cluster-1/cluster-1-node-1/propose", {"fault": "gpu_lost"})
    create("cluster-1-node-3", REBOOT_VM, "ECC errors after the driver update")
    control("/faults", {"kind": "error", "operation": "get", "probability": 0.1, "status": 503})


def main(folder: Path) -> None:
    """Writes console-light.png and console-dark.png into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Scheme, ...] = ("light", "dark")
    with (
        chromium() as browser,
        running({"instances": 8, "clusters": 2, "seed": 4}, speed=0) as simulator,
    ):
        furnish(simulator)
        for scheme in schemes:
            with showing(simulator, browser, scheme) as page:
                page.click("summary >> nth=0")
                page.screenshot(path=folder / f"console-{scheme}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
