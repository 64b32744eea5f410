"""Sides: the plugin, and the dynamic form, on the Pulumi engine.

The engine's event log shows when a remediation has returned: at the time when its line comes. The log's own times are
in whole seconds, so the benchmark records the time at which it reads each line.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import psutil

from waiting.meter import Meter
from waiting.outcome import ENGINE, SIDE, Outcome
from waiting.platform import Platform
from waiting.project import VENV, Project
from waiting.workload import MODE, Workload

Form = Literal["plugin", "dynamic"]

DYNAMIC_PROGRAM = """\
import json
import subprocess
from pathlib import Path

from pulumi_resource_togetherai.dynamic import Remediation

for cluster, instance in json.loads(Path("targets.json").read_text()):
    Remediation(instance, cluster_id=cluster, instance_id=instance, mode="{mode}")
"""
PAUSE = 0.01
"""Real seconds between two looks at the event log."""


def run_plugin(workload: Workload, api: Platform, meter: Meter) -> Outcome:
    """Does the work through the plugin."""
    return _run("plugin", workload, api, meter)


def run_dynamic(workload: Workload, api: Platform, meter: Meter) -> Outcome:
    """Does the work through the dynamic form."""
    return _run("dynamic", workload, api, meter)


def yaml_program(workload: Workload, package: str, folder: Path) -> dict[str, Any]:
    """A YAML program that declares the remediations, for a package whose plugin is in a folder."""
    return {
        "runtime": "yaml",
        "plugins": {"providers": [{"name": package, "path": str(folder)}]},
        "resources": {
            instance: {
                "type": f"{package}:Remediation",
                "properties": {"clusterId": cluster, "instanceId": instance, "mode": MODE},
            }
            for cluster, instance in workload.targets
        },
    }


def settings_and_environment(workload: Workload, api: Platform) -> tuple[dict[str, str], dict[str, str]]:
    """The settings and the environment with which a project uses the simulator."""
    settings = {f"togetherai:{name}": value for name, value in workload.provider_settings.items()}
    return settings, api.simulator.environment


@contextmanager
def project(form: Form, workload: Workload, api: Platform) -> Generator[tuple[Project, Path]]:
    """A project that declares the workload, and its folder."""
    settings, environment = settings_and_environment(workload, api)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        folder.mkdir()
        description: Mapping[str, Any] = {"runtime": "python"}
        if form == "plugin":
            description = yaml_program(workload, "togetherai", VENV)
        else:
            (folder / "targets.json").write_text(json.dumps(workload.targets))
            (folder / "__main__.py").write_text(DYNAMIC_PROGRAM.format(mode=MODE))
        yield Project(folder, description, settings=settings, environment=environment), folder


def _run(form: Form, workload: Workload, api: Platform, meter: Meter) -> Outcome:
    with project(form, workload, api) as (stack, folder):
        log = folder / "events.json"
        outcome = Outcome(time.time())
        flags = ("--yes", "--skip-preview", "--suppress-progress", f"--parallel={workload.count}", f"--event-log={log}")
        with stack.start("up", *flags) as pulumi:
            meter.watch(ENGINE, pulumi.pid)
            done = threading.Event()
            reader = threading.Thread(target=_read_events, args=(log, outcome, done))
            finder = threading.Thread(target=_find_processes, args=(pulumi.pid, meter, done))
            reader.start()
            finder.start()
            try:
                output = pulumi.communicate(timeout=workload.patience)[0]
            except subprocess.TimeoutExpired:
                outcome.given_up = time.time()
                _kill(pulumi.pid)
                output = pulumi.communicate()[0]
            done.set()
            reader.join()
            finder.join()
        if pulumi.returncode:
            outcome.failures.append(output[-1000:])
        return outcome


def _kill(pulumi: int) -> None:
    """Ends the engine and every process that it started."""
    engine = psutil.Process(pulumi)
    for process in [*engine.children(recursive=True), engine]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _read_events(log: Path, outcome: Outcome, done: threading.Event) -> None:
    """Records when the engine reports that a remediation was created."""
    while not log.exists() and not done.is_set():
        time.sleep(PAUSE)
    rest = ""
    with log.open() as file:
        while True:
            ended = done.is_set()
            lines = (rest + file.read()).split("\n")
            now = time.time()
            rest = lines.pop()
            for line in lines:
                if '"resOutputsEvent"' in line:
                    made = json.loads(line)["resOutputsEvent"]["metadata"]
                    if made["type"].endswith(":Remediation"):
                        outcome.returned[made["urn"].rpartition("::")[2]] = now
            if ended:
                return
            time.sleep(PAUSE)


def _find_processes(pulumi: int, meter: Meter, done: threading.Event) -> None:
    """Adds the engine's child processes to the meter as they appear: the provider and the language hosts."""
    seen = set[int]()
    parent = psutil.Process(pulumi)
    while not done.wait(10 * PAUSE):
        try:
            for child in parent.children(recursive=True):
                command = " ".join(child.cmdline())
                if child.pid in seen or not command:
                    continue
                # The provider of the dynamic form starts as a shell script, which stays the parent of Python.
                ours = "pulumi-resource-togetherai" in command or "pulumi.dynamic" in command
                seen.add(child.pid)
                meter.watch(SIDE if ours else ENGINE, child.pid)
        except psutil.Error:
            continue
