"""`make demo`: repairs nodes of a simulated cluster with `pulumi up`, in both forms, by a policy, and from the shell.

Everything it makes lives in a temporary folder, and is gone when it ends.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pulumi_resource_togetherai import __version__
from togetherai_simulator import pulumi_environment, running

EXAMPLES = Path(__file__).parent
SPEED = 6  # ten simulated seconds take less than two: long enough to watch, short enough to wait for


def main() -> None:
    """Runs the demo. Ends with a non-zero code as soon as a command does."""
    if shutil.which("pulumi") is None:
        sys.exit("demo: there is no pulumi on PATH; run `make demo`, which sees to that")
    with tempfile.TemporaryDirectory(prefix="togetherai-demo-") as folder, running(speed=SPEED) as simulator:
        say(f"Together AI simulator listening on {simulator.address}")
        environment = os.environ | pulumi_environment(Path(folder)) | simulator.environment
        environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"  # else Pulumi warns of each plugin that it finds on PATH
        say("1. The dynamic form: a Python program with nothing installed but Python packages")
        play(EXAMPLES / "python-dynamic", Path(folder), environment, instance="cluster-1-node-1")
        say("2. The plugin: the same, for every language that Pulumi speaks")
        install_plugin(environment)
        play(EXAMPLES / "python", Path(folder), environment, instance="cluster-1-node-2")
        say("3. By a policy, which finds the node that has lost a GPU by itself: see docs/cluster-repair.md")
        simulator.propose("cluster-1-node-4", fault="gpu_lost")
        play(EXAMPLES / "cluster-repair" / "yaml", Path(folder), environment)
        say("4. From the shell, without a program: see docs/shell.md")
        type_at_night(Path(folder), environment)
    say("Done. The simulator is stopped, and nothing is left behind.")


def play(example: Path, folder: Path, environment: dict[str, str], **config: str) -> None:
    """Previews an example, runs it, shows what it returned, and destroys it again. `config`: what it is given beside
    the cluster."""
    program = folder / example.name
    shutil.copytree(example, program)
    (program / "venv").symlink_to(sys.prefix)  # what `pulumi install` would make

    def pulumi(*arguments: str, shown: bool = True) -> None:
        if shown:
            print(f"\n$ pulumi {' '.join(arguments)}", flush=True)
        run_pulumi(*arguments, folder=program, environment=environment, shown=shown)

    pulumi("stack", "init", "demo", shown=False)
    for name, value in {"cluster": "cluster-1", "togetherai:pollInterval": "500ms", **config}.items():
        pulumi("config", "set", name, value, shown=False)
    pulumi("preview")
    pulumi("up", "--yes", "--skip-preview")
    pulumi("stack", "output")
    pulumi("destroy", "--yes", "--skip-preview")
    pulumi("stack", "rm", "--yes", shown=False)


def type_at_night(folder: Path, environment: dict[str, str]) -> None:
    """Rehearses a repair, runs it, types the same once more, and lists what ran on the node."""
    node = ("--node", "cluster-1-host-3")
    create = ("create", "--stateless", "--cluster-id", "cluster-1", *node, "--mode", "REBOOT_VM", "--reason", "Xid 79")
    for arguments in (
        (*create, "--dry-run"),
        (*create, "--yes"),
        (*create, "--yes"),
        ("list", "--cluster", "cluster-1", *node),
    ):
        command = ("do", "togetherai:Remediation", *arguments)
        print(f"\n$ pulumi {shlex.join(command)}", flush=True)
        run_pulumi(*command, "--togetherai:poll-interval=500ms", folder=folder, environment=environment, shown=True)


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
