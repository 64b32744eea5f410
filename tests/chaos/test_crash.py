"""A slice of the crash matrix: each point, both victims, both adapters, every reading. `make crash` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.crash import FORMS, POINTS, READINGS, VICTIMS, Case, run

SLICE = [
    Case(point, victim, READINGS[(2 * row + column) % 4], FORMS[(row + column) % 2])
    for row, point in enumerate(POINTS)
    for column, victim in enumerate(VICTIMS)
]


@pytest.mark.parametrize("case", SLICE, ids=lambda case: f"{case.point}-{case.victim}-{case.reading}-{case.form}")
def test_a_killed_command_is_simply_run_again(case: Case, tmp_path: Path):
    result = run(case, tmp_path / "stack")
    assert result.good, result
