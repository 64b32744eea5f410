"""What the command line of `pulumi` tells: whether the user told the engine to replace a resource, or to preview."""

from __future__ import annotations

from functools import cache

import psutil
import pytest

from pulumi_resource_togetherai import replace_flag
from pulumi_resource_togetherai.preview_flag import previews
from pulumi_resource_togetherai.replace_flag import replace_requested, replaces
from tests.unit.examples import URN


@pytest.mark.parametrize(
    "typed",
    [
        ["--replace", URN],
        [f"--replace={URN}"],
        ["--yes", "--target-replace", URN, "--stack=prod"],
        ["--replace", "other", "--replace", URN],
        ["--replace", "**node-7"],
        ["--replace", "urn:pulumi:prod::training::togetherai:index:Remediation::*"],
    ],
)
def test_it_was_told_to_replace_this_one(typed: list[str]):
    assert replaces(URN, ["pulumi", "up", *typed], {})


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["--replace", f"{URN}b"],
        ["--replace"],
        ["--target", URN],
        [URN],
        ["--replace", "*node-7"],
        ["--replaced", URN],
    ],
)
def test_it_was_not_told_to_replace_this_one(typed: list[str]):
    assert not replaces(URN, ["pulumi", "up", *typed], {})


@pytest.mark.parametrize("variable", ["PULUMI_OPTION_REPLACE", "PULUMI_OPTION_TARGET_REPLACE"])
@pytest.mark.parametrize(
    ("value", "told"), [(URN, True), (f"other,{URN}", True), ("**node-7", True), (f"{URN}b", False), ("", False)]
)
def test_pulumi_takes_the_flag_from_the_environment_too(variable: str, value: str, told: bool):
    assert replaces(URN, ["pulumi", "up"], {variable: value}) is told


def test_what_the_command_line_says_stands_in_place_of_what_the_environment_says():
    environment = {"PULUMI_OPTION_REPLACE": URN}
    assert not replaces(URN, ["pulumi", "up", "--replace", "other"], environment)
    assert replaces(URN, ["pulumi", "up", "--target-replace", "other"], environment)


class Process:
    """A process as psutil shows it."""

    def __init__(self, *arguments: str, hidden: bool = False) -> None:
        self._arguments = list(arguments)
        self._hidden = hidden

    def cmdline(self) -> list[str]:
        """Its command line, if it may be seen."""
        if self._hidden:
            raise psutil.AccessDenied
        return self._arguments


def started_by(parents: list[Process], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has this process be started by others than it was. Returns a list that grows with each look at them."""
    looks = list[str]()

    def told(_: psutil.Process) -> list[Process]:
        looks.append("at the parents")
        return parents

    monkeypatch.setattr(psutil.Process, "parents", told)
    monkeypatch.setattr(replace_flag, "command_line", cache(replace_flag.command_line.__wrapped__))
    return looks


@pytest.mark.parametrize(
    "parents",
    [
        pytest.param([], id="in a container of its own"),
        pytest.param([Process("/usr/bin/my-engine", "up", "--replace", URN)], id="pulumi under another name"),
        pytest.param([Process("pulumi", "up", "--replace", URN, hidden=True)], id="hidden by the system"),
        pytest.param([Process("pulumi", "up", "--yes")], id="tainted: no command line shows it"),
    ],
)
def test_where_the_command_line_says_nothing_nothing_was_said(monkeypatch: pytest.MonkeyPatch, parents: list[Process]):
    started_by(parents, monkeypatch)
    assert not replace_requested(URN)


def test_the_command_that_started_the_plugin_is_found_among_its_parents(monkeypatch: pytest.MonkeyPatch):
    parents = [Process("sh", "-c", "launcher"), Process("C:\\bin\\pulumi.exe", "up", "--replace", URN), Process("init")]
    started_by(parents, monkeypatch)
    assert replace_requested(URN)


def test_the_command_line_is_read_once_however_many_resources_are_created(monkeypatch: pytest.MonkeyPatch):
    looks = started_by([Process("pulumi", "up", "--replace", URN)], monkeypatch)
    assert [replace_requested(urn) for urn in (URN, f"{URN}b", URN)] == [True, False, True]
    assert len(looks) == 1


@pytest.mark.parametrize(
    "typed",
    [
        ["preview", "--refresh"],
        ["--non-interactive", "--color=never", "-C", "repairs", "pre", "--refresh", "--stack", "up"],
        ["refresh", "--preview-only"],
        ["destroy", "--refresh", "--preview-only=true"],
    ],
)
def test_the_command_only_previews(typed: list[str]):
    assert previews(["pulumi", *typed])


@pytest.mark.parametrize("typed", [[], ["refresh", "--yes", "--stack", "preview"], ["up", "--refresh"], ["import"]])
def test_the_command_does_more_than_preview(typed: list[str]):
    assert not previews(["pulumi", *typed])


def test_a_command_line_that_cannot_be_seen_is_no_preview():
    assert not previews(())
