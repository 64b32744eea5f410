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
