"""What tests of every kind share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.backends import SERVERS, NotToBeHad
from tests.engine.stack import Backend

# How long an example takes says how busy the machine is: the usual limit of 200 ms fails a test that others delay.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

LONG = Path(__file__).with_name("long.txt")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests that are listed as long."""
    listed = {line for line in LONG.read_text().splitlines() if not line.startswith("#")}
    for item in items:
        if item.nodeid in listed:
            item.add_marker("long")
    files = {item.nodeid.partition("::")[0] for item in items}
    collected = {item.nodeid for item in items}
    unknown = [name for name in listed if name not in collected and name.partition("::")[0] in files]
    if unknown and not any("::" in argument for argument in config.args):
        raise pytest.UsageError(f"{LONG.name} lists tests that are not there: {', '.join(sorted(unknown))}")


@pytest.fixture(scope="session", params=SERVERS)
def shared(request: pytest.FixtureRequest) -> Generator[Backend]:
    """A place for state on a server that several machines share, of each kind that this machine has."""
    with ExitStack() as stack:
        try:
            backend = stack.enter_context(SERVERS[request.param]())
        except NotToBeHad as reason:
            pytest.skip(str(reason))
        yield backend
