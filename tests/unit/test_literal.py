"""Nothing that the API says is Pulumi's wire format once it is marshalled, and it comes back as it was."""

from __future__ import annotations

import json
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


def nested(levels: int, kinds: str) -> Any:
    """Dictionaries and lists inside each other: `kinds` names the outermost first, and is gone through again."""
    if levels == 0:
        return "bottom"
    inner = nested(levels - 1, kinds[1:] + kinds[0])
    return {"a": inner} if kinds[0] == "d" else [inner]


@pytest.mark.parametrize("kinds", ["d", "l", "dl", "ld"])
def test_what_is_too_deep_for_the_protocol_is_text_from_there_on(kinds: str):
    assert literal(nested(16, kinds)) == nested(16, kinds)
    cut = literal(nested(40, kinds))
    for _ in range(16):
        cut = cast(dict[str, Any], cut)["a"] if isinstance(cut, dict) else cast(list[Any], cut)[0]
    assert json.loads(cut) == nested(24, kinds[16 % len(kinds) :] + kinds[: 16 % len(kinds)])


def test_what_is_too_deep_for_the_protocol_can_still_be_read():
    struct = marshal({"alert": nested(200, "dl")}, ["alert"])
    again = struct_pb2.Struct()
    again.ParseFromString(struct.SerializeToString())
    assert "bottom" in str(unmarshal(again).values)


def test_a_text_in_quotes_that_is_no_mark_stays_as_it_is():
    assert literal({"'why'": "'GPU 3'"}) == {"'why'": "'GPU 3'"}
