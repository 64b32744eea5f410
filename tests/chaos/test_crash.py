"""Slices of the crash matrix: on one machine each point, both victims, both adapters, every reading; on machines that
share the state one runner that vanishes and one that only seems to. `make crash` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.crash import FORMS, POINTS, READINGS, VICTIMS, Case, run
from tests.engine.stack import Backend

SLICE = [
    Case(point, victim, READINGS[(2 * row + column) % 4], FORMS[(row + column) % 2])
    for row, point in enumerate(POINTS)
    for column, victim in enumerate(VICTIMS)
]
SHARED_SLICE = [
    Case("while RUNNING", "runner", "existing", "dynamic"),
    Case("while PENDING", "nobody", "ignore", "plugin"),
]


def named(case: Case) -> str:
    return f"{case.point}-{case.victim}-{case.reading}-{case.form}"


@pytest.mark.parametrize("case", SLICE, ids=named)
def test_a_killed_command_is_simply_run_again(case: Case, tmp_path: Path):
    result = run(case, tmp_path / "stack")
    assert result.good, result


@pytest.mark.parametrize("case", SHARED_SLICE, ids=named)
def test_a_runner_on_another_machine_goes_on_with_what_one_that_vanished_began(
    shared: Backend, case: Case, tmp_path: Path
):
    result = run(case, tmp_path, shared, tmp_path.name)
    assert result.good, result
