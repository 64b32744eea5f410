"""What a program may declare as the policy of a cluster's repair, and what is said of each mistake."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pulumi_resource_togetherai.repair.rules import Action, Policy

REPAIRS: dict[str, Any] = {"name": "down", "when": {"statuses": ["NotReady"]}, "modes": ["REBOOT_VM"]}


def policy(*rules: dict[str, Any], **changes: Any) -> Policy:
    return Policy.model_validate({"rules": list(rules) or [REPAIRS]} | changes)


def test_the_limits_are_careful_by_default():
    declared = policy()

    assert (declared.max_concurrent, declared.max_attempts, declared.cooldown) == (1, 3, "30m")
    assert (declared.rules[0].within, declared.rules[0].action) == ("24h", Action.REPAIR)
    assert declared.most_unhealthy(100) is None


@pytest.mark.parametrize(
    ("written", "nodes", "most"),
    [
        ("20%", 10, 2),
        ("20%", 9, 1),
        ("20%", 4, 0),
        ("29%", 100, 29),
        ("100%", 7, 7),
        ("0%", 7, 0),
        (" 20 % ", 10, 2),
        ("5", 10, 5),
        (5, 10, 5),
        (5.0, 10, 5),
        ("0", 10, 0),
    ],
)
def test_a_share_rounds_down_and_a_number_is_a_number(written: Any, nodes: int, most: int):
    assert policy(maxUnhealthy=written).most_unhealthy(nodes) == most


@pytest.mark.parametrize("written", ["79", 79, 79.0, " 79 "])
def test_an_xid_is_a_text_or_a_number(written: Any):
    assert policy(REPAIRS | {"when": {"xids": [written]}}).rules[0].when.xids == ["79"]


@pytest.mark.parametrize("written", ["CRITICAL", "PHC_SEVERITY_CRITICAL"])
def test_a_severity_is_written_in_short_or_in_full(written: str):
    severity = policy(REPAIRS | {"when": {"severity": written}}).rules[0].when.severity

    assert severity == "PHC_SEVERITY_CRITICAL"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "REPAIRE"}, "did you mean REPAIR?"),
        ({"modes": ["REBOOT"]}, "did you mean REBOOT_VM?"),
        ({"modes": []}, "at least 1 item"),
        ({"modes": ["VM_ONLY", "REBOOT_VM", "VM_ONLY"]}, "VM_ONLY is listed twice"),
        ({"within": "1 day"}, "is not a duration"),
        ({"when": {}}, 'rule "down" would repair nodes with which nothing is wrong'),
        ({"when": {"proposed": False}}, "with which nothing is wrong"),
        ({"when": {"lastOutcome": ["SUCCEEDED"]}}, "with which nothing is wrong"),
        ({"when": {"lastOutcome": ["FAILED", "SUCCEEDED"]}}, "with which nothing is wrong"),
        ({"when": {"statuses": ["Failed", "Ready"]}}, "would repair healthy nodes; remove Ready"),
        ({"modes": None}, "give it `modes`, or add `proposed: true`"),
        ({"action": "LEAVE"}, "has modes, and its action is LEAVE"),
        ({"action": "REJECT"}, "has modes, and its action is REJECT"),
        ({"when": {"alerts": []}}, "at least 1 item"),
        ({"when": {"severity": "FATAL"}}, '"FATAL" is not a severity; write one of INFO, WARNING, CRITICAL'),
        ({"when": {"severity": "CRITCAL"}}, "did you mean CRITICAL?"),
        ({"when": {"xids": ["Xid 79"]}}, '"Xid 79" is not an Xid; write its number, such as 79'),
        ({"when": {"xids": [True]}}, "is not an Xid"),
        ({"when": {"unhealthyFor": "15"}}, "is not a duration"),
        ({"when": {"lastOutcome": ["RUNNING"]}}, '"RUNNING" is not the end of a remediation'),
        ({"when": {"lastOutcome": ["FALED"]}}, "did you mean FAILED?"),
        ({"when": {"proposed": False, "alerts": ["DmesgXidError"]}}, "`proposed: false` never applies together with"),
    ],
)
def test_a_mistake_in_a_rule_says_what_to_write(changes: dict[str, Any], said: str):
    with pytest.raises(ValidationError) as mistake:
        policy(REPAIRS | changes)

    assert said in str(mistake.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rules": []}, "at least 1 item"),
        ({"rules": [REPAIRS, REPAIRS]}, 'two rules are named "down"'),
        ({"maxConcurrent": 0}, "greater than or equal to 1"),
        ({"maxAttempts": 0}, "greater than or equal to 1"),
        ({"maxUnhealthy": "a fifth"}, "is neither a share nor a number of nodes"),
        ({"maxUnhealthy": "101%"}, "is neither a share nor a number of nodes"),
        ({"maxUnhealthy": 0.2}, "is neither a share nor a number of nodes"),
        ({"maxUnhealthy": -1}, "is neither a share nor a number of nodes"),
        ({"cooldown": "soon"}, "is not a duration"),
        ({"nodes": []}, "at least 1 item"),
    ],
)
def test_a_mistake_in_a_limit_says_what_to_write(changes: dict[str, Any], said: str):
    with pytest.raises(ValidationError) as mistake:
        policy(**changes)

    assert said in str(mistake.value)


@pytest.mark.parametrize("action", ["LEAVE", "REJECT"])
def test_a_rule_that_repairs_nothing_may_fit_every_node(action: str):
    assert policy({"name": "rest", "action": action}).rules[0].modes is None


def test_a_rule_about_proposals_may_take_the_mode_that_is_proposed():
    assert policy({"name": "rest", "when": {"proposed": True}}).rules[0].modes is None
