"""What happened lately to the node."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Decision, Post, Refuse
from pulumi_resource_togetherai.remediation.rules.recent import recent_rule, warned_of_recent
from tests.unit.examples import NOW, identity, record

MINUTE = timedelta(minutes=1)


def reckoned(*history: Remediation, config: Any = None, **inputs: Any) -> Decision:
    who, settings = identity(**inputs), ProviderConfig.model_validate(config or {})
    chosen = Post(1, who.key(1), "no earlier attempt")
    return warned_of_recent(chosen, who, history, NOW, recent_rule(who.inputs, settings))


def warning(decision: Decision) -> str:
    assert isinstance(decision, Post)
    return decision.warning


def other(ended: timedelta, state: str = "SUCCEEDED") -> Remediation:
    return record(state, id="other", ended=ended, reason="why [pulumi training/old node-3 #1 01234567-89abcdef]")


def test_a_recent_repair_is_named_with_who_and_when_and_what_next():
    told = warning(reckoned(other(5 * MINUTE)))
    for part in ("other", "node-3 of Pulumi program training/old", "5m", "i7", "c1", "ifRecent", "IGNORE"):
        assert part in told


@pytest.mark.parametrize("state", ["AUTO_RESOLVED", "FAILED", "CANCELLED", "RUNNING"])
def test_only_a_success_is_a_repair(state: str):
    assert warning(reckoned(other(MINUTE, state))) == ""


def test_what_is_older_than_the_window_does_not_count():
    assert warning(reckoned(other(60 * MINUTE)))
    assert warning(reckoned(other(61 * MINUTE))) == ""
    assert warning(reckoned(other(61 * MINUTE), config={"recentWindow": "2h"}))
    assert warning(reckoned(other(5 * MINUTE), recentWindow="4m")) == ""


def test_the_resources_own_do_not_count_whatever_its_inputs_were():
    ours = record("SUCCEEDED", id="x", ended=MINUTE, reason=identity().marked_reason(1))
    assert warning(reckoned(ours)) == ""
    assert warning(reckoned(ours, mode="VM_ONLY", triggers={"run": "2"})) == ""


def test_fail_refuses_and_ignore_says_nothing():
    refused = reckoned(other(MINUTE), ifRecent="FAIL")
    assert isinstance(refused, Refuse)
    assert "Nothing was posted" in refused.because
    assert warning(reckoned(other(MINUTE), ifRecent="IGNORE")) == ""


def test_the_resource_overrides_the_provider():
    assert isinstance(reckoned(other(MINUTE), config={"ifRecent": "FAIL"}), Refuse)
    assert warning(reckoned(other(MINUTE), config={"ifRecent": "FAIL"}, ifRecent="WARN"))


def test_what_is_taken_over_is_not_started_and_needs_no_warning():
    taken_over = Adopt(record("RUNNING"), None, "it is active")
    who = identity()
    rule = recent_rule(who.inputs, ProviderConfig())
    assert warned_of_recent(taken_over, who, [other(MINUTE)], NOW, rule) is taken_over


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_several_repairs_the_last_one_is_named(newest_first: bool):
    history = [other(MINUTE).model_copy(update={"id": "last"}), other(2 * MINUTE)]
    assert "remediation last" in warning(reckoned(*(history if newest_first else history[::-1])))


def test_an_end_without_a_time_counts_from_the_last_change():
    found = other(MINUTE)
    unsaid = found.model_copy(update={"end_time": None, "update_time": NOW - 2 * MINUTE})
    assert " at 2026-11-23 02:59:00 UTC, by " in warning(reckoned(found))
    assert "was repaired some time ago, by " in warning(reckoned(unsaid))
    assert warning(reckoned(unsaid.model_copy(update={"update_time": NOW - 61 * MINUTE}))) == ""


def test_it_is_said_after_what_the_user_should_know_anyway():
    who = identity()
    chosen = Post(2, who.key(2), "asked for", "It ran before")
    told = warning(warned_of_recent(chosen, who, [other(MINUTE)], NOW, recent_rule(who.inputs, ProviderConfig())))
    assert told.startswith("It ran before. instance i7 of cluster c1 was repaired")
    assert warning(reckoned(other(MINUTE))).startswith("instance i7 of cluster c1 was repaired")


def test_a_mistake_in_the_setting_is_one_clear_line():
    with pytest.raises(ValueError, match='"LOUD" is not one of WARN, FAIL, IGNORE'):
        ProviderConfig.model_validate({"ifRecent": "LOUD"})
