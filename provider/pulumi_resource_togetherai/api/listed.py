"""A list of remediations, each of which is read separately: one that cannot be read or believed hides no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, cast

from pydantic import Field, ValidationError

from pulumi_resource_togetherai.api.believable import beyond_reason, problem
from pulumi_resource_togetherai.api.models import ApiModel, Remediation


@dataclass(frozen=True)
class Unreadable:
    """An item of a list that cannot be read as a remediation, or cannot be believed."""

    instance_id: str | None
    """The instance that the item is about, if that much can be read."""
    problem: str
    """What is wrong with it."""

    @classmethod
    def of(cls, item: Any) -> Unreadable:
        """Describes an item that is no remediation, or one that cannot be believed."""
        if isinstance(item, Remediation):
            return cls(item.instance_id, beyond_reason(item))
        instance: Any = cast(dict[str, Any], item).get("instance_id") if isinstance(item, dict) else None
        try:
            Remediation.model_validate(item)
        except ValidationError as error:
            return cls(instance if isinstance(instance, str) else None, problem(error))
        return cls(None, "it is not a remediation")


class Listed(list[Remediation]):
    """Remediations, and the items of the API's list that could not be read."""

    def __init__(self, records: Iterable[Remediation] = (), unreadable: Iterable[Unreadable] = ()) -> None:
        super().__init__(records)
        self.unreadable = list(unreadable)

    @cached_property
    def _by_instance(self) -> dict[str, list[Remediation]]:
        found = defaultdict[str, list[Remediation]](list)
        for record in self:
            found[record.instance_id].append(record)
        return dict(found)

    def of(self, instance_id: str) -> Listed:
        """The remediations of one instance, with the unreadable items that may belong to it."""
        may_be = (item for item in self.unreadable if item.instance_id in (None, instance_id))
        return Listed(self._by_instance.get(instance_id, ()), may_be)


class Page(ApiModel):
    """A RemediationPage that reads every remediation separately: one that cannot be read hides no other."""

    remediations: list[Annotated[Remediation | Any, Field(union_mode="left_to_right")]] = Field(
        default_factory=list[Any]
    )
    has_next: bool = False
    next_page_token: str | None = None

    @cached_property
    def readable(self) -> list[Remediation]:
        """The remediations that can be read and believed."""
        return [item for item in self.remediations if isinstance(item, Remediation) and not beyond_reason(item)]

    def unreadable(self) -> list[Unreadable]:
        """The items that cannot be read or believed."""
        if len(self.readable) == len(self.remediations):
            return []
        readable = {id(item) for item in self.readable}
        return [Unreadable.of(item) for item in self.remediations if id(item) not in readable]

    def contradiction(self, wrong: Callable[[Remediation], str]) -> str:
        """What is wrong with the first remediation that was not asked for; empty if there is none."""
        return next((why for item in self.readable if (why := wrong(item))), "")
