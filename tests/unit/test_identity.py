"""The idempotency key and its marker."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.clusters.marker import origin, unmarked
from pulumi_resource_togetherai.remediation.rules.identity import REPLACING
from tests.unit.examples import URN, identity, record

UUID = "3f0c6b7e-0000-4000-8000-00000000000a"


def test_the_same_program_gives_the_same_key():
    assert identity().key(1) == identity(reason="another", wait=False, timeout="5m", ifActive="ADOPT").key(1)
    assert str(uuid.UUID(identity().key(1))) == identity().key(1)


def test_the_key_stays_what_it_was_in_every_release():
    """A change here would make a provider upgrade run remediations again."""
    assert identity().key(1) == "df4a0113-ecda-5751-9063-266bcd297e90"
    assert identity(triggers={"b": "2", "a": "1"}).key(2) == "384c4efe-3c88-58e8-9a50-67d89771a19e"
    assert identity(triggers={}).key(1) == identity().key(1)


def test_both_forms_of_the_provider_give_the_same_key_and_recognize_each_other():
    dynamic = identity(URN.replace("togetherai:index:", "pulumi-python:dynamic/togetherai:"))
    assert dynamic.key(1) == identity().key(1)
    own = dynamic.own(record("RUNNING", reason=identity().marked_reason(2)))
    assert own is not None
    assert (own.attempt, own.declared) == (2, True)


@pytest.mark.parametrize(
    "urn",
    [
        URN + "b",
        URN.replace("prod", "dev"),
        URN.replace("training", "serving"),
        URN.replace("togetherai:index", "acme:Rack$togetherai:index"),
        URN + "::b",
    ],
)
def test_a_resource_of_another_name_stack_project_or_parent_is_another(urn: str):
    assert identity(urn).own(record("RUNNING", id="x", reason=identity().marked_reason(1))) is None


CHANGES: list[dict[str, Any]] = [
    {"clusterId": "c2"},
    {"instanceId": "i8"},
    {"instanceId": None, "node": "i7"},
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


def test_an_explicit_key_is_used_as_it_is_until_it_has_been_used():
    who = identity(idempotencyKey="incident-42")
    assert who.key(1) == who.key(3) == "incident-42"
    assert who.key(2, again=True) not in ("incident-42", who.key(3, again=True))


def test_the_marker_reads_as_an_origin():
    reason = identity(reason="GPU 3 fell off the bus").marked_reason(2)
    assert reason.startswith("GPU 3 fell off the bus [pulumi training/prod node-7 #2 ")
    assert len(reason) == len("GPU 3 fell off the bus [pulumi training/prod node-7 #2 6f1c2a9e-04b7c1d2]")
    assert origin(record("RUNNING", reason=reason)) == "node-7 of Pulumi program training/prod"


@given(st.text(max_size=60), st.integers(min_value=1, max_value=999))
def test_a_marker_is_found_again_whatever_the_reason_and_never_doubled(text: str, attempt: int):
    who = identity(reason=text)
    reason = who.marked_reason(attempt)
    own = who.own(record("RUNNING", reason=reason.strip()))
    assert own is not None
    assert (own.attempt, own.declared) == (attempt, True)
    again = identity(reason=reason)
    assert again.marked_reason(attempt).count("[pulumi ") <= max(1, text.count("[pulumi "))
    assert unmarked(reason) == unmarked(text)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_declared_before_is_known_as_this_resources_and_as_another_declaration(change: dict[str, Any]):
    own = identity(**change).own(record("RUNNING", id="x", reason=identity().marked_reason(4)))
    assert own is not None
    assert (own.attempt, own.declared) == (4, False)


def test_only_a_marker_at_the_end_counts():
    quoted = f"do what {identity().marked_reason(1)} did"
    assert identity().own(record("RUNNING", id="x", reason=quoted)) is None
    for reason in ("", None, "reboot it", "[pulumi a b #0 01234567-89abcdef]", "[pulumi a b #1 01234567]", "]"):
        assert identity().own(record("RUNNING", id="x", reason=reason)) is None


def test_a_marker_before_other_text_does_not_count_even_if_that_ends_like_one():
    reason = f"{identity().marked_reason(1)} and again]"
    assert identity().own(record("RUNNING", id="x", reason=reason)) is None


def test_of_a_long_name_the_marker_shows_the_first_40_characters():
    urn = URN.replace("::node-7", f"::{'n' * 41}")
    reason = identity(urn).marked_reason(1)
    assert f" {'n' * 40} #1 " in reason
    assert identity(urn).own(record("RUNNING", id="x", reason=reason)) is not None
    assert identity(f"{urn}n").own(record("RUNNING", id="x", reason=reason)) is None


def test_a_program_knows_what_it_started_by_whichever_of_its_resources():
    who = identity(URN + "-another")
    assert who.same_program(record("RUNNING", reason=identity().marked_reason(3)))
    for urn in (URN.replace("prod", "dev"), URN.replace("training", "serving")):
        assert not who.same_program(record("RUNNING", reason=identity(urn).marked_reason(3)))
    assert not who.same_program(record("RUNNING", reason="by hand"))


def test_where_a_server_cuts_the_marker_off_the_id_is_enough():
    for attempt in (1, 7, 100):
        own = identity().own(record("RUNNING", id=identity().key(attempt).upper(), reason="GPU 3 [pulumi train"))
        assert own is not None
        assert (own.attempt, own.declared) == (attempt, True)
    for explicit in ("incident-42", UUID):
        who = identity(idempotencyKey=explicit)
        for attempt, key in ((1, explicit), (3, who.key(3, again=True))):
            own = who.own(record("RUNNING", id=key))
            assert own is not None
            assert (own.attempt, own.declared) == (attempt, True)
        assert who.own(record("RUNNING", id="incident-43")) is None
    assert identity(idempotencyKey=UUID).own(record("RUNNING", id=UUID.upper())) is not None, "UUIDs have no case"
    assert identity(triggers={"run": "2"}).own(record("RUNNING", id=identity().key(1))) is None


@pytest.mark.parametrize("urn", ["urn:pulumi:a] b::p[q::t::n o]p", "urn:pulumi:::::t::", "urn:pulumi:a::b::t::n::o"])
def test_no_name_can_break_the_marker(urn: str):
    who = identity(urn)
    own = who.own(record("RUNNING", reason=who.marked_reason(1)))
    assert own is not None
    assert own.attempt == 1


def test_recognizing_a_remediation_derives_no_keys(monkeypatch: pytest.MonkeyPatch):
    """What 1,000 nodes with 20 earlier remediations each cost is to read their markers."""
    counted, uuid5 = list[str](), uuid.uuid5

    def counting(namespace: uuid.UUID, name: str) -> uuid.UUID:
        counted.append(name)
        return uuid5(namespace, name)

    monkeypatch.setattr(uuid, "uuid5", counting)
    who, history = (
        identity(),
        [record("SUCCEEDED", id=str(uuid.uuid4()), reason=identity(URN + "b").marked_reason(n)) for n in range(1, 21)],
    )
    by_hand = [record("SUCCEEDED", id=str(uuid.uuid4())), record("SUCCEEDED", id="x" * 36)]
    for one in (*history, *by_hand):
        assert who.own(one) is None
    assert counted == []
