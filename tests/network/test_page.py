"""Each row of docs/network.md has a test, which names the row in a comment."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
TESTS = [*Path(__file__).parent.glob("test_*.py"), ROOT / "tests" / "engine" / "test_network.py"]
UNTESTED = {"downloads of plugins and packages", "[telemetry](telemetry.md)"}
"""Rows about programs of others."""


def rows() -> set[str]:
    """The first column of every table, without the heads."""
    found = re.findall(r"^\| (.+?) \| .*\n(?!\|---)", PAGE, re.MULTILINE)
    return {row for row in found if not row.startswith("what ")} - {"program"}


def named() -> set[str]:
    """The rows that tests name. A comment may name several, with semicolons between."""
    comments = [
        comment
        for path in TESTS
        for comment in re.findall(
            r"^# docs/network.md: (.+)\n(?:@|def |async def |[A-Z]+ = )", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    return {row.strip() for comment in comments for row in comment.split(";")}


def test_every_row_has_a_test_and_every_test_a_row():
    assert rows() - UNTESTED == named()
    assert len(rows()) > 20
