"""What a person asks for at a shell, without a stack: it belongs to nobody, and is recognized by what is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.marker import origin, unmarked
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Decision, Post, Recent, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.recent import warned_of_recent
from tests.unit.examples import NOW, URN, declared, record

SHELL = "urn:pulumi:dev::default::togetherai:index:Remediation::Remediation"
"""Everybody's URN."""
WINDOW = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def asked(**inputs: Any) -> Identity:
    return Identity(SHELL, declared(**inputs), stateless=True)


def ran(state: str, who: Identity, *, ended: timedelta | None = None, attempt: int = 1) -> Remediation:
    return record(state, ended=ended, id=f"server-{attempt}", reason=who.marked_reason(attempt))


def decided(history: list[Remediation], who: Identity, if_recent: IfRecent = IfRecent.WARN) -> Decision:
    recent = Recent(if_recent, WINDOW)
    decision = decide(who, history, now=NOW, intent=Intent(), recent=recent)
    return warned_of_recent(decision, who, history, NOW, recent)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_the_same_asked_for_twice_is_one_repair(state: str):
    again = decided([ran(state, asked())], asked(reason="another reason"))
    assert isinstance(again, Adopt)
    assert again.attempt == 1


def test_what_ended_within_the_window_is_taken_over_and_what_ended_before_runs_anew():
    within = decided([ran("SUCCEEDED", asked(), ended=59 * MINUTE)], asked())
    assert isinstance(within, Adopt)
    assert within.warns
    assert "the same was asked for before and SUCCEEDED 59m ago, so nothing runs" in within.because
    before = decided([ran("SUCCEEDED", asked(), ended=61 * MINUTE)], asked())
    assert isinstance(before, Post)
    assert (before.attempt, before.key) == (2, asked().key(2))


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_bad_end_within_the_window_is_reported_and_does_not_run_again_by_itself(state: str):
    ended = ran(state, asked(), ended=MINUTE)
    assert isinstance(decided([ended], asked()), Adopt)
    assert isinstance(decided([ended], asked(idempotencyKey="INC-2")), Post)
    assert isinstance(decided([ended], asked(retryFailed=True)), Post if state == "FAILED" else Adopt)
    assert isinstance(decided([ran(state, asked(), ended=2 * WINDOW)], asked()), Post)


def test_what_has_no_time_counts_as_recent():
    undated = ran("SUCCEEDED", asked()).model_copy(update={"create_time": None})
    assert isinstance(decided([undated], asked()), Adopt)


def test_a_key_is_the_same_whatever_its_age():
    who = asked(idempotencyKey="INC-1")
    assert isinstance(decided([ran("SUCCEEDED", who, ended=100 * WINDOW)], who), Adopt)


def test_another_key_runs_another_one_and_says_who_repaired_the_node_a_short_while_ago():
    first = ran("SUCCEEDED", asked(), ended=MINUTE).model_copy(update={"requested_by": "sam@example.com"})
    second = decided([first], asked(idempotencyKey="INC-2"))
    assert isinstance(second, Post)
    assert second.attempt == 2
    assert "was repaired 1m ago" in second.warning
    assert "started by sam@example.com with pulumi do" in second.warning
    assert isinstance(decided([first], asked(idempotencyKey="INC-2"), IfRecent.FAIL), Refuse)


def test_one_key_does_for_several_nodes_and_modes():
    node, other, mode = (
        asked(idempotencyKey="INC-1", **more) for more in ({}, {"instanceId": "i8"}, {"mode": "VM_ONLY"})
    )
    assert len({who.key(1) for who in (node, other, mode)}) == 3
    assert "INC-1" not in {who.key(1) for who in (node, other, mode)}
    escalated = decided([ran("SUCCEEDED", node, ended=MINUTE)], mode)
    assert isinstance(escalated, Post)
    assert "was repaired 1m ago" in escalated.warning


def test_what_was_asked_of_another_node_is_nobodys_here():
    for one, other in (
        ({}, {"instanceId": "i8"}),
        ({"instanceId": None, "node": "a"}, {"instanceId": None, "node": "b"}),
    ):
        assert asked(**one).own(ran("RUNNING", asked(**other))) is None
        assert asked(**one).own(ran("RUNNING", asked(**one))) is not None


@pytest.mark.parametrize("urn", [URN, SHELL])
def test_a_stack_and_a_shell_never_take_each_others_repair_for_their_own(urn: str):
    """A stack may have the URN that a shell has."""
    stack = Identity(urn, declared())
    assert asked().own(ran("RUNNING", stack)) is None
    assert stack.own(ran("RUNNING", asked())) is None
    assert asked().key(1) != stack.key(1)
    refused = decided([ran("RUNNING", stack)], asked())
    assert isinstance(refused, Refuse)
    assert f"started by {origin(ran('RUNNING', stack))}" in refused.because


def test_the_key_stays_what_it_was_in_every_release():
    assert asked().key(1) == "a3cfbc3e-73ba-5afe-a5d9-945fb364978d"
    assert asked(idempotencyKey="INC-1", instanceId=None, node="gpu-7").key(2) == "16c28ead-e2cb-5672-9cd8-259a2d2f38c5"


def test_the_marker_says_for_people_that_there_is_no_stack():
    reason = asked(reason="GPU 3 fell off the bus").marked_reason(1)
    assert reason.startswith("GPU 3 fell off the bus [pulumi do stateless #1 ")
    assert unmarked(reason) == "GPU 3 fell off the bus"
    assert origin(record("RUNNING", reason=reason)) == "somebody with pulumi do"
