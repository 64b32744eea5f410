"""Values that are not known yet, as they come in from Pulumi and go out to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What Pulumi sends in place of a value that is known only once something else has been created."""


def holds_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is not known yet."""
    if isinstance(value, Mapping):
        return any(holds_unknown(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return value == UNKNOWN
