"""The pulumi processes, side by side, each told to stop once, and not before it can.

In the terminal's own group a process would hear of Ctrl-C from the terminal and again from us, and the second time
Pulumi stops without saving: so each has a session of its own. And one that is told before it listens dies and leaves
its stack locked: so each is told only once its program runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from threading import Lock
from typing import Any

import pulumi
from pulumi import automation


class Engines(automation.PulumiCommand):
    """Runs `pulumi` commands, at most one at a time in a folder."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False
        self._running = dict[str, subprocess.Popen[str]]()
        self._listening = set[str]()
        self._lock = Lock()

    def run(
        self, args: list[str], cwd: str, additional_env: Mapping[str, str], on_output: Any = None, on_error: Any = None
    ) -> automation.CommandResult:
        """Runs a command to its end. Nothing here asks for its lines as they come: events tell what happens."""
        with self._lock:  # its program says that it runs only when it stands here
            process = self._running[cwd] = subprocess.Popen(
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        stdout, stderr = process.communicate()
        with self._lock:
            self._listening.discard(cwd)
        result = automation.CommandResult(stdout, stderr, process.returncode)
        if result.code:
            raise automation.errors.create_command_error(result)
        return result

    def entered(self, folder: str) -> None:
        """For a program to say that it runs. Raises RunError, which ends its command, if all were told to stop."""
        with self._lock:
            if self.stopped:
                raise pulumi.RunError("stopped before anything was done")
            self._listening.add(folder)

    def stop(self) -> None:
        """Has every command save and end."""
        with self._lock:
            self.stopped = True
            for folder in self._listening:
                self._running[folder].send_signal(signal.SIGINT)
