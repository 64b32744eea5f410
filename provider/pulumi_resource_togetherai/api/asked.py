"""What a question is about, and whether an answer is about the same: the one check of identity, on every path.

An id that the answer lacks is the one that was asked about. An id that contradicts the question is an error: without
this check the provider could take the record of another remediation for its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pydantic import ValidationError

from pulumi_resource_togetherai.api.enums import (
    TERMINAL_STATES,
    UNSPECIFIED_MODE,
    UNSPECIFIED_TRIGGER,
    RemediationMode,
    RemediationState,
)
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.api.plausible import USABLE_ID, is_unset
from pulumi_resource_togetherai.sanitize import quoted

ALL_INSTANCES = "-"
"""In place of an instance id: every instance of the cluster."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Unusable(Exception):
    """An answer, or an item of a list, that cannot be used. The text says why."""


class Contradiction(Unusable):
    """An answer about something else than was asked."""


def is_uuid(identifier: str) -> bool:
    """Whether an id has the form of a UUID."""
    return _UUID.fullmatch(identifier) is not None


def folded(identifier: str) -> str:
    """An id as it is compared: UUIDs without regard to case."""
    return identifier.lower() if is_uuid(identifier) else identifier


def same_id(one: str, other: str) -> bool:
    """Whether two ids name the same thing."""
    return one == other or folded(one) == folded(other)


@dataclass(frozen=True)
class Asked:
    """What a question is about; None for what it leaves open."""

    cluster_id: str
    instance_id: str | None = None
    remediation_id: str | None = None
    mode: RemediationMode | None = None
    """The mode of a remediation that is about to be started."""

    def read(self, item: Any) -> Remediation:
        """The remediation that an answer describes, with the ids spelled as in the question. Raises Unusable."""
        if not isinstance(item, Mapping):
            raise Unusable("it is not a remediation")
        asked = {"cluster_id": self.cluster_id, "instance_id": self.instance_id, "id": self.remediation_id}
        lacking = {"mode": self.mode or UNSPECIFIED_MODE, "trigger": UNSPECIFIED_TRIGGER, **asked}
        fields = dict(cast(Mapping[str, Any], item))
        for name, value in lacking.items():
            camel = {"cluster_id": "clusterId", "instance_id": "instanceId"}.get(name, name)
            if is_unset(fields.get(name)) and is_unset(fields.get(camel)):
                fields[name] = value
        try:
            record = Remediation.model_validate(fields)
        except (ValidationError, RecursionError) as error:
            raise Unusable(problem(error)) from error
        for name, value in asked.items():
            said: str = getattr(record, name)
            if value is not None and not same_id(said, value):
                raise Contradiction(self._contradicted_by(record))
            if not USABLE_ID.fullmatch(said):
                raise Unusable(f'its {name} "{quoted(said)}" is not an id')
            if value is not None and said != value:
                setattr(record, name, value)
        object.__setattr__(record, "__pydantic_fields_set__", _shared(frozenset(record.model_fields_set)))
        return record

    def _contradicted_by(self, record: Remediation) -> str:
        wanted = f"remediation {self.remediation_id} of " if self.remediation_id else ""
        of_instance = f"instance {self.instance_id} in " if self.instance_id else ""
        return (
            f"asked about {wanted}{of_instance}cluster {self.cluster_id}, it answered with remediation "
            f"{quoted(record.id)} of instance {quoted(record.instance_id)} in cluster {quoted(record.cluster_id)}. The "
            "provider does not use this answer"
        )


@lru_cache(maxsize=64)
def _shared(names: frozenset[str]) -> set[str]:
    """One set for all records with the same fields. Pydantic gives each record a set of its own with the names of its
    fields, which takes nearly half of a record's memory, and of a thousand waits. Nobody changes a record once it was
    read: that would add to the set of the others too."""
    return set(names)


def instance_of(item: Any) -> str | None:
    """The instance that an unusable item is about, if that much can be read."""
    if not isinstance(item, Mapping):
        return None
    fields = cast(Mapping[str, Any], item)
    said = fields.get("instance_id") or fields.get("instanceId")
    return said if isinstance(said, str) else None


def has_ended(item: Any) -> bool:
    """Whether an unusable item says of itself that it has ended."""
    said = cast(Mapping[str, Any], item).get("state") if isinstance(item, Mapping) else None
    return isinstance(said, str) and bool(said) and RemediationState(said) in TERMINAL_STATES


def problem(error: ValidationError | RecursionError) -> str:
    """The first thing that is wrong with a body, and where."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors(include_input=False, include_url=False)[0]
    where = quoted(".".join(str(part) for part in first["loc"]))
    return f"{where}: {quoted(first['msg'])}" if where else quoted(first["msg"])
