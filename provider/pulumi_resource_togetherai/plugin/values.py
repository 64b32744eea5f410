"""Property values on the wire, and as plain ones. What a program marked as secret stays secret in what goes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import Computed, PropertyValue

from pulumi_resource_togetherai.unknown import UNKNOWN

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""How Pulumi's protocol marks a value as secret: by this signature, under that name."""


class Properties(NamedTuple):
    """Properties as plain values, and the names of those that hold a secret."""

    values: dict[str, Any]
    secret: frozenset[str]


def taken(struct: struct_pb2.Struct) -> Properties:
    """The properties of a message."""
    found = PropertyValue.unmarshal_map(struct)
    secret = frozenset(name for name, value in found.items() if value.contains_secret())
    return Properties({name: plain(value) for name, value in found.items()}, secret)


def given(values: Mapping[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    """Plain values as the properties of a message, those named in `secret` marked as such."""
    struct = struct_pb2.Struct()
    marked = {name: {_SIGNATURE: _SECRET, "value": values[name]} for name in secret if name in values}
    struct.update({**values, **marked})
    return struct


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
