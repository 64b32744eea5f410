"""Check: validates what a program declares, without the network, and says of each mistake what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pulumi_resource_togetherai.fields import Inputs
from pulumi_resource_togetherai.unknown import holds_unknown


@dataclass(frozen=True)
class Failure:
    """One mistake: the path of the property, and what is wrong with it in words for the person who wrote it."""

    property: str
    reason: str
    unshown: str = ""
    """The reason without the value, for an input that is or may be secret. Empty if the reason holds no value."""


@dataclass(frozen=True)
class Checked:
    """The inputs in the API's spelling, as far as they are known, and the mistakes found."""

    inputs: dict[str, Any]
    failures: list[Failure]


def fields_of(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """A model's fields by name: first those that are required, else in the order of their definition."""
    return sorted(model.model_fields.items(), key=lambda item: not item[1].is_required())


def check(model: type[BaseModel], properties: Mapping[str, Any]) -> Checked:
    """Validates properties against a model. Values that are not known yet pass; defaults are not filled in."""
    unknown = {name: value for name, value in properties.items() if holds_unknown(value)}
    known = {name: value for name, value in properties.items() if name not in unknown and value is not None}
    failures = _choice(model, [*known, *unknown])
    try:
        inputs = _not_requiring(model, unknown).model_validate(known)
    except ValidationError as error:
        failures += [_failure(model, details) for details in error.errors()]
    else:
        if not failures:
            return Checked(inputs.model_dump(mode="json", by_alias=True, exclude_unset=True) | unknown, [])
    return Checked(dict(properties), failures)


def _choice(model: type[BaseModel], given: Collection[str]) -> list[Failure]:
    """The mistake of choosing none of the ways of which one is to be chosen, or several, or one by half."""
    ways = model.one_of if issubclass(model, Inputs) else ()
    chosen = [way for way in ways if any(name in given for name in way)]
    if not chosen:
        return [Failure(ways[0][0], f"{_told(ways, 'or')} is required")] if ways else []
    if len(chosen) > 1:
        last = next(name for name in chosen[-1] if name in given)
        return [Failure(last, f"{_told(chosen, 'and')}: give one of them")]
    return [Failure(name, f"{name} is required") for name in chosen[0] if name not in given]


def _told(ways: Sequence[Sequence[str]], between: str) -> str:
    return f" {between} ".join(" with ".join(way) for way in ways)


def _not_requiring(model: type[BaseModel], names: Collection[str]) -> type[BaseModel]:
    """The same model, to which the named properties may be missing."""
    optional: dict[str, Any] = {key: (Any, None) for key, field in model.model_fields.items() if field.alias in names}
    return create_model(model.__name__, __base__=model, **optional) if optional else model


def _failure(model: type[BaseModel], details: ErrorDetails) -> Failure:
    path = ".".join(str(part) for part in details["loc"])
    name = str(details["loc"][0]) if details["loc"] else ""
    value = details.get("input")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Pulumi knows floats only
    match details["type"]:
        case "missing":
            reason = f"{path} is required"
        case "extra_forbidden":
            *where, written = map(str, details["loc"])
            known = [str(field.alias) for _, field in fields_of(_model_at(model, details["loc"][:-1]))]
            close = get_close_matches(written, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the properties are {', '.join(known)}"
            reason = f'"{written}" is not a property{" of " + ".".join(where) if where else ""}; {hint}'
        case "string_pattern_mismatch" if value == "" or str(value).isspace():
            reason = f"{path} is empty"
        case "string_pattern_mismatch":
            reason = f"{path}: {value!r} is not an id; an id may have only letters, digits and _ . : ~ @ = + , -"
        case "value_error":
            said = details["msg"].removeprefix("Value error, ")
            reason = f"{path}: {said}" if path else said
        case _:
            secret = any(
                field.alias == name and SecretStr in get_args(field.annotation) for _, field in fields_of(model)
            )
            shown = f"{value!r}: " if isinstance(value, str | int | float | bool) and not secret else ""
            reason = f"{path}: {shown}{details['msg'][:1].lower()}{details['msg'][1:]}"
    advice = "".join(reason.partition("; ")[1:])
    hidden = f"{name or 'the inputs'}: what is given is not valid, and not shown, because it may be secret{advice}"
    return Failure(path, reason, hidden)


def _model_at(model: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    """The model of what stands at a path in what a model describes."""
    for part in path:
        field = next((field for _, field in fields_of(model) if field.alias == part), None)
        if field is not None:
            model = next((inner for inner in _inside(field.annotation) if issubclass(inner, BaseModel)), model)
    return model


def _inside(annotation: Any) -> Iterator[type]:
    """The classes that a type consists of: of `list[Rule] | None` these are Rule and NoneType."""
    for one in get_args(annotation) or (annotation,):
        if isinstance(one, type) and not get_args(one):
            yield one
        elif one is not annotation:
            yield from _inside(one)
