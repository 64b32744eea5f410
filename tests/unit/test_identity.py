"""The idempotency key and its marker."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.clusters.marker import origin, unmarked
from pulumi_resource_togetherai.remediation.rules.inputs import REPLACING
from tests.unit.examples import URN, identity, record


def test_the_same_program_gives_the_same_key():
    assert identity().key(1) == identity(reason="another", wait=False, timeout="5m", ifActive="ADOPT").key(1)
    assert str(uuid.UUID(identity().key(1))) == identity().key(1)


def test_the_key_stays_what_it_was_in_every_release():
    """A change here would make a provider upgrade run remediations again."""
    assert identity().key(1) == "92b3595f-3135-52e6-bac4-d9b32a431201"
    assert identity(triggers={"b": "2", "a": "1"}).key(2) == "a6ddca77-50fa-55f1-949b-4f69dbeff2cb"


CHANGES: list[dict[str, Any]] = [
    {"clusterId": "c2"},
    {"instanceId": "i8"},
    {"mode": "VM_ONLY"},
    {"triggers": {"run": "2"}},
    {"idempotencyKey": "mine"},
]


def test_every_input_that_runs_a_new_remediation_is_tried_here():
    """One that is not in the key would be replaced by the remediation that is there already."""
    assert {name for change in CHANGES for name in change} == set(REPLACING)


@pytest.mark.parametrize("change", CHANGES)
def test_what_runs_a_new_remediation_changes_the_key(change: dict[str, Any]):
    assert identity(**change).key(1) != identity().key(1)


def test_every_urn_and_every_attempt_has_a_key_of_its_own():
    keys = {identity(urn).key(attempt) for urn in (URN, URN + "b") for attempt in (1, 2, 3)}
    assert len(keys) == 6


def test_an_explicit_key_is_used_as_it_is_for_the_first_attempt():
    who = identity(idempotencyKey="incident-42")
    assert who.key(1) == "incident-42"
    assert who.key(2) != "incident-42"


def test_the_marker_reads_as_an_origin():
    reason = identity(reason="GPU 3 fell off the bus").marked_reason(1)
    assert reason.startswith("GPU 3 fell off the bus [pulumi training/prod ")
    assert len(reason) == len("GPU 3 fell off the bus [pulumi training/prod 6f1c2a9e04b7]")
    assert origin(record("RUNNING", reason=reason)) == "Pulumi program training/prod"


@given(st.text(max_size=60), st.integers(min_value=1, max_value=5))
def test_a_marker_is_found_again_whatever_the_reason_and_never_doubled(text: str, attempt: int):
    who = identity(reason=text)
    reason = who.marked_reason(attempt)
    assert who.attempt_of(record("RUNNING", reason=reason.strip())) == attempt
    again = identity(reason=reason)
    assert again.marked_reason(attempt).count("[pulumi ") <= max(1, text.count("[pulumi "))
    assert unmarked(reason) == unmarked(text)


def test_another_programs_remediation_is_not_ours():
    other = identity(URN.replace("prod", "dev"))
    assert identity().attempt_of(record("RUNNING", reason=other.marked_reason(1))) is None
    assert identity().attempt_of(record("RUNNING", reason="reboot it", id="x")) is None


def test_a_stack_name_cannot_break_the_marker():
    who = identity("urn:pulumi:a] b::p[q::t::n")
    assert who.attempt_of(record("RUNNING", reason=who.marked_reason(1))) == 1
