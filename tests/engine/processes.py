"""The processes that a stack's commands started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.engine.stack import Stack


def processes_of(stack: Stack) -> list[int]:
    """Those that are still there, told by the stack's own environment."""
    mark = f"PULUMI_HOME={stack.env['PULUMI_HOME']}".encode()
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() and (process / "stat").read_text().split()[2] != "Z":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def printed_until(process: subprocess.Popen[str], text: str) -> str:
    """What a command prints up to the line that holds a text. Fails if the command ends before."""
    assert process.stdout is not None
    printed = ""
    while text not in printed:
        line = process.stdout.readline()
        assert line, f"it ended without {text!r}:\n{printed}"
        printed += line
    return printed


def is_clear_within(stack: Stack, seconds: float) -> bool:
    """Whether none is left within some seconds."""
    return comes_true(lambda: not processes_of(stack), seconds)


def comes_true(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition of other processes holds within some seconds."""
    gives_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > gives_up:
            return False
        time.sleep(0.05)
    return True


def is_spoken_to(process: int) -> bool:
    """Whether something has been sent to a process, over TCP, that it has not read."""
    sockets = {os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()}
    connections = [line.split() for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    return any(
        int(queues.partition(":")[2], 16) > 0
        for _, _, _, state, queues, _, _, _, _, inode, *_ in connections
        if state == "01" and f"socket:[{inode}]" in sockets
    )


def is_the_provider(process: int) -> bool:
    """Whether a process is the plugin, or the one that pulumi.dynamic runs our provider in."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"pulumi-resource-togetherai" in command or b"pulumi.dynamic" in command


def kill_what_is_left(stack: Stack) -> None:
    """kill -9 of every process. One of pulumi.dynamic whose engine was killed before it used our provider knows nothing
    of the engine, and would stay."""
    signal_all(stack, signal.SIGKILL)


def signal_all(stack: Stack, number: signal.Signals) -> None:
    """A signal to every process."""
    for process in processes_of(stack):
        with suppress(ProcessLookupError):
            os.kill(process, number)


def kill_the_provider(stack: Stack) -> None:
    """kill -9 of the provider's processes."""
    for process in processes_of(stack):
        if is_the_provider(process):
            os.kill(process, signal.SIGKILL)
