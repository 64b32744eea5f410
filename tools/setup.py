"""Makes what you need to work on a clone: .venv, and a Pulumi engine and the SDK generator in .tools/bin.

`make setup` runs it. It needs only Python's standard library, because it runs before there is a virtual environment.
It does each step once, and again if one of the files that the step depends on has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from get_engine import (
    BIN,
    ENGINE,
    ENGINE_MODULE,
    OLDEST_BIN,
    PYTHON_HOST_MODULE,
    build_sdk_generator,
    get_engine,
    get_oldest_engine,
)
from shell import Problem, run, say

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


@dataclass(frozen=True)
class Step:
    what: str
    how_long: str
    make: Callable[[], None]
    sources: tuple[Path, ...]
    """The files whose content decides the result."""
    results: tuple[Path, ...]
    stamp: Path
    """Holds the hash of the sources that the results were made from."""

    def is_done(self) -> bool:
        made = all(result.exists() for result in self.results)
        return made and self.stamp.exists() and self.stamp.read_text() == self.digest()

    def do(self) -> None:
        say(f"{self.what} ({self.how_long})")
        started = time.monotonic()
        self.make()
        self.stamp.write_text(self.digest())
        say(f"  done in {time.monotonic() - started:.0f} s")

    def digest(self) -> str:
        return hashlib.sha256(b"".join(source.read_bytes() for source in self.sources)).hexdigest()


def make_environment() -> None:
    if not PYTHON.exists():
        refuse_old_python(sys.version_info[:3])
        run([sys.executable, "-m", "venv", "--clear", VENV], ROOT)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    run([*pip, "--constraint", "constraints.txt", "--editable", ".[dev]", "--editable", "sdk/python"], ROOT)


def refuse_old_python(version: tuple[int, int, int]) -> None:
    if version < OLDEST_PYTHON:
        found = ".".join(map(str, version))
        raise Problem(f"Python 3.11 or newer is needed, this is {found}; name one: make setup PYTHON=python3.11")


def go_sources(module: Path, name: str = "go") -> tuple[Path, ...]:
    return (module / f"{name}.mod", module / f"{name}.sum")


def engine_step(what: str, how_long: str, get: Callable[[Path], None], folder: Path, pins: str = "go") -> Step:
    return Step(
        what=what,
        how_long=how_long,
        make=lambda: get(folder),
        sources=(*go_sources(ENGINE_MODULE, pins), *go_sources(PYTHON_HOST_MODULE), ROOT / "tools" / "get_engine.py"),
        results=tuple(folder / name for name in ENGINE),
        stamp=folder / "engine-made-from",
    )


ENVIRONMENT = Step(
    what="Python packages into .venv",
    how_long="about a minute",
    make=make_environment,
    sources=(ROOT / "pyproject.toml", ROOT / "constraints.txt", ROOT / "sdk" / "python" / "pyproject.toml"),
    results=(PYTHON,),
    stamp=VENV / "made-from",
)
PULUMI = engine_step(
    what="a Pulumi engine into .tools/bin",
    how_long="at once with a recent Pulumi on PATH, else a minute to download or 6 to build",
    get=get_engine,
    folder=BIN,
)
OLDEST_PULUMI = engine_step(
    what="the oldest Pulumi engine that is supported, into .tools/oldest/bin",
    how_long="a minute to download or 6 to build",
    get=get_oldest_engine,
    folder=OLDEST_BIN,
    pins="oldest",
)
SDK_GENERATOR = Step(
    what="the SDK generator into .tools/bin",
    how_long="about 2 minutes, seconds when Go's cache has it",
    make=lambda: build_sdk_generator(BIN),
    sources=(*go_sources(ENGINE_MODULE, "oldest"), ENGINE_MODULE / "gensdk" / "main.go"),
    results=(BIN / "gensdk",),
    stamp=BIN / "gensdk-made-from",
)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Make .venv and .tools/bin.")
    parser.add_argument("--for-use", action="store_true", help="leave out what you need only to change the project")
    parser.add_argument("--oldest", action="store_true", help="make the oldest Pulumi engine that is supported, too")
    chosen = parser.parse_args(arguments)
    steps = [ENVIRONMENT, PULUMI]
    if not chosen.for_use and shutil.which("go"):  # without Go, `make sdk` names what is missing
        steps.append(SDK_GENERATOR)
    if chosen.oldest:
        steps.append(OLDEST_PULUMI)
    try:
        for step in steps:
            if not step.is_done():
                step.do()
    except Problem as problem:
        sys.exit(f"setup: {problem}")
    except KeyboardInterrupt:
        sys.exit("setup: stopped; run it again to go on")


if __name__ == "__main__":
    main(sys.argv[1:])
