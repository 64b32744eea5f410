"""The answers that a description is made from: as they came, and as the provider reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.asked import Asked, Unusable
from pulumi_resource_togetherai.api.client import Look
from pulumi_resource_togetherai.api.kinds import kinds
from pulumi_resource_togetherai.api.models import Cluster, Remediation, RemediationPage

Json = dict[str, Any]
ABSENT: Any = object()
"""In place of the value of a field that is not there."""


@dataclass(frozen=True)
class Item:
    """A remediation in an answer."""

    fields: Json
    """As it came."""
    record: Remediation
    """As the provider reads it."""


@dataclass(frozen=True)
class Heard:
    """An answer, and what was asked."""

    look: Look
    about: Asked
    of: type[BaseModel]
    """What it should hold: a cluster, a page of remediations or a remediation."""

    @property
    def served(self) -> bool:
        """Whether the API did what was asked."""
        return self.look.served

    @cached_property
    def body(self) -> Json | None:
        """The message in the body; None if it holds none."""
        try:
            body = self.look.json()
        except Unusable:
            return None
        return cast(Json, body) if isinstance(body, dict) else None

    @cached_property
    def items(self) -> list[Item]:
        """The remediations in it that can be used."""
        found = list[Item]()
        for fields in self.raw_items:
            try:
                found.append(Item(cast(Json, fields), self.about.read(fields)))
            except Unusable:
                continue
        return found

    @cached_property
    def raw_items(self) -> list[Any]:
        """Whatever it holds in the place of remediations."""
        if not self.served or self.body is None:
            return []
        if self.of is Remediation:
            return [self.body]
        listed = value(self.body, "remediations") if self.of is RemediationPage else None
        return cast(list[Any], listed) if isinstance(listed, list) else []

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        has_next = value(self.body or {}, "has_next")
        return has_next if isinstance(has_next, bool) else self.token is not None

    @property
    def token(self) -> str | None:
        """The token of the next page."""
        token = value(self.body or {}, "next_page_token")
        return str(token) if token and token is not ABSENT else None


@dataclass
class Conversation:
    """Everything that was heard. What was not asked, or not answered, is None."""

    all: list[Heard] = field(default_factory=list[Heard])
    sent: int = 0
    """How many requests were sent."""
    stopped: str = ""
    """Why not everything was asked; empty if it was."""
    unanswered: Counter[str] = field(default_factory=Counter[str])
    """Why requests brought no answer, by the class of the error."""
    clock_ahead: float | None = None
    """By how many seconds the API's clock is ahead of this machine's."""
    cluster: Heard | None = None
    of_cluster: Heard | None = None
    """The list of all instances."""
    of_instance: Heard | None = None
    """The list of one instance."""
    listed: Heard | None = None
    """Of these two the one that further questions are about."""
    sized: dict[int, Heard] = field(default_factory=dict[int, Heard])
    """The first page of it by the size that was asked for as `page_size`."""
    sized_in_camel: Heard | None = None
    """A page of 1 that was asked for as `pageSize`."""
    next_page: dict[str, Heard] = field(default_factory=dict[str, Heard])
    """The page after one, by the name under which its token was sent."""
    filtered: dict[str, list[Filtered]] = field(default_factory=dict[str, list["Filtered"]])
    """The same list with a filter, by the filter's name, in each spelling that was tried."""
    several: dict[str, Filtered] = field(default_factory=dict[str, "Filtered"])
    """The same with several states, of which only one is in the list: `repeated` parameters, or `joined` by commas."""
    by_id: tuple[Item, Heard] | None = None
    """A remediation as it was listed, and what a GET of it was answered."""
    replaced_list: Heard | None = None
    """The list of an instance that was replaced."""
    replaced_by_id: Heard | None = None
    """A GET of a remediation of such an instance."""
    replaced_seen: int = 0
    """How many remediations of such instances were listed."""
    impossible: Heard | None = None
    """A GET of a remediation that cannot exist."""


@dataclass(frozen=True)
class Filtered:
    """A list with a filter."""

    wanted: frozenset[str]
    """The values that were asked for, as the contract writes them."""
    spelling: str
    """How they were written: `in full`, or as the API's answers write them."""
    heard: Heard


def value(fields: Mapping[str, Any], name: str) -> Any:
    """A field's value under its name or under the name in camelCase; ABSENT if it is not there."""
    return fields.get(name, fields.get(to_camel(name), ABSENT))


def messages(heard: Heard) -> Iterator[tuple[type[BaseModel], Json]]:
    """Every message in an answer that holds what it should, with the model that describes it."""
    body = heard.body
    if heard.served and body is not None:
        yield from _within(heard.of, body)


def _within(model: type[BaseModel], fields: Json) -> Iterator[tuple[type[BaseModel], Json]]:
    yield model, fields
    for name, kind in kinds(model).items():
        held, inner = value(fields, name), kind.model
        if inner is not None:
            for one in cast(list[Any], held) if isinstance(held, list) else [held]:
                if isinstance(one, dict):
                    yield from _within(inner, cast(Json, one))


def nodes(heard: Heard | None) -> list[Json]:
    """The nodes that are in a cluster, as they came, without those that have left it."""
    clusters = [fields for model, fields in messages(heard) if model is Cluster] if heard else []
    held = [value(fields, "gpu_worker_nodes") for fields in clusters]
    return [
        cast(Json, one)
        for each in held
        if isinstance(each, list)
        for one in cast(list[Any], each)
        if isinstance(one, dict)
    ]
