from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.simulator.driver import Driver


@pytest.fixture
async def simulator() -> AsyncIterator[Driver]:
    """One cluster of four nodes; time stands still until `advance`."""
    async with Driver() as driver:
        yield driver
