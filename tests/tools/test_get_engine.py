"""A Pulumi engine is found, installed or built, in this order, and nobody waits for more than they need."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import get_engine
from get_engine import ENGINE
from shell import Problem


class Machine:
    """A machine with an empty PATH, no network, and nothing in .tools, that a test adds commands to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "path"
        self.path.mkdir()
        self.bin = folder / ".tools" / "bin"
        self.network = folder / "network"

    def add(self, name: str, *lines: str, folder: Path | None = None) -> Path:
        file = (folder or self.path) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)
        return file

    def add_pulumi(self, version: str, *, folder: Path | None = None, without: str = "") -> None:
        for name in ENGINE:
            if name != without:
                self.add(name, f"echo v{version}", folder=folder)

    def add_go(self, *, fails: bool = False) -> None:
        """A go that builds by touching a file, notes what it built, and has an SDK with the two launchers."""
        sdk = self.path.parent / "sdk"
        for launcher in get_engine.PYTHON_LAUNCHERS:
            self.add(Path(launcher).name, folder=(sdk / launcher).parent)
        build = "echo no such module >&2; exit 1" if fails else f'echo "$@" >> {self.built_file}'
        self.add(
            "go",
            f'if [ "$1" = list ]; then echo {sdk}; exit; fi',
            build,
            'while [ "$1" != -o ]; do shift; done; out="$2"; shift 2',
            'for package; do : > "$out${package##*/}"; done',
        )

    def add_installer(self, *lines: str) -> None:
        """An installer that is asked `--version V --install-root FOLDER --no-edit-path`, as the official one."""
        self.network.write_text("\n".join(["#!/bin/sh", *lines, ""]))

    @property
    def built_file(self) -> Path:
        return self.path.parent / "built"

    @property
    def built(self) -> str:
        return self.built_file.read_text() if self.built_file.exists() else ""

    def get_engine(self) -> None:
        get_engine.get_engine(self.bin)
        assert sorted(file.name for file in self.bin.iterdir()) == sorted(ENGINE)
        assert not (self.bin.parent / "new").exists()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{machine.path}")
    monkeypatch.setattr(get_engine, "BIN", machine.bin)
    monkeypatch.setattr(get_engine, "INSTALLER", machine.network.as_uri())
    monkeypatch.setattr(get_engine, "wanted_version", lambda: "3.254.0")
    return machine


def test_the_pins_agree() -> None:
    """The README names the engine that is built, no Python package is newer, and an older engine is tried."""
    wanted, oldest = get_engine.wanted_version(), get_engine.oldest_version()
    root = get_engine.TOOLS.parent
    (package,) = re.findall(r"^pulumi==(\S+)$", (root / "constraints.txt").read_text(), re.MULTILINE)
    assert get_engine.numbers(package) <= get_engine.numbers(wanted)
    assert f"Go unless Pulumi {wanted} or newer is on your PATH" in (root / "README.md").read_text()
    assert get_engine.numbers(oldest) < get_engine.numbers(wanted)


@pytest.mark.parametrize("version", ["3.254.0", "3.254.1-alpha.5", "3.1000.0", "4.0.0"])
def test_a_recent_pulumi_on_path_is_linked_to_and_nothing_is_built(machine: Machine, version: str) -> None:
    machine.add_pulumi(version)
    machine.add_go()
    machine.get_engine()
    assert (machine.bin / "pulumi").readlink() == machine.path / "pulumi"
    assert not machine.built


def test_language_hosts_are_found_beside_the_file_that_a_lone_link_points_to(machine: Machine) -> None:
    elsewhere = machine.path.parent / "elsewhere"
    machine.add_pulumi("3.254.0", folder=elsewhere)
    (machine.path / "pulumi").symlink_to(elsewhere / "pulumi")
    machine.get_engine()
    assert (machine.bin / "pulumi-language-yaml").readlink() == elsewhere / "pulumi-language-yaml"


@pytest.mark.parametrize("version", ["3.253.9", "2.999.0", "nonsense"])
def test_an_old_pulumi_on_path_is_passed_over(
    machine: Machine, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.add_pulumi(version)
    machine.add_go()
    machine.get_engine()
    assert "pulumi/pkg/v3/cmd/pulumi" in machine.built
    assert f"the pulumi on PATH is {version}, and 3.254.0 or newer is needed" in capsys.readouterr().out


def test_a_pulumi_that_does_not_start_is_passed_over(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.add("pulumi", "exit 1")
    machine.add_go()
    machine.get_engine()
    assert "the pulumi on PATH is broken" in capsys.readouterr().out


def test_a_pulumi_without_its_python_host_is_passed_over(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.add_pulumi("3.254.0", without="pulumi-language-python")
    machine.add_go()
    machine.get_engine()
    assert "the pulumi on PATH comes without pulumi-language-python" in capsys.readouterr().out


def test_our_own_engine_on_path_is_not_taken_for_an_installed_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.add_pulumi("3.254.0", folder=machine.bin)
    monkeypatch.setenv("PATH", f"{machine.bin}{os.pathsep}{machine.path}")
    machine.add_go()
    machine.get_engine()
    assert not (machine.bin / "pulumi").is_symlink()


def test_the_official_installer_is_asked_for_the_wanted_version(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{machine.path}{os.pathsep}{os.defpath}")
    machine.add_installer(
        '[ "$*" = "--version 3.254.0 --install-root $4 --no-edit-path" ] || exit 1',
        f'cd "$4/bin" && touch {" ".join(ENGINE)}',
    )
    machine.get_engine()


@pytest.mark.parametrize("installer", ["exit 1", "exit 0"])
def test_an_installer_that_fails_or_leaves_something_out_falls_through_to_the_build(
    machine: Machine, installer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.add_installer(installer)
    machine.add_go()
    monkeypatch.setenv("PATH", f"{machine.path}{os.pathsep}{os.defpath}")
    machine.get_engine()
    assert "the official installer failed" in capsys.readouterr().out
    assert machine.built


def test_a_page_that_is_no_installer_is_not_run(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.network.write_text("<html>Please sign in</html>")
    machine.add_go()
    machine.get_engine()
    assert "the official installer cannot be reached" in capsys.readouterr().out


def test_a_build_says_how_long_it_takes_and_makes_the_launchers_executable(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.add_go()
    machine.get_engine()
    assert "about 6 minutes" in capsys.readouterr().out
    assert all(os.access(machine.bin / Path(launcher).name, os.X_OK) for launcher in get_engine.PYTHON_LAUNCHERS)


def test_without_any_way_the_problem_says_what_to_install(machine: Machine) -> None:
    with pytest.raises(
        Problem, match=r"install Pulumi 3\.254\.0 or newer, or Go 1\.\d+ or newer .* `make setup` again"
    ):
        machine.get_engine()


def test_a_failed_build_says_what_go_said_and_keeps_the_engine(machine: Machine) -> None:
    machine.add_pulumi("3.200.0", folder=machine.bin)
    machine.add_go(fails=True)
    with pytest.raises(Problem, match="no such module"):
        machine.get_engine()
    assert (machine.bin / "pulumi").exists()


def test_the_oldest_engine_is_got_whatever_is_on_path(machine: Machine) -> None:
    machine.add_pulumi("3.254.0")
    machine.add_go()
    get_engine.get_oldest_engine(machine.bin)
    assert "-modfile=oldest.mod" in machine.built
    assert f"version.Version={get_engine.oldest_version()}" in machine.built
    assert not (machine.bin / "pulumi").is_symlink()
