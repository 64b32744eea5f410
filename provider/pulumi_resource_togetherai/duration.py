"""Durations as Pulumi and Go write them: `90s`, `30m`, `1h30m`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import durationpy
from pydantic import BeforeValidator


def seconds(duration: str) -> float:
    """The length of a duration in seconds. Raises ValueError, with what to write instead, for anything else."""
    try:
        length = durationpy.from_str(duration).total_seconds()
    except (durationpy.DurationError, ValueError, IndexError):
        length = 0.0
    if length <= 0 or not duration[-1:].isalpha():
        raise ValueError(f'"{duration}" is not a duration; write a number with its unit, such as 90s, 30m or 1h30m')
    return length


def text(length: float | timedelta) -> str:
    """A duration (in seconds, or a timedelta) in whole seconds for people: `1m5s`."""
    whole = round(length.total_seconds() if isinstance(length, timedelta) else length)
    return durationpy.to_str(timedelta(seconds=whole)) if whole > 0 else "0s"


def _checked(duration: Any) -> str:
    written = str(duration).strip()
    seconds(written)
    return written


Duration = Annotated[str, BeforeValidator(_checked)]
"""A duration, kept as it was written, that is valid and longer than zero."""
