"""What the tests on the real engine share."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Generator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from tests.engine.stack import ENGINE, ROOT, Form, Stack
from tests.simulated import Simulator, simulator

if not (ENGINE / "pulumi").exists():
    raise pytest.UsageError("there is no Pulumi engine in .tools/bin; `make setup` gets one")


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API with one cluster of four nodes."""
    with simulator() as running:
        yield running


@pytest.fixture(params=["plugin", "dynamic"])
def form(request: pytest.FixtureRequest) -> Form:
    """Each of the two adapters."""
    return request.param


@pytest.fixture
def stack(tmp_path: Path, form: Form, api: Simulator) -> Stack:
    """An empty stack whose program uses one of the adapters."""
    return Stack(tmp_path / "stack", form, api.address)


@pytest.fixture
def plugin_stack(tmp_path: Path, api: Simulator) -> Stack:
    """An empty stack whose program uses the plugin, for what pulumi.dynamic cannot do."""
    return Stack(tmp_path / "stack", "plugin", api.address)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What `make dist` builds, made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "dist"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            command = [sys.executable, str(ROOT / "tools" / "dist.py"), str(folder)]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def releases(dist: Path) -> Generator[str]:
    """The address of a server that has the plugin's archives, as a release has."""
    handler = functools.partial(_Quiet, directory=str(dist / "plugin"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
