"""How the plugin's process learns that it has to end. Only this module knows of signals, in which systems differ."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")
"""What the engine sends, and people: SIGINT, and on Windows Ctrl-Break, which only Windows has."""


def when_asked_to_end(call: Callable[[], object]) -> None:
    """Calls `call` on the running loop, which is the main thread's, at each such signal that the system has."""
    loop = asyncio.get_running_loop()

    def soon(*_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(call)

    for name in SIGNALS:
        if number := getattr(signal, name, None):
            try:
                loop.add_signal_handler(number, call)
            except NotImplementedError:  # Windows, whose loop wakes up for a handler of this kind
                signal.signal(number, soon)
