"""Who a remediation belongs to: the resource that started it, and what that resource declared then.

A remediation carries its key twice: as `remediation_id`, and in the marker at the end of its reason. Nobody outside the
vendor knows what the server does with `remediation_id`, so the marker identifies; the id serves where a server cuts
reasons off.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pulumi_resource_togetherai.api.asked import folded, same_id
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.marker import DO, Marker, token, unmarked
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs

_NAMESPACE = uuid.UUID("6d8f2a0e-4a57-5c0b-9a3d-0b7f5d2c9e11")
_MOST_KEYS = 100
"""How many attempts are recognized by their id alone, where a server cuts the marker off."""

REPLACING = ("clusterId", "instanceId", "node", "mode", "triggers", "idempotencyKey")
"""The inputs that are the declaration: a change of one runs a new remediation, a change of any other runs nothing."""


def declaration(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a declaration, by the names in REPLACING, from inputs as Check returns them. No triggers at all are
    the same as triggers without entries."""
    return {name: inputs.get(name) or None for name in REPLACING}


def owner_of(urn: str) -> str:
    """The token of the resource with a URN, by which its remediations are marked."""
    return token(resource_of(urn))


def program_of(urn: str) -> tuple[str, str]:
    """The program that a URN names, as `project/stack`, and the resource's name in it."""
    stack, project, _, name = urn.split("::", 3)
    return f"{project}/{stack.removeprefix('urn:pulumi:')}", name


def resource_of(urn: str) -> str:
    """A URN with the short name of the resource's type, so that both forms of the provider agree."""
    stack, project, kind, name = urn.split("::", 3)
    parents, _, own = kind.rpartition("$")
    return "::".join((stack, project, f"{parents}${own.rpartition(':')[2]}", name))


@dataclass(frozen=True)
class Own:
    """A remediation of this resource."""

    record: Remediation
    attempt: int
    declared: bool
    """Whether it is of what the resource declares now, and not of what it declared before."""


@dataclass(frozen=True)
class Identity:
    """Whose remediation it is: a resource, by its URN, with what it declares."""

    urn: str
    inputs: RemediationInputs
    stateless: bool = False
    """Whether a person asks for it at a shell, with no stack. The URN is then the same for everybody and every node, so
    the node, as it is written, stands in its place: whoever asks for it once more asks for the same."""

    @cached_property
    def owner(self) -> str:
        """The token of the resource."""
        return token(self._resource)

    @property
    def is_of_a_rolling(self) -> bool:
        """Whether a RollingRemediation declares it, and no program."""
        return "RollingRemediation$" in self.urn

    @property
    def chosen(self) -> str | None:
        """The key that the program chose, to be posted as it is; None if it chose none. What a person chooses at a
        shell, say an incident's number, may stand for repairs of several nodes, so a key is made of it."""
        return None if self.stateless else self.inputs.idempotency_key

    def key(self, attempt: int, *, again: bool = False) -> str:
        """The `remediation_id` of an attempt (the first is 1): the same program gives the same key. `again`: whether an
        earlier attempt had the same declaration, so that a key that the program chose is in use."""
        explicit = self.chosen
        if explicit is None:
            return str(uuid.uuid5(_NAMESPACE, json.dumps([*self._parts, attempt])))
        return str(uuid.uuid5(_NAMESPACE, json.dumps([explicit, attempt]))) if again else explicit

    def marked_reason(self, attempt: int) -> str:
        """The reason with this attempt's marker at its end, and no other marker in it."""
        return f"{unmarked(self.inputs.reason)} {self._marker(attempt).text()}".lstrip()

    def own(self, remediation: Remediation) -> Own | None:
        """A remediation as one of this resource; None if it is not."""
        if marker := Marker.of(remediation):
            if marker.owner != self.owner:
                return None
            return Own(remediation, marker.attempt, marker.declaration == self._declared)
        if not self._may_be_a_key(remediation.id):
            return None
        attempt = self._attempts.get(folded(remediation.id))
        return Own(remediation, attempt, declared=True) if attempt is not None else None

    def same_program(self, remediation: Remediation) -> bool:
        """Whether a remediation was started by this program in this stack, by whichever of its resources. Without a
        stack there is no program."""
        marker = Marker.of(remediation)
        return not self.stateless and marker is not None and marker.program == self._marker(1).program

    @cached_property
    def _resource(self) -> str:
        """What the token of the resource is made of. Without a stack, the node."""
        if self.stateless:
            return json.dumps(["pulumi do --stateless", self.inputs.cluster_id, self._node])
        return resource_of(self.urn)

    @cached_property
    def _parts(self) -> list[Any]:
        """What the key is made of."""
        inputs = self.inputs
        triggers = sorted((inputs.triggers or {}).items())
        asked = [inputs.idempotency_key] if self.stateless else []
        return [self._resource, inputs.cluster_id, self._node, inputs.mode.value, triggers, *asked]

    @cached_property
    def _node(self) -> Any:
        """The node as written: never the instance that a name led to, as that may change."""
        return self.inputs.instance_id if self.inputs.node is None else {"node": self.inputs.node}

    @cached_property
    def _declared(self) -> str:
        """The token of the declaration."""
        return token(json.dumps([*self._parts, self.inputs.idempotency_key]))

    def _marker(self, attempt: int) -> Marker:
        if self.stateless:
            return Marker.named(DO, "stateless", attempt, self.owner, self._declared)
        program, name = program_of(self.urn)
        return Marker.named(program, name, attempt, self.owner, self._declared)

    @cached_property
    def _attempts(self) -> dict[str, int]:
        """The attempts by their keys, and the one under the key that the program chose."""
        explicit = self.chosen
        keys = {folded(self.key(attempt, again=True)): attempt for attempt in range(1, _MOST_KEYS + 1)}
        return keys | ({folded(explicit): 1} if explicit is not None else {})

    def _may_be_a_key(self, text: str) -> bool:
        """Keys are UUIDs of version 5, unless the program chose one; so most other ids are recognized at once as not
        ours."""
        explicit = self.chosen
        return (len(text) == 36 and text[14] == "5") or (explicit is not None and same_id(text, explicit))
