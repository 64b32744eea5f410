"""Whether the `pulumi` command only previews, read from its command line like `replace_flag`.

The engine calls Read in `pulumi preview --refresh` as it does in `pulumi refresh`, and tells neither call which of the
two it is (3.276.0 has no field for it). A preview must not wait for the end of a remediation. Where the
command line cannot be seen, and in the preview with which `pulumi up --refresh` begins, Read waits as in a refresh.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_resource_togetherai.replace_flag import command_line

_PREVIEW = ("preview", "pre")
_LOOKS = {"delete", "patch", "upsert", "--dry-run", "--dry-run=true"}
"""The operations of `pulumi do` that read a resource only to do something else with it, and its flag for a preview."""
_COMMANDS = (*_PREVIEW, "do", "up", "update", "refresh", "destroy", "down", "dn", "import")
"""The commands that read resources, with their other names."""


def previews(arguments: Sequence[str]) -> bool:
    """Whether a command line is that of a preview."""
    command = next((argument for argument in arguments[1:] if argument in _COMMANDS), "")
    if command == "do":
        return not _LOOKS.isdisjoint(arguments)
    return command in _PREVIEW or not {"--preview-only", "--preview-only=true"}.isdisjoint(arguments)


def only_previews() -> bool:
    """Whether the `pulumi` command that started this process only previews."""
    return previews(command_line())
