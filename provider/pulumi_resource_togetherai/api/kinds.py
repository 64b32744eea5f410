"""What the fields of the API's messages hold: times, texts, lists and so on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from pulumi_resource_togetherai.api.enums import OpenEnum


class Kind(NamedTuple):
    """What a field holds: `time`, `text`, `enum`, `list`, `message` or `other`; and of which model, if of one."""

    name: str
    model: type[BaseModel] | None = None


OTHER = Kind("other")


@cache
def kinds(model: type[BaseModel]) -> Mapping[str, Kind]:
    """The kind of each field of a message, by its name."""
    return {name: _kind(field.annotation) for name, field in model.model_fields.items()}


def _kind(annotation: Any) -> Kind:
    parts = get_args(annotation)
    held = next(part for part in parts if part is not NoneType) if NoneType in parts else annotation
    if get_origin(held) is list:
        return Kind("list", _kind(get_args(held)[0]).model)
    if not isinstance(held, type):
        return OTHER
    if issubclass(held, BaseModel):
        return Kind("message", held)
    for base, name in ((datetime, "time"), (OpenEnum, "enum"), (str, "text")):
        if issubclass(held, base):
            return Kind(name)
    return OTHER
