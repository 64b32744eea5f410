"""The commands of docs/shell.md with the oldest engine, too: `pulumi do` is experimental, and may change."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from get_engine import OLDEST_BIN
from tests.engine import test_do
from tests.engine.test_do import Shell
from tests.simulated import Simulator, simulator


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API with one cluster of four nodes."""
    with simulator() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, api: Simulator) -> Shell:
    """A shell with the oldest engine."""
    return Shell(tmp_path / "night", api, engine=OLDEST_BIN)


test_look = test_do.test_look
test_rehearse_then_repair_then_wait = test_do.test_rehearse_then_repair_then_wait
test_read_waits = test_do.test_read_waits_for_whatever_is_under_way_and_a_dry_run_only_looks
test_json = test_do.test_the_standard_output_holds_the_json_and_nothing_else
test_a_bad_end = test_do.test_a_bad_end_fails_and_runs_again_only_by_a_flag
test_approve = test_do.test_approve
test_cancel = test_do.test_cancel
