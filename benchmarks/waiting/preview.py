"""How long `pulumi preview` of many unchanged remediations takes, compared with as many resources of a plugin that does
nothing, declared by the same program."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from waiting.do_nothing import PACKAGE
from waiting.engine import settings_and_environment, yaml_program
from waiting.platform import BENCHMARKS, platform
from waiting.project import VENV, Project
from waiting.workload import Workload

CHECKPOINT_LESS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""Makes the engine save the stack only at the end, because the creation of the resources is not measured: with 1000 it
would write some 10 GB."""
QUICK = 1000.0
"""The clock's speed while the resources are created, which is not measured."""


@dataclass(frozen=True)
class PreviewFigures:
    """Real seconds, medians of the runs."""

    count: int
    runs: int
    preview: float
    do_nothing: float
    ratio: float
    """The median of the ratios of the pairs."""


def preview_figures(count: int, runs: int = 5) -> PreviewFigures:
    """Creates both stacks, then previews them in turn, so that other load on the machine affects both alike."""
    workload = Workload(count, clusters=1, speed=QUICK)
    with tempfile.TemporaryDirectory() as temporary, platform(workload) as api:
        settings, environment = settings_and_environment(workload, api)
        environment |= CHECKPOINT_LESS
        folder = Path(temporary)
        own = Project(
            folder / "own", yaml_program(workload, "togetherai", VENV), settings=settings, environment=environment
        )
        bare = Project(
            folder / "bare", yaml_program(workload, PACKAGE, _plugin(folder / "plugin")), environment=CHECKPOINT_LESS
        )
        for project in (own, bare):
            project.run("up", "--yes", "--skip-preview", "--suppress-progress", f"--parallel={count}")
            _preview(project, count)
        pairs = [(_preview(own, count), _preview(bare, count)) for _ in range(runs)]
    return PreviewFigures(
        count=count,
        runs=runs,
        preview=statistics.median(own for own, _ in pairs),
        do_nothing=statistics.median(bare for _, bare in pairs),
        ratio=statistics.median(own / bare for own, bare in pairs),
    )


def _plugin(folder: Path) -> Path:
    """A folder with the plugin's executable."""
    folder.mkdir()
    executable = folder / f"pulumi-resource-{PACKAGE}"
    executable.write_text(f'#!/bin/sh\nPYTHONPATH="{BENCHMARKS}" exec "{sys.executable}" -m waiting.do_nothing "$@"\n')
    executable.chmod(0o755)
    return folder


def _preview(project: Project, count: int) -> float:
    """Real seconds that a preview takes. Raises RuntimeError if it finds a change."""
    started = time.perf_counter()
    output = project.run("preview", "--suppress-progress", "--suppress-outputs", f"--parallel={count}")
    elapsed = time.perf_counter() - started
    if f"{count + 1} unchanged" not in output:
        raise RuntimeError(f"the preview finds something to do:\n{output[-2000:]}")
    return elapsed
