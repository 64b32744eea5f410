"""Values that are not known yet, as they come in from Pulumi and go out to it. The plugin starts with them, and without
pydantic: so they are no part of `fields`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What Pulumi sends in place of a value that is known only once something else has been created."""
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The same for each type of value: text, boolean, number, array, asset, archive, object. SDKs send the first alone."""


def holds_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is not known yet."""
    if isinstance(value, Mapping):
        return any(holds_unknown(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, str) and value in UNKNOWNS


def until_known(inputs: Mapping[str, Any]) -> str:
    """What a preview says of inputs some of which are not known yet; empty if all are."""
    names = sorted(name for name, value in inputs.items() if holds_unknown(value))
    return f"`pulumi up` will decide what to do once it knows {', '.join(names)}" if names else ""
