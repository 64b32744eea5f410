"""Text from a server reaches people's eyes and does nothing to their terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.sanitize import BREAK, MESSAGE, QUOTED, quoted, sanitize
from tests.unit.examples import record

SHOWS_NOTHING = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GPU 3 fell off the bus", "GPU 3 fell off the bus"),
        ("größer, 漢字, 🙂", "größer, 漢字, 🙂"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\rb\nc\td\0", r"a\rb\nc\td\x00"),
        ("\x9b2J", r"\x9b2J"),
        ("evil\u202egnp.exe", r"evil\u202egnp.exe"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u2028", r"\u2028"),
        ("a\ud800b", r"a\ud800b"),
    ],
)
def test_what_shows_nothing_is_written_out(text: str, shown: str):
    assert sanitize(text) == shown


@given(st.text(max_size=400))
def test_nothing_is_left_that_a_terminal_obeys(text: str):
    for shown in (sanitize(text), quoted(text), str(OperationError(text)), str(ApiError("get", text))):
        assert not [letter for letter in shown.replace(BREAK, "") if unicodedata.category(letter) in SHOWS_NOTHING]


def test_a_message_has_lines_where_its_author_began_one_and_no_text_begins_one_at_the_margin():
    told = messages.told("it FAILED: no\nhost", "", "next: wait")
    assert str(OperationError(told)).splitlines() == [r"it FAILED: no\nhost", "  next: wait"]


@pytest.mark.parametrize("letter", ["x", "\x1b"])
def test_a_long_text_is_cut_off_and_says_so(letter: str):
    assert sanitize(letter * 10**6).endswith(" ... (cut off)")
    assert len(sanitize(letter * 10**6)) < MESSAGE + 20
    assert len(quoted(letter * 10**6)) < QUOTED + 20


def test_a_quoted_text_leaves_room_for_what_to_do_next():
    told = messages.whose(record("RUNNING", reason="x" * 10**6, requested_by="y" * 10**6))
    assert len(told) < 1000
