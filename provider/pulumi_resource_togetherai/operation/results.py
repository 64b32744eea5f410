"""What the operations on a resource are given, and what they return, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_resource_togetherai.sanitize import sanitize

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A resource as the stack holds it."""

    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Diff:
    """What an `up` has to do about a resource that the stack holds."""

    replaces: list[str] = field(default_factory=list[str])
    """The properties because of which it is replaced, after the old one has been deleted."""
    unfinished: bool = False
    """Whether the recorded end is a bad one, which Update reports again."""
    settings: list[str] = field(default_factory=list[str])
    """The other inputs that changed. They run nothing; the stack records them."""


@dataclass(frozen=True)
class Resource:
    """A resource as an operation leaves it, and why it is not complete, if it is not."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    """Exactly as the API answered."""
    problem: str | None

    @property
    def problem_text(self) -> str:
        """The problem as it is shown to people; empty if there is none."""
        return sanitize(self.problem or "")
