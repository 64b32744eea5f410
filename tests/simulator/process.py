"""The simulator as its users start it: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from togetherai_simulator.access import DEFAULT_API_KEY

COMMAND = [sys.executable, "-m", "togetherai_simulator"]


@dataclass
class Process:
    popen: subprocess.Popen[str]
    base_url: str
    """Ends in /v1."""
    http: httpx.Client

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1")

    def control(self, method: str, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        return self.http.request(method, f"{self.root}/_simulator{path}", json=body).raise_for_status()


@contextmanager
def running(*arguments: str) -> Generator[Process]:
    """A simulator on a port of its own. It is gone at the end, and has written no error."""
    popen = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert popen.stdout is not None
    assert popen.stderr is not None
    try:
        first = popen.stdout.readline()
        assert first.startswith("Together AI simulator listening on http://"), popen.stderr.read()
        base_url = first.split()[-1]
        with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {DEFAULT_API_KEY}"}) as http:
            yield Process(popen, base_url, http)
    finally:
        popen.terminate()
        _, errors = popen.communicate(timeout=10)
    assert errors == ""
