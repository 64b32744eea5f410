"""What a system may lack is used in one place, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pulumi_resource_togetherai

PACKAGE = Path(pulumi_resource_togetherai.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
KNOWS_SIGNALS = {"plugin/ending.py", "simulator/command.py"}
"""The simulator knows the two signals that every system has."""
KNOWS_TERMINALS = {"live_rows.py"}
"""Where a system does not show what a process writes to, it counts as a log."""
POSIX = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "readline", "syslog", "posix"}
CALLS = {"kill", "killpg", "fork", "getuid", "geteuid", "getppid", "setsid", "chmod", "mkfifo", "symlink", "uname"}
"""Functions of `os` that Windows lacks, or that do something else there."""


def uses(path: Path) -> Iterator[str]:
    """What a module uses of all this."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (f"import {item.name}" for item in names if item.name in {*POSIX, "signal"})
            case ast.ImportFrom(module=str(module)) if module in {*POSIX, "signal"}:
                yield f"import {module}"
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in CALLS:
                yield f"os.{name}"
            case ast.Attribute(attr="add_signal_handler" | "add_reader" as name):
                yield name
            case ast.Constant(value=str(text)) if text.startswith(("/tmp", "/proc", "/dev", "/etc", "/var")):
                yield text
            case _:
                pass


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_uses_nothing_that_a_system_may_lack(path: Path):
    module, allowed = path.relative_to(PACKAGE).as_posix(), set[str]()
    if module in KNOWS_SIGNALS:
        allowed = {"import signal", "add_signal_handler"}
    if module in KNOWS_TERMINALS:
        allowed = {"/dev/pts/", "/dev/tty", "/proc/"}
    assert set(uses(path)) <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_is_read_and_written_in_an_encoding_of_its_own(path: Path):
    """Without one it is read in the system's, and on Windows that is not UTF-8."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of_a_file = name in ("read_text", "write_text") or (name == "open" and isinstance(node.func, ast.Name))
            assert not of_a_file or any(keyword.arg == "encoding" for keyword in node.keywords), node.lineno
