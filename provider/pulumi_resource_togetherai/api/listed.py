"""A list of remediations, each of which is read separately: one that cannot be used hides no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from pulumi_resource_togetherai.api.asked import Asked, Contradiction, Unusable, folded, has_ended, instance_of
from pulumi_resource_togetherai.api.models import Remediation

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Unreadable:
    """An item of a list that cannot be used."""

    instance_id: str | None
    """The instance that the item is about, if that much can be read."""
    problem: str
    """What is wrong with it."""
    ended: bool = False
    """Whether it says that it has ended: then it is not under way."""


class Listed(list[Remediation]):
    """Remediations as the API lists them, and what the list may lack."""

    def __init__(
        self, records: Iterable[Remediation] = (), unreadable: Iterable[Unreadable] = (), *, cut_off: str = ""
    ) -> None:
        """`cut_off`: why the list ends before its end; empty if the API said that nothing follows."""
        super().__init__(records)
        self.unreadable = list(unreadable)
        self.cut_off = cut_off

    @property
    def incomplete(self) -> str:
        """Why the list may lack a remediation; empty if it is complete."""
        if self.cut_off:
            return self.cut_off
        return f"it lists a remediation that cannot be read ({self.unreadable[0].problem})" if self.unreadable else ""

    @cached_property
    def _by_instance(self) -> dict[str, list[Remediation]]:
        found = defaultdict[str, list[Remediation]](list)
        for record in self:
            found[folded(record.instance_id)].append(record)
        return dict(found)

    def of(self, instance_id: str) -> Listed:
        """The remediations of one instance, with the unreadable items that may belong to it."""
        instance = folded(instance_id)
        return Listed(self._by_instance.get(instance, ()), self._unreadable_of({instance}), cut_off=self.cut_off)

    def of_any(self, instance_ids: Iterable[str], *, or_else: Callable[[Remediation], bool] | None = None) -> Listed:
        """The remediations of several instances, and those that `or_else` is true of, in the order of this list."""
        instances = {folded(each) for each in instance_ids}
        found = (
            record
            for record in self
            if folded(record.instance_id) in instances or (or_else is not None and or_else(record))
        )
        return Listed(found, self._unreadable_of(instances), cut_off=self.cut_off)

    def beside(self, other: Listed) -> Listed:
        """Both lists in one, newest first; of a remediation in both the record of this one."""
        known = {folded(record.id) for record in self}
        records = [*self, *(record for record in other if folded(record.id) not in known)]
        records.sort(key=lambda record: record.create_time or _LONG_AGO, reverse=True)
        return Listed(records, [*self.unreadable, *other.unreadable], cut_off=self.cut_off or other.cut_off)

    def _unreadable_of(self, instances: Collection[str]) -> list[Unreadable]:
        """The items that may belong to one of these instances."""
        return [one for one in self.unreadable if one.instance_id is None or folded(one.instance_id) in instances]


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    records: list[Remediation]
    unreadable: list[Unreadable]
    next_token: str | None
    """The token of the next page; None if the server gave none."""
    has_next: bool | None
    """Whether another page follows; None if the server did not say."""
    size: int
    """The length of the answer, in bytes."""

    @property
    def length(self) -> int:
        """How many items it has."""
        return len(self.records) + len(self.unreadable)

    @classmethod
    def read(cls, body: Any, asked: Asked, size: int) -> Page:
        """The page that an answer holds. Raises Unusable, Contradiction if an item is of something else."""
        if not isinstance(body, Mapping):
            raise Unusable("it is not a list of remediations")
        body = cast(Mapping[str, Any], body)
        items, token = body.get("remediations"), body.get("next_page_token") or body.get("nextPageToken")
        if items is not None and not isinstance(items, list):
            raise Unusable("its remediations are not a list")
        records, unreadable = list[Remediation](), list[Unreadable]()
        for item in cast(list[Any], items or []):
            try:
                records.append(asked.read(item))
            except Contradiction:
                raise
            except Unusable as error:
                unreadable.append(Unreadable(asked.instance_id or instance_of(item), str(error), has_ended(item)))
        said = body.get("has_next", body.get("hasNext"))
        return cls(records, unreadable, str(token) if token else None, None if said is None else bool(said), size)
