"""What the user typed: whether the engine was told to replace a resource.

With `--replace` the engine asks a provider to create a resource just as it asks for a new one, or once more after a
crash. Only the command line tells them apart, and only the first is the user's word that what FAILED may run again. A
command line that cannot be read counts as not having said it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FLAGS = ("--replace", "--target-replace")


def replaces(urn: str, arguments: Sequence[str]) -> bool:
    """Whether a command line says to replace a resource: by its URN, or by a pattern of `*` and `**`."""
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag in FLAGS:
            wanted = value or (arguments[position + 1] if position + 1 < len(arguments) else "")
            pattern = re.escape(wanted).replace(r"\*\*", ".*").replace(r"\*", "[^:]*")
            if re.fullmatch(pattern, urn):
                return True
    return False


def replace_requested(urn: str) -> bool:
    """Whether the `pulumi` command that started this process was told to replace a resource."""
    import psutil  # only a create needs it

    try:
        for ancestor in psutil.Process().parents():
            arguments = ancestor.cmdline()
            if arguments and re.fullmatch(r"pulumi(\.exe)?", re.split(r"[/\\]", arguments[0])[-1]):
                return replaces(urn, arguments)
    except psutil.Error:
        pass
    return False
