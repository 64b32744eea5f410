"""Whether Pulumi repaints a resource's row in place, as it does in a terminal. Elsewhere each passing line is a line of
a log, so that few are to be sent.

No call of the engine's says which of the two it is (3.276.0), so this looks at the `pulumi` command as `replace_flag`
does. Where that cannot be seen, it counts as a log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache

from pulumi_resource_togetherai.replace_flag import pulumi_process

_IN_LINES = ("--non-interactive", "--diff", "--json", "-j")
"""Flags with which Pulumi prints line after line, in a terminal too."""
_CI = ("CI", "BUILD_BUILDID", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "PULUMI_CI_SYSTEM")
"""Variables by which Pulumi sees that it runs in CI, where it does the same."""


def repaints(output: str, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a `pulumi` command repaints rows. `output`: the file that is its standard output."""
    in_lines = any(argument.partition("=")[0] in _IN_LINES for argument in arguments)
    in_ci = any(environment.get(variable) for variable in _CI)
    return output.startswith(("/dev/pts/", "/dev/tty")) and not in_lines and not in_ci


@cache
def repaints_rows() -> bool:
    """Whether the `pulumi` command that started this process repaints rows."""
    process = pulumi_process()
    if process is None:
        return False
    try:
        output = os.readlink(f"/proc/{process.pid}/fd/1")  # only Linux tells
    except OSError:
        return False
    return repaints(output, process.cmdline(), os.environ)
