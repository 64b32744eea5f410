"""The simulator's page in a real browser, and pictures of it.

`PICTURES=docs/images pytest tests/simulator/test_looks.py` takes the pictures of the documentation.
"""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.simulator.driver import HOST_AWARE, REBOOT_VM, VM_ONLY, instance_path
from togetherai_simulator import Simulator

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
def showing(
    simulator: Simulator, browser: Browser, scheme: Scheme = "light", *, width: int = 1280, query: str = ""
) -> Generator[Page]:
    """The console page of a simulator. Fails when the page reports an error or asks for anything from elsewhere."""
    problems: list[str] = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(simulator.root) else problems.append(request.url))
    try:
        page.goto(f"{simulator.root}/{query}")
        page.wait_for_selector("#content:not([aria-busy]) table")
        yield page
    finally:
        page.close()
    assert [problem for problem in problems if not problem.startswith("data:")] == []


def picture(page: Page, name: str) -> None:
    """Keeps what the page shows as `name`.png, if the environment variable PICTURES names a folder for it."""
    if folder := os.environ.get("PICTURES"):
        keep(page.screenshot(), Path(folder) / f"{name}.png")


def keep(taken: bytes, file: Path) -> None:
    """Writes a picture that was taken. 128 colours are all that there are, but for the edges of letters; the file is a
    third as large."""
    Image.open(io.BytesIO(taken)).quantize(128).save(file, optimize=True)


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
