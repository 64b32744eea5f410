"""What the properties of every resource and function are made of: the base models, ids, choices, the API's names as
people write them, and durations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self, TypeVar

import durationpy
from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from pulumi_resource_togetherai.api.enums import (
    MODE_PREFIX,
    SEVERITY_PREFIX,
    TRIGGER_PREFIX,
    AlertSeverity,
    DescribedEnum,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)

__all__ = [
    "Duration",
    "Identifier",
    "Mode",
    "Named",
    "Parted",
    "Severity",
    "State",
    "Trigger",
    "duration_text",
    "seconds",
]


class Outputs(BaseModel):
    """Base of what the provider keeps or returns: in camelCase, described by docstrings."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, use_attribute_docstrings=True, defer_build=True
    )


class Inputs(Outputs):
    """Base of what people write: nothing but what is described."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True)

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Ways to say the same, each a set of properties that go together. Exactly one way is to be chosen. Check sees to
    it: only there it is known what comes later."""


Identifier = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:~@=+,-]*$", max_length=256)
]
"""An id as the API assigns them. It cannot form a path: it has no slash, no space and no dot at its start."""


Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
"""A name as people write it."""


class Choice(DescribedEnum):
    """A closed enumeration for the people who write programs."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(cls._named, handler(source))

    @classmethod
    def _named(cls, written: Any) -> Self:
        """Raises ValueError, with what to write instead, for anything but a member's name."""
        if not isinstance(written, str) or written not in cls.__members__:
            close = _nearest(written, cls.__members__)
            hint = f"; did you mean {close}?" if close else ""
            raise ValueError(f'"{written}" is not one of {", ".join(cls.__members__)}{hint}')
        return cls[written]


def _mode_in_full(mode: Any) -> Any:
    if not isinstance(mode, str):
        raise ValueError("is not a mode; write one such as VM_ONLY")
    short = mode.strip().removeprefix(MODE_PREFIX)
    if short in RemediationMode.__members__:
        return RemediationMode[short]
    if mode != short and any(short.startswith(f"{known}_") for known in RemediationMode.__members__):
        return mode  # a newer server's variant, such as REMEDIATION_MODE_VM_ONLY_V2: the API decides
    if close := _nearest(short, RemediationMode.__members__):
        raise ValueError(f'"{mode}" is not a mode; did you mean {close}?')
    if mode.startswith(MODE_PREFIX) and mode != MODE_PREFIX:
        return mode  # perhaps a newer server's: the API decides
    raise ValueError(f'"{mode}" is not a mode; write one of {", ".join(RemediationMode.__members__)}')


def _known_state(state: Any) -> RemediationState:
    if isinstance(state, str) and state in RemediationState.__members__:
        return RemediationState[state]
    raise ValueError(f'"{state}" is not a state; {_instead(state, RemediationState.__members__)}')


def _known_trigger(trigger: Any) -> RemediationTrigger:
    short = str(trigger).removeprefix(TRIGGER_PREFIX)
    if short in RemediationTrigger.__members__:
        return RemediationTrigger[short]
    raise ValueError(f'"{trigger}" is not a trigger; {_instead(short, RemediationTrigger.__members__)}')


def _known_severity(severity: Any) -> AlertSeverity:
    short = str(severity).removeprefix(SEVERITY_PREFIX)
    if short in AlertSeverity.__members__:
        return AlertSeverity[short]
    raise ValueError(f'"{severity}" is not a severity; {_instead(short, AlertSeverity.__members__)}')


def _instead(written: Any, known: Collection[str]) -> str:
    """What to write in place of something that is not known."""
    close = _nearest(written, known)
    return f"did you mean {close}?" if close else f"write one of {', '.join(known)}"


def _nearest(written: Any, known: Collection[str]) -> str:
    """The known name that is most like what was written; empty if none is."""
    return next(iter(get_close_matches(str(written).upper(), known, n=1)), "")


Mode = Annotated[RemediationMode, BeforeValidator(_mode_in_full)]
"""A mode, in short or in full. One that only a newer server knows passes in full."""
State = Annotated[RemediationState, BeforeValidator(_known_state)]
"""A state that this version knows."""
Trigger = Annotated[RemediationTrigger, BeforeValidator(_known_trigger)]
"""A trigger that this version knows, in short (`MANUAL`) or in full."""
Severity = Annotated[AlertSeverity, BeforeValidator(_known_severity)]
"""A severity that this version knows, in short (`CRITICAL`) or in full."""


def _parted(written: Any) -> Any:
    return [part.strip() for part in written.split(",") if part.strip()] if isinstance(written, str) else written


T = TypeVar("T")
Parted = Annotated[tuple[T, ...], BeforeValidator(_parted)]
"""Values separated by commas: a flag holds one text."""


def seconds(duration: str) -> float:
    """The length of a duration as Pulumi and Go write them (`90s`, `30m`, `1h30m`) in seconds. Raises ValueError, with
    what to write instead, for anything else."""
    try:
        length = durationpy.from_str(duration).total_seconds()
    except (durationpy.DurationError, ValueError, IndexError):
        length = 0.0
    if length <= 0 or not duration[-1:].isalpha():
        raise ValueError(f'"{duration}" is not a duration; write a number with its unit, such as 90s, 30m or 1h30m')
    return length


def duration_text(length: float | timedelta) -> str:
    """A duration (in seconds, or a timedelta) in whole seconds for people: `1m5s`."""
    whole = round(length.total_seconds() if isinstance(length, timedelta) else length)
    return durationpy.to_str(timedelta(seconds=whole)) if whole > 0 else "0s"


def _checked(duration: Any) -> str:
    written = str(duration).strip()
    seconds(written)
    return written


Duration = Annotated[str, BeforeValidator(_checked)]
"""A duration, kept as it was written, that is valid and longer than zero."""
