"""How the fleet example tells `pulumi` processes to stop, tried on a stand-in for `pulumi`."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pulumi
import pytest
from engines import Engines
from pulumi import automation

STAND_IN = """\
#!/bin/sh
[ "$1" = version ] && echo v3.254.0 && exit
trap 'echo saved; exit' INT
echo $$ > began
while [ ! -e end ]; do sleep 0.02; done
echo "error: $*" >&2
exit 7
"""


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """Engines, with the stand-in on PATH."""
    command = tmp_path / "bin" / "pulumi"
    command.parent.mkdir()
    command.write_text(STAND_IN)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return Engines()


def begin(engines: Engines, folder: Path) -> tuple[Future[automation.CommandResult], int]:
    """Begins a command in a folder of its own. Returns its result to come, and its process."""
    folder.mkdir(exist_ok=True)
    result = ThreadPoolExecutor(1).submit(engines.run, ["up"], str(folder), {})
    while not (began := folder / "began").exists() or not began.read_text().endswith("\n"):
        assert not result.done(), result.exception()
        time.sleep(0.01)
    return result, int(began.read_text())


def test_one_is_told_once_its_program_runs_and_not_before(engines: Engines, tmp_path: Path):
    early, _ = begin(engines, tmp_path / "early")
    listening, _ = begin(engines, tmp_path / "listening")
    engines.entered(str(tmp_path / "listening"))
    engines.stop()
    assert listening.result(10).stdout == "saved\n"
    with pytest.raises(pulumi.RunError, match="stopped before anything was done"):
        engines.entered(str(tmp_path / "early"))
    (tmp_path / "early" / "end").touch()
    with pytest.raises(automation.CommandError, match="code: 7"):
        early.result(10)


def test_that_one_command_listened_says_nothing_of_the_next_one_in_its_folder(engines: Engines, tmp_path: Path):
    folder = tmp_path / "folder"
    first, _ = begin(engines, folder)
    engines.entered(str(folder))
    (folder / "end").touch()
    with pytest.raises(automation.CommandError, match="error: --non-interactive up"):
        first.result(10)
    for left in ("began", "end"):
        (folder / left).unlink()
    second, _ = begin(engines, folder)
    engines.stop()
    (folder / "end").touch()
    with pytest.raises(automation.CommandError, match="code: 7"):
        second.result(10)


def test_ctrl_c_in_the_terminal_does_not_reach_it(engines: Engines, tmp_path: Path):
    running, process = begin(engines, tmp_path / "running")
    assert os.getsid(process) == process
    engines.entered(str(tmp_path / "running"))
    engines.stop()
    running.result(10)
