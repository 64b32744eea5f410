"""Which remediation is the attempt that a POST was sent for."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_resource_togetherai.remediation.rules.decision import Post
from pulumi_resource_togetherai.remediation.steps.post import is_attempt
from tests.unit.examples import URN, identity, record

CHOSEN = Post(2, identity().key(2), "")


@pytest.mark.parametrize(
    ("found", "is_it"),
    [
        ({"reason": identity().marked_reason(2)}, True),
        ({"id": CHOSEN.key}, True),
        ({"reason": identity().marked_reason(1)}, False),
        ({"reason": identity(triggers={"run": "2"}).marked_reason(2)}, False),
        ({"reason": identity(URN + "b").marked_reason(2)}, False),
        ({"reason": identity().marked_reason(2), "mode": "REMEDIATION_MODE_VM_ONLY"}, False),
        ({"reason": "by hand"}, False),
    ],
)
def test_it_is_of_this_resource_this_declaration_this_number_and_this_mode(found: dict[str, Any], is_it: bool):
    assert is_attempt(identity(), record("RUNNING", **found), CHOSEN) is is_it


@pytest.mark.parametrize("key", ["incident-42", "3f0c6b7e-0000-4000-8000-00000000000a"])
def test_it_is_the_one_under_a_key_that_the_program_chose_whatever_its_number(key: str):
    """Where a server cuts the marker off, that key says nothing of a number."""
    who = identity(idempotencyKey=key)
    found = record("RUNNING", id=key.upper() if key != "incident-42" else key)
    assert is_attempt(who, found, Post(3, key, ""))
    assert not is_attempt(who, found, Post(3, who.key(3, again=True), ""))
