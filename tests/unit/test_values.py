"""The values of a program as the plugin reads them, and its answers as it writes them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import Computed, PropertyValue

from pulumi_resource_togetherai.literal import marked_secret
from pulumi_resource_togetherai.plugin.values import marshal, plain, unmarshal
from pulumi_resource_togetherai.unknown import UNKNOWN


def sent(values: dict[str, Any]) -> struct_pb2.Struct:
    """What the engine sends."""
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


@pytest.mark.parametrize(
    ("marked", "revealed"),
    [
        (marked_secret("Jane"), "Jane"),
        (marked_secret(marked_secret("Jane")), "Jane"),
        ({"who": marked_secret("Jane"), "run": "2"}, {"who": "Jane", "run": "2"}),
        (["ana", marked_secret("Jane")], ["ana", "Jane"]),
        ({"who": ["ana", {"and": marked_secret({"also": "Jane"})}]}, {"who": ["ana", {"and": {"also": "Jane"}}]}),
    ],
)
def test_a_secret_is_read_anywhere_and_makes_its_property_secret(marked: Any, revealed: Any):
    read = unmarshal(sent({"triggers": marked, "open": {"who": ["ana", {"run": "2"}]}}))
    assert read.values == {"triggers": revealed, "open": {"who": ["ana", {"run": "2"}]}}
    assert read.secret == {"triggers"}


def test_what_is_secret_is_marked_where_it_is_there():
    assert marshal({"reason": "Jane", "mode": "VM_ONLY"}, ["reason", "comment"]) == sent(
        {"reason": marked_secret("Jane"), "mode": "VM_ONLY"}
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (PropertyValue("Jane", is_secret=True), "Jane"),
        (PropertyValue(Computed()), UNKNOWN),
        (PropertyValue([PropertyValue("a"), PropertyValue(Computed())]), ["a", UNKNOWN]),
        (PropertyValue({"run": PropertyValue([PropertyValue(2.0)])}), {"run": [2.0]}),
        (PropertyValue(None), None),
        (PropertyValue(True), True),
    ],
)
def test_a_component_reads_values_without_what_pulumi_knows_of_them(value: PropertyValue, told: Any):
    assert plain(value) == told
