"""What the tests on the real engine share."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.engine.stack import ENGINE, Form, Stack
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
