"""Whether the user told the engine to replace a resource."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.replace_flag import replaces
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
    assert replaces(URN, ["pulumi", "up", *typed])


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
    assert not replaces(URN, ["pulumi", "up", *typed])
