"""Makes a Python process lack what it lacks on Windows. Python reads this file at its start, where PYTHONPATH names its
folder.

What others need on this system stays: `sys.platform`; `resource`, for psutil; and everything for pip, which Pulumi asks
for the installed packages.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio import base_events, selector_events
from typing import Any, NoReturn


def _not_implemented(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError


def lack() -> None:
    """Takes away what Windows lacks."""
    # Windows' loop takes no signal handlers and watches no file descriptors; gRPC then polls in a thread.
    for loop in (base_events.BaseEventLoop, selector_events.BaseSelectorEventLoop, asyncio.SelectorEventLoop):
        for name in ("add_signal_handler", "remove_signal_handler", "add_reader", "remove_reader", "add_writer"):
            setattr(loop, name, _not_implemented)

    signal.SIGBREAK = signal.SIGUSR1  # pyright: ignore[reportAttributeAccessIssue]
    for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "pthread_kill", "sigwait"):
        delattr(signal, name)
    for name in (
        "kill",
        "killpg",
        "fork",
        "getuid",
        "geteuid",
        "getgid",
        "getpgid",
        "setsid",
        "setpgid",
        "uname",
        "mkfifo",
    ):
        delattr(os, name)
    for name in ("fcntl", "pwd", "grp", "termios", "tty", "pty"):
        sys.modules[name] = None  # type: ignore[assignment]


if sys.orig_argv[1:3] != ["-m", "pip"]:
    lack()
