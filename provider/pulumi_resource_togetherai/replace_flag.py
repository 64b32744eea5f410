"""Whether the user told the engine to replace a resource, read from the command line of `pulumi`, and from the
variables in which Pulumi takes the flags that its command line lacks.

With `--replace`, `--target-replace`, or after `pulumi state taint`, the engine calls Create. It does the same for a new
resource, and once more after a crash. Only a replacement means that the user wants to run again what FAILED. The
provider protocol has no field that tells these calls apart: 3.276.0 has none in Diff, Create, Configure or the
handshake, and the old outputs that it sends to Check say nothing of a replacement.
https://github.com/pulumi/pulumi/issues/9924 asks for a call that tells them apart.

If the command line does not show a request to replace, the provider assumes that there was none, and reports a FAILED
or CANCELLED remediation again instead of running it again. That happens with `pulumi state taint` and the options
`replacementTrigger` and `replaceWith`, which no command line shows; with a plugin in another container than `pulumi`,
or attached with PULUMI_DEBUG_PROVIDERS; with a `pulumi` under another name; and if the process may not look at its
parents (some Windows accounts, hidepid on Linux). The Automation API starts `pulumi` with the same flags on the machine
where the workspace is, so the provider sees them there. `triggers` and `retryFailed` work everywhere.
"""

from __future__ import annotations

import csv
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

FLAGS = ("--replace", "--target-replace")


def replaces(urn: str, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command asks to replace a resource: by its URN, or by a pattern with `*` and `**`."""
    wanted = [value for flag in FLAGS for value in _values(flag, arguments, environment)]
    patterns = [re.escape(value).replace(r"\*\*", ".*").replace(r"\*", "[^:]*") for value in wanted]
    return any(re.fullmatch(pattern, urn) for pattern in patterns)


def _values(flag: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Sequence[str]:
    typed = list[str]()
    for argument, following in itertools.zip_longest(arguments, arguments[1:], fillvalue=""):
        name, _, value = argument.partition("=")
        if name == flag:
            typed.append(value or following)
    if typed:
        return typed
    variable = f"PULUMI_OPTION_{flag.strip('-').replace('-', '_').upper()}"
    return next(csv.reader([environment.get(variable, "")]), list[str]())


def replace_requested(urn: str) -> bool:
    """Whether the `pulumi` command that started this process was told to replace a resource."""
    return replaces(urn, command_line(), os.environ)


@cache
def command_line() -> Sequence[str]:
    """The command line of the `pulumi` command that started this process; empty if it cannot be seen. It is read once:
    a command line does not change, and a look at every parent takes as long as a tenth of a create."""
    process = pulumi_process()
    return () if process is None else process.cmdline()


def pulumi_process() -> psutil.Process | None:
    """The `pulumi` command that started this process; None if it cannot be seen."""
    import psutil  # only a create needs it

    try:
        for ancestor in psutil.Process().parents():
            arguments = ancestor.cmdline()
            if arguments and re.fullmatch(r"pulumi(\.exe)?", re.split(r"[/\\]", arguments[0])[-1]):
                return ancestor
    except psutil.Error:
        pass
    return None


def in_vain(settings: Sequence[str]) -> str:
    """What to say where `replaceOnChanges` names inputs whose change runs nothing."""
    return (
        f"`replaceOnChanges` runs no remediation: a change of {', '.join(settings)} needs none. To run one whenever "
        "such a value changes, put the value into `triggers` too"
    )
