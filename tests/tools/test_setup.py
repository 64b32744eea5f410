"""Each step of the set-up is done once, and again when what it depends on changes."""

from __future__ import annotations

from pathlib import Path

import pytest

import setup
from shell import Problem


class Chores:
    """A step that copies its source to its result, and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.result = folder / "result"
        self.source.write_text("1")
        self.done = 0
        self.step = setup.Step("a step", "at once", self.make, (self.source,), (self.result,), folder / "stamp")

    def make(self) -> None:
        self.result.write_text(self.source.read_text())
        self.done += 1

    def set_up(self) -> int:
        if not self.step.is_done():
            self.step.do()
        return self.done


@pytest.fixture
def chores(tmp_path: Path) -> Chores:
    return Chores(tmp_path)


def test_a_step_that_is_done_is_not_done_again(chores: Chores) -> None:
    assert (chores.set_up(), chores.set_up()) == (1, 1)


def test_a_step_is_done_again_when_a_source_changes(chores: Chores) -> None:
    chores.set_up()
    chores.source.write_text("2")
    assert chores.set_up() == 2


def test_a_step_is_done_again_when_its_result_is_gone(chores: Chores) -> None:
    chores.set_up()
    chores.result.unlink()
    assert chores.set_up() == 2


def test_a_step_is_done_again_when_its_result_links_to_something_that_was_uninstalled(chores: Chores) -> None:
    chores.set_up()
    chores.result.unlink()
    chores.result.symlink_to("uninstalled")
    assert not chores.step.is_done()


def test_a_step_that_failed_is_not_taken_for_done(tmp_path: Path) -> None:
    def fail() -> None:
        raise Problem("no network")

    step = setup.Step("a step", "at once", fail, (), (), tmp_path / "stamp")
    with pytest.raises(Problem):
        step.do()
    assert not step.is_done()


def test_an_old_python_is_refused_with_the_way_on() -> None:
    with pytest.raises(Problem, match=r"3\.11 or newer is needed, this is 3\.9\.2; .*make setup PYTHON=python3\.11"):
        setup.refuse_old_python((3, 9, 2))


@pytest.fixture
def steps_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that set-up does on a machine with nothing on PATH but what the test adds to the folder `path`."""
    done: list[str] = []
    for name in ("ENVIRONMENT", "PULUMI", "OLDEST_PULUMI", "SDK_GENERATOR"):
        stamp = tmp_path / name
        monkeypatch.setattr(setup, name, setup.Step(name, "", lambda name=name: done.append(name), (), (), stamp))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}")
    return done


def add_go(tmp_path: Path) -> None:
    go = tmp_path / "path" / "go"
    go.parent.mkdir()
    go.touch(mode=0o755)


def test_a_developer_gets_the_sdk_generator_too(tmp_path: Path, steps_done: list[str]) -> None:
    add_go(tmp_path)
    setup.main([])
    assert steps_done == ["ENVIRONMENT", "PULUMI", "SDK_GENERATOR"]


def test_the_demo_does_not_wait_for_the_sdk_generator(tmp_path: Path, steps_done: list[str]) -> None:
    add_go(tmp_path)
    setup.main(["--for-use"])
    assert steps_done == ["ENVIRONMENT", "PULUMI"]


def test_a_machine_without_go_is_set_up_all_the_same(steps_done: list[str]) -> None:
    setup.main([])
    assert steps_done == ["ENVIRONMENT", "PULUMI"]


def test_a_problem_ends_the_set_up_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Problem("no network")

    monkeypatch.setattr(setup, "ENVIRONMENT", setup.Step("a step", "", fail, (), (), tmp_path / "stamp"))
    with pytest.raises(SystemExit, match="setup: no network"):
        setup.main([])
