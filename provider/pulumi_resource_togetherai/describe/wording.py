"""How an API words its answers: unset values, empty lists, names, values of enums, ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.asked import is_uuid
from pulumi_resource_togetherai.api.enums import OpenEnum, RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.kinds import kinds
from pulumi_resource_togetherai.api.models import Remediation, RemediationPage
from pulumi_resource_togetherai.api.plausible import is_unset, plausible_time
from pulumi_resource_togetherai.clusters.marker import is_marked
from pulumi_resource_togetherai.describe.finding import Finding, cannot_tell, counted
from pulumi_resource_togetherai.describe.heard import ABSENT, Conversation, Json, messages, value

IN_PATH = frozenset({"id", "cluster_id", "instance_id"})
"""Fields that an answer may leave out because the request named them."""
ENUMS: dict[str, type[OpenEnum]] = {
    "mode": RemediationMode,
    "trigger": RemediationTrigger,
    "state": RemediationState,
}
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}")
"""What the name of a field or a value of an enum looks like. Anything else might be somebody's text."""
_TIME = TypeAdapter(datetime)


def wording(heard: Conversation) -> list[Finding]:
    """What the answers show."""
    described = [message for answer in heard.all for message in messages(answer)]
    return [
        *_unset("unset times", "time", described, "no time was unset"),
        *_unset("unset texts", "text", described, "no text was unset"),
        *_unset("other unset values", "other", described, "no other value was unset"),
        *_empty_lists(described),
        *_names(described),
        *_enums(heard),
        *_ids(heard),
        *_ids_of_the_path(heard),
        *_markers(heard),
        *_unknown(heard, described),
    ]


# --- unset values ---


def _unset(about: str, kind: str, described: Iterable[tuple[type[BaseModel], Json]], none: str) -> list[Finding]:
    ways = (
        way
        for model, fields in described
        if model is not RemediationPage
        for name, held in kinds(model).items()
        if (held.name == kind or (kind == "other" and held.name == "message")) and name not in IN_PATH
        if (way := how_unset(value(fields, name), is_time=kind == "time"))
    )
    return counted(about, ways, none)


def how_unset(held: Any, *, is_time: bool = False) -> str | None:
    """How a value says that it is unset; None if it does not."""
    if held is ABSENT:
        return "absent"
    if held is None:
        return "null"
    if held == "" or held == {}:
        return '""' if held == "" else "{}"
    if isinstance(held, str) and is_unset(held):
        return _ZEROS.get(held[:10], "a word for none")
    if is_time and not _believed(held):
        return "0" if held == 0 else "a time that the provider does not believe"
    return None


_ZEROS = {"0001-01-01": "0001-01-01", "1970-01-01": "1970-01-01", "0000-00-00": "0000-00-00"}


def _believed(held: Any) -> bool:
    try:
        return plausible_time(_TIME.validate_python(held)) is not None
    except (ValidationError, OverflowError):
        return False


# --- lists ---


def _empty_lists(described: Iterable[tuple[type[BaseModel], Json]]) -> list[Finding]:
    of_remediations, others = list[str](), list[str]()
    for model, fields in described:
        for name, held in kinds(model).items():
            listed = value(fields, name)
            if held.name == "list" and not (isinstance(listed, list) and listed):
                way = "[]" if listed == [] else "null" if listed is None else "absent" if listed is ABSENT else "other"
                (of_remediations if model is RemediationPage else others).append(way)
    return [
        *counted("empty list of remediations", of_remediations, "no list was empty"),
        *counted("other empty lists", others, "no other list was empty"),
    ]


# --- names and values ---


def _names(described: Iterable[tuple[type[BaseModel], Json]]) -> list[Finding]:
    spelled = list[str]()
    for model, fields in described:
        for name in model.model_fields:
            if name != to_camel(name):
                spelled += ["snake_case"] * (name in fields) + ["camelCase"] * (to_camel(name) in fields)
    return counted("names of fields", spelled, "no answer has fields")


def _enums(heard: Conversation) -> list[Finding]:
    found = list[Finding]()
    for name, enum in ENUMS.items():
        written = [
            _spelling(member.value, said)
            for fields in _remediations(heard)
            if isinstance(said := value(fields, name), str) and (member := enum(said) if said else None)
            if member.known
        ]
        found += counted(f"values of {name}", written, "no remediation was listed")
    return found


def _spelling(full: str, written: str) -> str:
    if written == full:
        return "as in the contract"
    if full.endswith(written):
        return "without the prefix"
    if full.lower().endswith(written):
        return "without the prefix, in lower case" if full.lower() != written else "in lower case"
    return "in another spelling that the provider understands"


def _ids(heard: Conversation) -> list[Finding]:
    names = {"id": "ids of remediations", "instance_id": "ids of instances", "cluster_id": "ids of clusters"}
    found = list[Finding]()
    for name, about in names.items():
        forms = (
            _form(said)
            for fields in _remediations(heard)
            if isinstance(said := value(fields, name), str | int) and said != ""
        )
        found += counted(about, forms, "no remediation has one")
    return found


def _form(identifier: str | int) -> str:
    if isinstance(identifier, int):
        return "a number"
    if not is_uuid(identifier):
        return "not a UUID"
    return "a UUID" if identifier == identifier.lower() else "a UUID in upper case"


def _ids_of_the_path(heard: Conversation) -> list[Finding]:
    ways = (
        "repeated" if value(cast(Json, fields), name) not in (ABSENT, None, "") else "left out"
        for answer in heard.all
        for fields in answer.raw_items
        if isinstance(fields, dict)
        for name in ("cluster_id", "instance_id")
        if getattr(answer.about, name) is not None
    )
    return counted("ids that the path names", ways, "no remediation was listed")


def _markers(heard: Conversation) -> list[Finding]:
    def way(reason: str) -> str:
        if is_marked(reason):
            return "the provider's marker"
        return "a marker that is cut off" if "[pulumi " in reason else "no marker"

    reasons = (
        way(reason) for fields in _remediations(heard) if isinstance(reason := value(fields, "reason"), str) and reason
    )
    return counted("reasons", reasons, "no remediation has a reason")


# --- what this version does not know ---


def _unknown(heard: Conversation, described: Iterable[tuple[type[BaseModel], Json]]) -> list[Finding]:
    private = set(_texts(heard))
    fields_of = dict[str, list[set[str]]]()
    for model, fields in described:
        known = {*model.model_fields, *map(to_camel, model.model_fields)}
        fields_of.setdefault(model.__name__, []).append({_shown(name, private) for name in set(fields) - known})
    found = list[Finding]()
    for model, unknown in fields_of.items():
        found += _listed(f"unknown fields of {model}", unknown)
    for name, enum in ENUMS.items():
        said = [one for fields in _remediations(heard) if isinstance(one := value(fields, name), str) and one]
        unknown = [set[str]() if enum(one).known else {_shown(one, private)} for one in said]
        about = f"unknown values of {name}"
        found += _listed(about, unknown) if said else cannot_tell(about, "no remediation was listed")
    return found


def _listed(about: str, unknown: list[set[str]]) -> list[Finding]:
    """The unknown words in each message or value: those that were seen equally often in one finding."""
    of, together = len(unknown), dict[int, list[str]]()
    for word, count in Counter(sorted(chain.from_iterable(unknown))).most_common():
        together.setdefault(count, []).append(word)
    found = [Finding(about, ", ".join(words), count, of) for count, words in together.items()]
    return found or [Finding(about, "none", of, of)]


def _shown(word: str, private: set[str]) -> str:
    return word if WORD.fullmatch(word) and word not in private else "one that may be private"


def _texts(heard: Conversation) -> Iterator[str]:
    """Every text that some answer holds, but for the values of enums; and the cluster's id."""
    for answer in heard.all:
        yield answer.about.cluster_id
        if answer.body is not None:
            yield from _texts_in(answer.body)


def _texts_in(held: Any) -> Iterator[str]:
    match held:
        case str():
            yield held
        case list():
            for one in cast(list[Any], held):
                yield from _texts_in(one)
        case dict():
            for name, one in cast(Json, held).items():
                if name not in ENUMS:
                    yield from _texts_in(one)
        case _:
            pass


def _remediations(heard: Conversation) -> list[Json]:
    """Every remediation in an answer, also those within nodes."""
    return [fields for answer in heard.all for model, fields in messages(answer) if model is Remediation]
