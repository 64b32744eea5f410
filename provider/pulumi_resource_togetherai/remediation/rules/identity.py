"""Who a remediation belongs to: the idempotency key of a resource, and the marker that carries it in the reason.

Nobody outside the vendor knows what the server does with `remediation_id`, so a remediation carries its key twice:
as `remediation_id`, and as a marker at the end of its reason. It is ours if either is there.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.marker import MARKER, unmarked
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs

_NAMESPACE = uuid.UUID("6d8f2a0e-4a57-5c0b-9a3d-0b7f5d2c9e11")
_MOST_ATTEMPTS = 500


@dataclass(frozen=True)
class Identity:
    """What makes a remediation that of one resource: its URN, and the inputs whose change runs a new one."""

    urn: str
    inputs: RemediationInputs

    def key(self, attempt: int) -> str:
        """The idempotency key of an attempt (the first is 1): the same program gives the same key."""
        explicit = self.inputs.idempotency_key
        if explicit is not None:
            return explicit if attempt == 1 else str(uuid.uuid5(_NAMESPACE, json.dumps([explicit, attempt])))
        parts = [
            self.urn,
            self.inputs.cluster_id,
            self.inputs.instance_id,
            self.inputs.mode.value,
            sorted((self.inputs.triggers or {}).items()),
            attempt,
        ]
        return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))

    def marked_reason(self, attempt: int) -> str:
        """The reason with this attempt's marker at its end, and no other marker in it."""
        marker = f"[pulumi {_program(self.urn)} {_token(self.key(attempt))}]"
        return f"{unmarked(self.inputs.reason)} {marker}".lstrip()

    def attempt_of(self, remediation: Remediation) -> int | None:
        """Which attempt of this resource a remediation is; None if it is not ours."""
        program = _program(self.urn)
        marks = MARKER.finditer(remediation.reason or "")
        tokens = {mark["token"] for mark in marks if mark["program"] == program}
        if not tokens and not self._may_be_a_key(remediation.id):
            return None
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            key = self.key(attempt)
            if remediation.id == key or _token(key) in tokens:
                return attempt
        return None

    def _may_be_a_key(self, text: str) -> bool:
        """Keys are UUIDs of version 5, unless the program chose one; so most other ids are recognized at once as not
        ours."""
        return text == self.inputs.idempotency_key or (len(text) == 36 and text[14] == "5")


def _token(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _program(urn: str) -> str:
    """project/stack of a URN (urn:pulumi:stack::project::type::name), with nothing in it that ends a marker."""
    parts = urn.split("::")
    if len(parts) < 3:
        return "unknown"
    return re.sub(r"[\]\s]", "-", f"{parts[1]}/{parts[0].removeprefix('urn:pulumi:')}")
