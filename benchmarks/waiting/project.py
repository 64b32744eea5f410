"""A Pulumi project in a temporary folder, with a private Pulumi home and state, and its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from togetherai_simulator import pulumi_environment

ENGINE = Path(__file__).parents[2] / ".tools" / "bin"
VENV = Path(sys.executable).parent


class Project:
    """A project whose stack `prod` keeps its state in the folder."""

    def __init__(
        self,
        folder: Path,
        description: Mapping[str, Any],
        *,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`description` is the content of Pulumi.yaml, `settings` of the stack's configuration."""
        self._folder = folder
        # A separate environment, so that the machine's Pulumi and Together settings have no effect.
        self._environment = {
            "PATH": os.pathsep.join([str(VENV), str(ENGINE), "/usr/bin", "/bin"]),
            **pulumi_environment(folder),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # without it there is no --event-log
            # The engine's sides measure the same code as the others, which need not be what is installed.
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            **(environment or {}),
        }
        (folder / "Pulumi.yaml").write_text(json.dumps({"name": "training", **description}))  # JSON is YAML
        self.run("stack", "init")
        with (folder / "Pulumi.prod.yaml").open("a") as file:
            file.write(json.dumps({"config": settings or {}})[1:-1].replace('"config"', "config", 1) + "\n")

    def run(self, *arguments: str) -> str:
        """Runs a command to its end; returns what it printed. Raises RuntimeError if it fails."""
        with self.start(*arguments) as process:
            output = process.communicate()[0]
        if process.returncode:
            raise RuntimeError(f"pulumi {' '.join(arguments)} ended with {process.returncode}:\n{output[-2000:]}")
        return output

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command."""
        return subprocess.Popen(
            [str(ENGINE / "pulumi"), "--non-interactive", "--color=never", *arguments, "--stack=prod"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
