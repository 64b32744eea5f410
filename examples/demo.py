"""`make demo`: repairs two nodes of a simulated cluster with `pulumi up`, by both forms of the provider.

Everything it makes lives in a temporary folder, and is gone when it ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pulumi_resource_togetherai import __version__

EXAMPLES = Path(__file__).parent
API_KEY = "demo-key"
SPEED = "6"  # ten simulated seconds take less than two: long enough to watch, short enough to wait for


def main() -> None:
    """Runs the demo. Ends with a non-zero code as soon as a command does."""
    if shutil.which("pulumi") is None:
        sys.exit("demo: there is no pulumi on PATH; run `make demo`, which sees to that")
    with tempfile.TemporaryDirectory(prefix="togetherai-demo-") as folder, simulator() as address:
        environment = os.environ | {
            "HOME": folder,
            "PULUMI_HOME": f"{folder}/pulumi",
            "PULUMI_BACKEND_URL": Path(folder).as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",  # else Pulumi warns of each plugin that it finds on PATH
            "TOGETHER_BASE_URL": address,
            "TOGETHER_API_KEY": API_KEY,
        }
        say("1. The dynamic form: a Python program with nothing installed but Python packages")
        play(EXAMPLES / "python-dynamic", "cluster-1-node-1", Path(folder), environment)
        say("2. The plugin: the same, for every language that Pulumi speaks")
        install_plugin(environment)
        play(EXAMPLES / "python", "cluster-1-node-2", Path(folder), environment)
    say("Done. The simulator is stopped, and nothing is left behind.")


@contextmanager
def simulator() -> Generator[str]:
    """The API's stand-in, on a port of its own; yields its address."""
    command = [sys.executable, "-m", "togetherai_simulator", "--port", "0", "--speed", SPEED]
    process = subprocess.Popen([*command, "--api-key", API_KEY], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            sys.exit("demo: the simulator did not start; what it said stands above")
        say(first.strip())
        yield first.split()[-1]
    finally:
        process.terminate()
        process.wait()


def play(example: Path, instance: str, folder: Path, environment: dict[str, str]) -> None:
    """Previews an example, runs it, shows what it returned, and destroys it again."""
    program = folder / example.name
    shutil.copytree(example, program)
    (program / "venv").symlink_to(sys.prefix)  # what `pulumi install` would make

    def pulumi(*arguments: str, shown: bool = True) -> None:
        if shown:
            print(f"\n$ pulumi {' '.join(arguments)}", flush=True)
        run_pulumi(*arguments, folder=program, environment=environment, shown=shown)

    pulumi("stack", "init", "demo", shown=False)
    pulumi("config", "set", "cluster", "cluster-1", shown=False)
    pulumi("config", "set", "instance", instance, shown=False)
    pulumi("config", "set", "togetherai:pollInterval", "500ms", shown=False)
    pulumi("preview")
    pulumi("up", "--yes", "--skip-preview")
    pulumi("stack", "output")
    pulumi("destroy", "--yes", "--skip-preview")
    pulumi("stack", "rm", "--yes", shown=False)


def install_plugin(environment: dict[str, str]) -> None:
    """Makes the plugin known to Pulumi under its version, as a user does once."""
    executable = shutil.which("pulumi-resource-togetherai")
    if executable is None:
        sys.exit("demo: pulumi-resource-togetherai is not on PATH; run `make demo`, which sees to that")
    arguments = ("plugin", "install", "resource", "togetherai", __version__, "--file", executable)
    run_pulumi(*arguments, folder=EXAMPLES, environment=environment, shown=False)


def run_pulumi(*arguments: str, folder: Path, environment: dict[str, str], shown: bool) -> None:
    """Runs a command in the user's view, or out of it."""
    output = None if shown else subprocess.PIPE
    done = subprocess.run(
        ["pulumi", *arguments], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        sys.exit(f"{(done.stdout or b'').decode()}demo: `pulumi {' '.join(arguments)}` ended with {done.returncode}")


def say(text: str) -> None:
    """A line of the demo's own."""
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    main()
