"""What the operations on a resource are given, and what they return, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from pulumi_resource_togetherai.sanitize import sanitize_lines

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


class StackState(Protocol):
    """What the stack records of a resource, by kind."""

    @property
    def inputs(self) -> BaseModel:
        """What was declared."""
        ...

    @property
    def id(self) -> str:
        """The resource's id, which is also its import id."""
        ...

    def outputs(self) -> dict[str, Any]:
        """The outputs."""
        ...


@dataclass(frozen=True)
class Resource:
    """A resource as an operation leaves it, and why it is not complete, if it is not."""

    state: StackState
    problem: str | None = None
    written: Properties | None = None
    """The inputs as the program wrote them; None for an import."""

    @property
    def id(self) -> str:
        """Its id, which is also its import id."""
        return self.state.id

    @property
    def inputs(self) -> dict[str, Any]:
        """Its inputs as the program wrote them, or as a program would write those of an import."""
        if self.written is not None:
            return dict(self.written)
        return self.state.inputs.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @property
    def outputs(self) -> dict[str, Any]:
        """Its outputs, exactly as the API answered."""
        return self.state.outputs()

    @property
    def problem_text(self) -> str:
        """The problem as it is shown to people; empty if there is none."""
        return sanitize_lines(self.problem or "")
