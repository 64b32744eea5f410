"""How the fleet example tells `pulumi` processes to stop, tried on a stand-in for `pulumi`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pulumi
import pytest
from engines import Engines
from pulumi import automation

from tests.simulated import PATIENCE

STAND_IN = """\
import os, signal, sys, time
if sys.argv[1] == "version":
    print("v3.254.0")
    sys.exit()
saved = []
# Like Pulumi it listens whatever it inherits: a test run in the background has interrupts ignored.
signal.signal(signal.SIGINT, lambda *_: saved.append(True))
with open("beginning", "w") as file:
    file.write(str(os.getpid()))
os.rename("beginning", "began")
while not saved and not os.path.exists("end"):
    time.sleep(0.02)
if saved:
    print("saved")
    sys.exit()
sys.exit("error: " + " ".join(sys.argv[1:]))
"""


class Commands:
    """Commands of the stand-in, each in a folder of its own."""

    def __init__(self, engines: Engines, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.engines = engines
        self._folder = folder
        self._pool = pool

    def folder(self, name: str) -> str:
        """A command's folder."""
        return str(self._folder / name)

    def begin(self, name: str) -> tuple[Future[automation.CommandResult], int]:
        """Begins a command. Returns its result to come, and its process."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        for left in ("began", "end"):
            (folder / left).unlink(missing_ok=True)
        result = self._pool.submit(self.engines.run, ["up"], str(folder), {})
        while not (folder / "began").exists():
            assert not result.done(), result.exception()
            time.sleep(0.01)
        return result, int((folder / "began").read_text())

    def end(self, name: str) -> None:
        """Has a command end by itself, badly."""
        (self._folder / name / "end").touch()


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Commands]:
    """Commands, with the stand-in on PATH. None outlives the test."""
    command = tmp_path / "bin" / "pulumi"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable} -ES\n{STAND_IN}")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    folder = tmp_path / "folders"
    folder.mkdir()
    with ThreadPoolExecutor() as pool:
        yield Commands(Engines(), folder, pool)
        for one in folder.iterdir():
            (one / "end").touch()


def test_one_is_told_once_its_program_runs_and_not_before(commands: Commands):
    early, _ = commands.begin("early")
    listening, _ = commands.begin("listening")
    commands.engines.entered(commands.folder("listening"))
    commands.engines.stop()
    assert listening.result(PATIENCE).stdout == "saved\n"
    with pytest.raises(pulumi.RunError, match="stopped before anything was done"):
        commands.engines.entered(commands.folder("early"))
    commands.end("early")
    with pytest.raises(automation.CommandError, match="code: 1"):
        early.result(PATIENCE)


def test_that_one_command_listened_says_nothing_of_the_next_one_in_its_folder(commands: Commands):
    first, _ = commands.begin("folder")
    commands.engines.entered(commands.folder("folder"))
    commands.end("folder")
    with pytest.raises(automation.CommandError, match="error: --non-interactive up"):
        first.result(PATIENCE)
    second, _ = commands.begin("folder")
    commands.engines.stop()
    commands.end("folder")
    with pytest.raises(automation.CommandError, match="code: 1"):
        second.result(PATIENCE)


def test_ctrl_c_in_the_terminal_does_not_reach_it(commands: Commands):
    _, process = commands.begin("running")
    assert os.getsid(process) == process
