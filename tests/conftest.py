"""What tests of every kind share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack

import pytest

from tests.backends import SERVERS, NotToBeHad
from tests.engine.stack import Backend


@pytest.fixture(scope="session", params=SERVERS)
def shared(request: pytest.FixtureRequest) -> Generator[Backend]:
    """A place for state on a server that several machines share, of each kind that this machine has."""
    with ExitStack() as stack:
        try:
            backend = stack.enter_context(SERVERS[request.param]())
        except NotToBeHad as reason:
            pytest.skip(str(reason))
        yield backend
