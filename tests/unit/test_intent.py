"""Which attempts count as the answer to what the user asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pulumi_resource_togetherai.remediation.rules.identity import Own
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.state import State
from tests.unit.examples import NOW, declared, record


def own(attempt: int, id: str = "new", **changes: object) -> Own:
    return Own(record("FAILED", ended=timedelta(), id=id, **changes), attempt, declared=True)


def replaced(attempt: int | None, id: str = "old", **changes: object) -> Intent:
    """Diff decided to replace this attempt."""
    return Intent(replaced=State(declared(), record("FAILED", ended=timedelta(), id=id, **changes), attempt))


def test_nobody_asked():
    assert not Intent().another_after(own(1))


def test_where_it_takes_no_other_one_nobody_asked():
    """An input that Diff did not know yet turned out to be as it was."""
    intent = replace(replaced(1, "old"), another=False)
    assert not intent.another_after(own(1, "old"))
    assert not intent.another_than(own(1, "old").record)
    assert replace(intent, replace=True).another_after(own(1, "old"))


@pytest.mark.parametrize(("which", "another"), [("held", True), ("other", False)])
def test_a_change_asks_for_another_than_the_stack_holds(which: str, another: bool):
    assert replaced(None, "held").another_than(record("SUCCEEDED", id=which)) is another
    assert Intent(replace=True).another_than(record("SUCCEEDED", id=which))


def test_the_command_line_asks_again_each_time():
    assert Intent(replace=True, replaced=replaced(1).replaced).another_after(own(2))


@pytest.mark.parametrize(("last", "another"), [(1, True), (2, False), (3, False)])
def test_an_attempt_that_came_after_what_diff_replaces_is_the_answer(last: int, another: bool):
    assert replaced(2).another_after(own(last)) is another


def test_what_diff_replaces_is_no_answer_to_its_own_replacement():
    assert replaced(2, "same").another_after(own(2, "same"))
    assert replaced(None, "same").another_after(own(2, "same"))


@pytest.mark.parametrize(("later", "another"), [(-1, True), (0, False), (1, False)])
def test_what_was_adopted_has_no_number_and_its_time_decides(later: int, another: bool):
    last = own(1, create_time=NOW + timedelta(seconds=later))
    assert replaced(None, create_time=NOW).another_after(last) is another


def test_where_a_time_is_unknown_nothing_is_started():
    assert not replaced(None, create_time=None).another_after(own(1))
    assert not replaced(None).another_after(own(1, create_time=None))
