"""A day of a cluster that a ClusterRepair keeps: nothing is repaired twice, forgotten, or beyond the limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.day import Day, exceeded, forgotten, live, repaired_twice
from tests.engine.stack import Form


def keeps_its_promises(day: Day) -> None:
    """What must hold of any day."""
    assert repaired_twice(day) == []
    assert forgotten(day) == []
    assert exceeded(day) == []


@pytest.mark.parametrize("form", ["plugin", "dynamic"])
def test_a_whole_day_with_two_pipelines_kills_and_a_person(form: Form, tmp_path: Path):
    day = live(form, tmp_path)
    assert day.killed > 5
    assert day.halted > 2
    keeps_its_promises(day)


def test_a_morning(tmp_path: Path):
    keeps_its_promises(live("plugin", tmp_path, hours=6, seed=2))
