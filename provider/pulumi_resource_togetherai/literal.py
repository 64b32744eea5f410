"""Makes values from elsewhere safe to hand to Pulumi's engine, which gives some of them a meaning.

Pulumi sends what is not known yet, what is secret and what is a file as certain texts and as dictionaries with a
certain key. A text of the API that equals one of them would make the engine refuse the whole resource, after its
remediation has run; so would a number or a text that JSON can hold and Pulumi's protocol cannot.
"""

from __future__ import annotations

import json
import math
from typing import Any, cast

from pulumi_resource_togetherai.unknown import UNKNOWNS

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of a dictionary that stands for something else."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""The value of that key where it stands for a secret."""
_MARKS = UNKNOWNS | {SIGNATURE}
_LARGEST = math.nextafter(math.inf, 0)
_DEEPEST = 16
"""How many values may stand inside each other. A Python process reads 32 levels of Pulumi's protocol, and no more."""


def marked_secret(value: Any) -> dict[str, Any]:
    """A value as a secret."""
    return {SIGNATURE: SECRET, "value": value}


def literal(value: Any, *, planned: bool = False) -> Any:
    """A value that the engine takes for what it is: marks of Pulumi's in quotes, and what its protocol cannot hold as
    text. `as_it_was` takes the quotes away again. `planned`: whether what is not known yet may be in it."""
    return _literal(value, _MARKS - UNKNOWNS if planned else _MARKS, _DEEPEST)


def as_it_was(value: Any) -> Any:
    """A value that `literal` has made, without the quotes."""
    if isinstance(value, dict):
        return {as_it_was(name): as_it_was(item) for name, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [as_it_was(item) for item in cast(list[Any], value)]
    return value[1:-1] if isinstance(value, str) and _is_quoted_mark(value) else value


def _literal(value: Any, marks: frozenset[str], levels: int) -> Any:
    if isinstance(value, dict | list) and levels == 0:
        return _literal(json.dumps(value), marks, levels)
    match value:
        case dict():
            items = cast(dict[str, Any], value).items()
            return {_literal(name, marks, levels): _literal(item, marks, levels - 1) for name, item in items}
        case list():
            return [_literal(item, marks, levels - 1) for item in cast(list[Any], value)]
        case str():
            text = value.encode(errors="replace").decode()  # half of a surrogate pair is no text to the protocol
            return f"'{text}'" if text in marks or _is_quoted_mark(text) else text
        case int() | float() if not abs(value) <= _LARGEST:
            return str(value)
        case _:
            return value


def _is_quoted_mark(text: str) -> bool:
    return text[:1] == text[-1:] == "'" and text.strip("'") in _MARKS
