"""How answers are spoken: pure functions from the simulator's own answer to the one in the dialect in force.

This is the only place where answers are worded otherwise. The world, its operations and the pages know one wording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from http import HTTPStatus
from typing import Any, cast

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import MODE_PREFIX, TRIGGER_PREFIX
from pulumi_resource_togetherai.api.kinds import OTHER, Kind, kinds
from togetherai_simulator.dialect import Dialect
from togetherai_simulator.errors import Refusal
from togetherai_simulator.openapi import answer_model
from togetherai_simulator.operations import ID_UUID, Answer, Operation
from togetherai_simulator.world import ALL

Json = dict[str, Any]

ACTIONS = frozenset({"approve", "reject", "cancel"})
PREFIXES = re.compile(f"^(?:{MODE_PREFIX}|{TRIGGER_PREFIX}|PHC_SEVERITY_)")
"""What the short spelling of an enum leaves out. States have no prefix."""
ZERO_TIMES = {"null": None, "empty": "", "zero": "0001-01-01T00:00:00Z", "epoch": "1970-01-01T00:00:00Z"}
ID_FIELD = re.compile(r"(^|_)id$")
DATA = frozenset({"annotations"})
"""Fields whose keys are not names of fields, but somebody's data."""


def speak(answer: Answer, operation: Operation, path: Mapping[str, str], dialect: Dialect) -> Answer:
    """The answer of an operation, to a request whose path names these things."""
    if not dialect.spoken:
        return answer
    form = _form(operation, dialect)
    status = int(form[-3:])
    if form == "empty_200":
        return replace(answer, body=b"{}")
    if form.startswith("empty"):
        return replace(answer, status=status, body=b"", content_type="")
    content = _content(json.loads(answer.body), operation, path, dialect)
    return replace(answer, status=status, body=_encode({"id": content["id"]} if form == "id_201" else content))


def _form(operation: Operation, dialect: Dialect) -> str:
    """What is answered, and at its end the HTTP status."""
    if operation.name == "create":
        return dialect.create_answer
    return dialect.action_answer if operation.name in ACTIONS else "record_200"


def speak_refusal(refusal: Refusal, dialect: Dialect) -> Answer:
    """The answer to a request that is refused."""
    status = refusal.http_status
    body, content_type = _encode(refusal.body), "application/json"
    if not refusal.bare:
        match dialect.errors:
            case "status":
                pass
            case "openai":
                kind = "invalid_request_error" if status < 500 else "server_error"
                error = {"message": refusal.message, "type": kind, "param": None, "code": refusal.code.lower()}
                body = _encode({"error": error})
            case "text":
                body, content_type = refusal.message.encode(), "text/plain; charset=utf-8"
            case "html":
                title = escape(f"{status} {HTTPStatus(status).phrase}")
                page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
                body, content_type = page.encode(), "text/html; charset=utf-8"
    return Answer(body, None, status, refusal.headers, content_type)


def _encode(content: Json) -> bytes:
    return json.dumps(content).encode()


def _content(content: Json, operation: Operation, path: Mapping[str, str], dialect: Dialect) -> Json:
    model = answer_model(operation)
    content = _message(content, model, dialect)
    if operation.name == "list":
        _speak_page(content, dialect)
    if dialect.path_ids == "omitted":
        _omit_ids(content, operation, path)
    return _camel(content) if dialect.names == "camel" else content


# Values


def _message(content: Json, model: type[BaseModel] | None, dialect: Dialect) -> Json:
    """A message of this model (None: one that no model describes), with its values as the dialect writes them."""
    known = kinds(model) if model else dict[str, Kind]()
    spoken = {name: _value(name, value, known.get(name, OTHER), dialect) for name, value in content.items()}
    for name, kind in known.items():
        if content.get(name) is None:
            spoken[name] = _unset(kind, dialect)
    return {name: value for name, value in spoken.items() if value is not ABSENT}


ABSENT: Any = object()
"""The value of a field that is left out."""


def _value(name: str, value: Any, kind: Kind, dialect: Dialect) -> Any:
    match value:
        case []:
            return {"empty": value, "null": None, "absent": ABSENT}[dialect.empty_lists]
        case list():
            return [_value(name, item, kind, dialect) for item in cast(list[Any], value)]
        case dict():
            return cast(Json, value) if name in DATA else _message(cast(Json, value), kind.model, dialect)
        case str() if kind.name == "enum" and dialect.enums != "full":
            short = PREFIXES.sub("", value)
            return short.lower() if dialect.enums == "lower" else short
        case str() if dialect.id_case == "upper" and ID_FIELD.search(name) and ID_UUID.fullmatch(value):
            return value.upper()
        case _:
            return value


def _unset(kind: Kind, dialect: Dialect) -> Any:
    match kind.name:
        case "time":
            return ABSENT if dialect.unset_times == "absent" else ZERO_TIMES[dialect.unset_times]
        case "text":
            return {"absent": ABSENT, "null": None, "empty": ""}[dialect.unset_texts]
        case "list":
            return None if dialect.empty_lists == "null" else ABSENT
        case _:
            return None if dialect.unset_messages == "null" else ABSENT


# What only some answers have


def _speak_page(content: Json, dialect: Dialect) -> None:
    if dialect.has_next == "never" or (dialect.has_next == "when_true" and not content["has_next"]):
        del content["has_next"]
    if not content["next_page_token"] and dialect.unset_page_token != "empty":
        del content["next_page_token"]
        if dialect.unset_page_token == "null":
            content["next_page_token"] = None


def _omit_ids(content: Json, operation: Operation, path: Mapping[str, str]) -> None:
    """Leaves out the ids that the path names, of the answer itself and of the remediations in it."""
    named = [name for name in ("cluster_id", "instance_id") if path.get(name, ALL) != ALL]
    remediations: list[Json] = content.get("remediations") or []
    nodes: list[Json] = [
        *(content.get("gpu_worker_nodes") or []),
        *(content.get("deleted_gpu_worker_nodes") or []),
    ]
    latest: list[Json] = [node["latest_remediation"] for node in nodes if node.get("latest_remediation")]
    for record in (content, *remediations, *latest):
        for name in named:
            record.pop(name, None)


def _camel(content: Any) -> Any:
    match content:
        case list():
            return [_camel(item) for item in cast(list[Any], content)]
        case dict():
            named = cast(Json, content).items()
            return {to_camel(name): value if name in DATA else _camel(value) for name, value in named}
        case _:
            return content
