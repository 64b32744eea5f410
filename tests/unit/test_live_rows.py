"""Where a row is repainted, its time moves every few seconds; where each line is one of a log, once a minute."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.live_rows import repaints

UP = ("pulumi", "up")


@pytest.mark.parametrize(
    ("output", "arguments", "environment", "expected"),
    [
        ("/dev/pts/3", UP, {}, True),
        ("/dev/tty1", UP, {"CI": ""}, True),
        ("pipe:[81]", UP, {}, False),
        ("/tmp/up.log", UP, {}, False),
        ("/dev/pts/3", (*UP, "--diff"), {}, False),
        ("/dev/pts/3", (*UP, "--json=true"), {}, False),
        ("/dev/pts/3", (*UP, "--non-interactive"), {}, False),
        ("/dev/pts/3", UP, {"CI": "true"}, False),
        ("/dev/pts/3", UP, {"TF_BUILD": "True"}, False),
    ],
)
def test_rows_are_repainted_in_a_terminal_unless_pulumi_prints_line_after_line(
    output: str, arguments: tuple[str, ...], environment: dict[str, str], expected: bool
):
    assert repaints(output, arguments, environment) is expected
