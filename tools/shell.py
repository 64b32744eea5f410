"""What the set-up tools share: printing progress, running a command, and the error that ends set-up with a message."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Problem(Exception):
    """Set-up cannot go on; the text is for the person who ran it."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a command quietly and returns what it printed. If it fails, raises Problem with the end of its output."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Problem("\n  ".join([f"`{' '.join(words[:3])} ...` failed:", *said[-8:]]))
    return done.stdout.strip()
