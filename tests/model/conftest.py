"""Worlds for tests that tell one story each."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.model.world import World


@pytest.fixture(params=["plugin", "dynamic"])
def world(request: pytest.FixtureRequest) -> Generator[World]:
    """A world under each adapter's rules: with the plugin, the stack keeps an unfinished resource."""
    made = World(keeps_unfinished=request.param == "plugin")
    yield made
    made.close()


@pytest.fixture
def plugin_world() -> Generator[World]:
    """A world in which the stack keeps an unfinished resource."""
    made = World(keeps_unfinished=True)
    yield made
    made.close()
