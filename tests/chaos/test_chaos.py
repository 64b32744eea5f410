"""A slice of the chaos runs. `make chaos` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.chaos import core_run, engine_run, node_run, racks_run, runners_run, stacks_run
from tests.engine.stack import Backend


@pytest.mark.parametrize("seed", range(1001, 1021))
def test_nothing_runs_twice_or_gets_lost_in_process(seed: int):
    outcome = core_run(seed)
    assert outcome.good, outcome


@pytest.mark.parametrize("seed", [1001, 1002])
def test_nothing_runs_twice_or_gets_lost_on_the_engine(seed: int, tmp_path: Path):
    outcome = engine_run(seed, tmp_path / "stack")
    assert outcome.good, outcome


@pytest.mark.parametrize("seed", range(1001, 1021))
def test_a_node_is_repaired_once_whoever_asks_in_process(seed: int):
    outcome = node_run(seed)
    assert outcome.good, outcome


def test_a_node_is_repaired_once_by_two_stacks_on_the_engine(tmp_path: Path):
    outcome = stacks_run(1001, tmp_path)
    assert outcome.good, outcome


def test_two_rolling_repairs_of_one_cluster_keep_to_one_limit(tmp_path: Path):
    outcome = racks_run(1001, tmp_path)
    assert outcome.good, outcome


def test_runners_that_vanish_or_sleep_leave_one_remediation_to_the_next(shared: Backend, tmp_path: Path):
    outcome = runners_run(1001, tmp_path, shared)
    assert outcome.good, outcome
