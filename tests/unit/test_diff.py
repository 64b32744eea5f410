"""Which changes run a new remediation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.operation.results import Diff
from pulumi_resource_togetherai.remediation.rules.diff import diff
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.unknown import UNKNOWN
from tests.unit.examples import declared, record

OLD: dict[str, Any] = {"clusterId": "c1", "instanceId": "i7", "mode": "REMEDIATION_MODE_REBOOT_VM", "reason": "INC-1"}


def compared(change: dict[str, Any], state: str = "SUCCEEDED", *, withdrawn: bool = False) -> Diff:
    ended = None if state == "RUNNING" else timedelta()
    recorded = State(declared(), record(state, ended=ended), 1, withdrawn=withdrawn)
    return diff(OLD, recorded, {name: value for name, value in (OLD | change).items() if value is not None})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, Diff()),
        ({"mode": "REMEDIATION_MODE_VM_ONLY"}, Diff(["mode"])),
        ({"triggers": {"run": "2"}}, Diff(["triggers"])),
        ({"triggers": {}}, Diff()),
        ({"instanceId": UNKNOWN, "clusterId": "c2"}, Diff(["clusterId", "instanceId"])),
        ({"idempotencyKey": "mine", "timeout": "5m"}, Diff(["idempotencyKey"], settings=["timeout"])),
        ({"reason": None, "wait": False}, Diff(settings=["reason", "wait"])),
        ({"retryFailed": True}, Diff(settings=["retryFailed"])),
    ],
)
def test_only_what_makes_another_key_replaces_and_the_rest_is_recorded(change: dict[str, Any], found: Diff):
    assert compared(change) == found


@pytest.mark.parametrize(
    ("state", "change", "found"),
    [
        ("FAILED", {}, Diff(unfinished=True)),
        ("CANCELLED", {}, Diff(unfinished=True)),
        ("RUNNING", {}, Diff()),
        ("FAILED", {"acceptFailure": True}, Diff(settings=["acceptFailure"])),
        ("FAILED", {"retryFailed": True}, Diff(["state"], settings=["retryFailed"])),
        ("FAILED", {"retryFailed": UNKNOWN}, Diff(unfinished=True, settings=["retryFailed"])),
        ("CANCELLED", {"retryFailed": True}, Diff(unfinished=True, settings=["retryFailed"])),
        ("RUNNING", {"retryFailed": True}, Diff(settings=["retryFailed"])),
        ("FAILED", {"mode": "REMEDIATION_MODE_VM_ONLY"}, Diff(["mode"])),
    ],
)
def test_a_bad_end_is_reported_again_unless_it_runs_again_or_is_accepted(
    state: str, change: dict[str, Any], found: Diff
):
    assert compared(change, state) == found


def test_what_was_withdrawn_runs_again():
    assert compared({}, "CANCELLED", withdrawn=True) == Diff(["withdrawn"])
    failed = compared({"retryFailed": True}, "FAILED", withdrawn=True)
    assert failed == Diff(["state"], settings=["retryFailed"])
