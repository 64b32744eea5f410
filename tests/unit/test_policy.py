"""The rules of the policy pack in examples/policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import rules

PLUGIN, DYNAMIC = rules.REMEDIATIONS
HOURS: dict[str, Any] = {
    "days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
    "from": "08:00",
    "to": "18:00",
    "timeZone": "Europe/Berlin",
    "anytime": False,
}


@pytest.mark.parametrize("kind", [PLUGIN, DYNAMIC, f"togetherai:index:RollingRemediation${PLUGIN}"])
def test_a_reason_is_required_of_every_form(kind: str):
    for reason in (None, "", "  "):
        assert "needs a `reason`" in str(rules.reason_missing(kind, {"reason": reason}))
    assert rules.reason_missing(kind, {"reason": "INC-1"}) is None


def test_no_reason_is_asked_of_anything_else():
    assert rules.reason_missing("aws:s3:Bucket", {}) is None


def test_a_limit_is_required_of_the_repair_of_a_cluster():
    repair = "togetherai:index:ClusterRepair"
    for kind in (repair, f"my:index:Fleet${repair}"):
        assert "needs `maxUnhealthy`" in str(rules.limit_missing(kind, {}))
        assert rules.limit_missing(kind, {"maxUnhealthy": "20%"}) is None
    assert rules.limit_missing(PLUGIN, {}) is None


@pytest.mark.parametrize(
    ("kind", "properties", "mode"),
    [
        (PLUGIN, {"mode": "VM_ONLY"}, "VM_ONLY"),
        (DYNAMIC, {"mode": "REMEDIATION_MODE_VM_ONLY"}, "VM_ONLY"),
        (rules.REVIEWS[0], {"decision": "APPROVE", "mode": "VM_ONLY", "expectedMode": "REBOOT_VM"}, "VM_ONLY"),
        (rules.REVIEWS[1], {"decision": "APPROVE", "expectedMode": "REBOOT_VM"}, "REBOOT_VM"),
        (rules.REVIEWS[0], {"decision": "REJECT", "expectedMode": "REBOOT_VM"}, None),
        (PLUGIN, {}, None),
        ("aws:s3:Bucket", {"mode": "VM_ONLY"}, None),
    ],
)
def test_the_mode_is_that_which_would_run(kind: str, properties: dict[str, Any], mode: str | None):
    assert rules.mode_of(kind, properties) == mode


def test_a_stack_allows_its_own_modes_or_else_those_of_all():
    allowed = {"prod": ["REBOOT_VM"], "*": ["REBOOT_VM", "VM_ONLY"]}
    assert rules.mode_not_allowed("REBOOT_VM", "prod", allowed) is None
    assert rules.mode_not_allowed("VM_ONLY", "dev", allowed) is None
    assert rules.mode_not_allowed("VM_ONLY", "prod", allowed) == (
        "VM_ONLY is not allowed in stack prod; allowed: REBOOT_VM"
    )
    assert rules.mode_not_allowed("VM_ONLY", "prod", {}) is None
    assert rules.mode_not_allowed(None, "prod", allowed) is None


def test_no_more_start_at_once_than_that():
    assert rules.too_many(["a", "b"], 2) is None
    assert rules.too_many(["b", "a", "c"], 2) == "3 remediations would start in one update, and at most 2 may: a, b, c"


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-11-23T07:00:00+00:00", True),  # Monday, 8 in Berlin
        ("2026-11-23T06:59:00+00:00", False),
        ("2026-11-23T17:00:00+00:00", False),  # 18 in Berlin
        ("2026-11-22T12:00:00+00:00", False),  # Sunday
    ],
)
def test_a_power_cycle_keeps_to_working_hours_where_the_team_is(now: str, allowed: bool):
    moment = datetime.fromisoformat(now)
    said = rules.power_cycle_out_of_hours("HOST_POWER_CYCLE", moment, HOURS)
    assert (said is None) is allowed
    assert rules.power_cycle_out_of_hours("HOST_POWER_CYCLE", moment, HOURS | {"anytime": True}) is None
    assert rules.power_cycle_out_of_hours("REBOOT_VM", moment, HOURS) is None
