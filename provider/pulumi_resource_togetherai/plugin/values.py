"""Marshals and unmarshals property values. What a program marked as secret stays secret in the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from google.protobuf import json_format, struct_pb2
from pulumi.provider.experimental.property_value import Computed, PropertyValue

from pulumi_resource_togetherai.literal import SECRET, SIGNATURE, literal, marked_secret
from pulumi_resource_togetherai.unknown import UNKNOWN


class Properties(NamedTuple):
    """Properties as plain values, and the names of those that hold a secret."""

    values: dict[str, Any]
    secret: frozenset[str]


def unmarshal(struct: struct_pb2.Struct) -> Properties:
    """The properties of a message."""
    marked: dict[str, Any] = json_format.MessageToDict(struct)
    values = {name: _revealed(value) for name, value in marked.items()}
    return Properties(values, frozenset(name for name, value in values.items() if value is not marked[name]))


def marshal(values: Mapping[str, Any], secret: Collection[str] = ()) -> struct_pb2.Struct:
    """Plain values as the properties of a message, those named in `secret` marked as such. All of them are known."""
    return _struct(literal(dict(values)), secret)


def marshal_planned(values: Mapping[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    """The same for values some of which may not be known yet."""
    return _struct(literal(dict(values), planned=True), secret)


def _struct(values: dict[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({**values, **{name: marked_secret(values[name]) for name in secret if name in values}})
    return struct


def _revealed(value: Any) -> Any:
    """A value without marks of secrecy; the very same one if there are none."""
    if isinstance(value, dict):
        items = cast(dict[str, Any], value)
        if items.get(SIGNATURE) == SECRET:
            return _revealed(items["value"])
        revealed = {name: _revealed(item) for name, item in items.items()}
        return items if all(revealed[name] is item for name, item in items.items()) else revealed
    if isinstance(value, list):
        elements = cast(list[Any], value)
        shown = [_revealed(element) for element in elements]
        return elements if all(new is old for new, old in zip(shown, elements, strict=True)) else shown
    return value


def plain(value: PropertyValue) -> Any:
    """A property value without what Pulumi knows about it; one that is not known yet as the string `UNKNOWN`."""
    found = value.value
    if isinstance(found, Computed):
        return UNKNOWN
    if isinstance(found, Mapping):
        return {name: plain(item) for name, item in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [plain(item) for item in found]
    return found
