"""A command in a terminal of so many columns, and what a person sees there. The only module that knows of pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path

import pyte
from pyte.screens import Char

PATIENCE = 120.0
"""Seconds after which what a test waits to see counts as never shown."""
MOMENT = 0.05
"""Seconds for which the terminal is read at a time."""
ROWS = 50


class Pane:
    """A terminal, with the command that runs in it."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes], columns: int) -> None:
        self._terminal = terminal
        self._process = process
        self.screen = pyte.HistoryScreen(columns, ROWS, history=10_000)
        self._stream = pyte.ByteStream(self.screen)

    @property
    def lines(self) -> list[str]:
        """What there is to read, with all that can be scrolled back to."""
        columns = range(self.screen.columns)
        above = ("".join(line[column].data for column in columns) for line in self.screen.history.top)
        return "\n".join(line.rstrip() for line in (*above, *self.screen.display)).rstrip().split("\n")

    @property
    def text(self) -> str:
        """The same in one."""
        return "\n".join(self.lines)

    @property
    def html(self) -> str:
        """What stands on the screen, as HTML with its colours."""
        shown = [self.screen.buffer[line] for line, text in enumerate(self.screen.display) if text.strip()]
        return "\n".join("".join(_html(line[column]) for column in range(self.screen.columns)) for line in shown)

    def row(self, name: str) -> str:
        """The row of a resource, by the resource's name; empty while there is none."""
        return next((line for line in self.lines if f" {name} " in f"{line} "), "")

    def until(self, seen: Callable[[], object]) -> None:
        """Reads until what a person sees fulfils a condition. Fails if the command ends before, or nothing comes."""
        gives_up = time.monotonic() + PATIENCE
        while not seen():
            assert self._read() or seen(), f"the command ended before it was seen:\n{self.text}"
            assert time.monotonic() < gives_up, f"it was never seen:\n{self.text}"

    def until_shown(self, text: str) -> None:
        """Reads until a text is to be seen."""
        self.until(lambda: text in self.text)

    def end(self) -> int:
        """Reads until the command ends, and returns its exit code."""
        gives_up = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < gives_up, f"it never ended:\n{self.text}"
        return self._process.wait(PATIENCE)

    def resize(self, columns: int) -> None:
        """Makes the terminal so wide, and empties it: what is seen from now on was drawn for that width."""
        _set_size(self._terminal, columns)
        self.screen.resize(columns=columns)
        self.screen.erase_in_display(2)

    def type(self, keys: str) -> None:
        """Presses keys; "\\x03" is Ctrl-C."""
        os.write(self._terminal, keys.encode())

    def _read(self) -> bool:
        """Takes what has come. Returns whether more may."""
        ready, _, _ = select.select([self._terminal], [], [], MOMENT)
        if not ready:
            return True
        with suppress(OSError):  # the terminal's other end is closed
            if data := os.read(self._terminal, 65536):
                self._stream.feed(data)
                return True
        return False


@contextmanager
def pane(command: Sequence[str], *, columns: int, folder: Path, env: Mapping[str, str]) -> Generator[Pane]:
    """Runs a command in a terminal of its own, from which it hears of Ctrl-C."""
    ours, its = pty.openpty()
    _set_size(its, columns)
    process = subprocess.Popen(
        ["setsid", "--ctty", *command],
        cwd=folder,
        env={**env, "TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    try:
        yield Pane(ours, process, columns)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def _html(character: Char) -> str:
    """One character. Of the colours only the foreground's is told; pyte calls yellow brown."""
    style = f"color: var(--{character.fg})" if character.fg.isalpha() else f"color: #{character.fg}"
    style += "; font-weight: bold" * character.bold + "; text-decoration: underline" * character.underscore
    return f'<span style="{style}">{escape(character.data)}</span>'


def _set_size(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
