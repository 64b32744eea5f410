"""Nothing that the API says is Pulumi's wire format once it is marshalled, and it comes back as it was."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.literal import SECRET, SIGNATURE, as_it_was, literal
from pulumi_resource_togetherai.plugin.values import marshal, marshal_planned, unmarshal
from pulumi_resource_togetherai.unknown import UNKNOWN, UNKNOWNS, holds_unknown

MARKS = [*UNKNOWNS, SIGNATURE]
QUOTED = [f"{quotes}{mark}{quotes}" for mark in MARKS for quotes in ("", "'", "''", "'''")]
texts = st.text() | st.sampled_from(QUOTED)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def marks_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        items = cast(dict[str, Any], value)
        return [mark for name, item in items.items() for mark in (*marks_in(name), *marks_in(item))]
    if isinstance(value, list):
        return [mark for item in cast(list[Any], value) for mark in marks_in(item)]
    return [value] if value in MARKS else []


@given(st.dictionaries(texts, values, max_size=4))
def test_no_mark_is_left_and_all_comes_back(said: dict[str, Any]):
    told = unmarshal(marshal(said))
    assert marks_in(told.values) == []
    assert not holds_unknown(told.values)
    assert told.secret == frozenset()
    assert as_it_was(told.values) == said


def test_a_preview_keeps_what_is_not_known_and_no_other_mark():
    told = unmarshal(marshal_planned({"state": UNKNOWN, "alert": {SIGNATURE: SECRET, "value": "x"}}, ["state"]))
    assert told.values["state"] == UNKNOWN
    assert told.values["alert"] == {f"'{SIGNATURE}'": SECRET, "value": "x"}
    assert told.secret == {"state"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (10**400, str(10**400)),
        (2**60, 2.0**60),
        ("half a \ud800 pair", "half a ? pair"),
    ],
)
def test_what_the_protocol_cannot_hold_is_text(said: Any, told: Any):
    assert unmarshal(marshal({"alert": said})).values == {"alert": told}


def test_what_is_too_deep_for_the_protocol_can_still_be_read():
    deep: Any = "bottom"
    for _ in range(100):
        deep = {"a": [deep]}
    struct = marshal({"alert": deep}, ["alert"])
    again = struct_pb2.Struct()
    again.ParseFromString(struct.SerializeToString())
    assert "bottom" in str(unmarshal(again).values)
    assert literal({"a": {"b": [1]}}) == {"a": {"b": [1]}}
