"""The marker at the end of a remediation's reason: who started it, for people and for the provider.

`GPU 3 fell off the bus [pulumi training/prod node-3 #2 6f1c2a9e-04b7c1d2]`: the program, the resource and the number of
the attempt, then two tokens: the resource's and that of what it declared. So to recognize a remediation is to read it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from pulumi_resource_togetherai.api.enums import TRIGGER_PREFIX
from pulumi_resource_togetherai.api.models import Remediation

_MARKER = re.compile(
    r"\s*\[pulumi (?P<program>[^\]\s]+) (?P<resource>[^\]\s]+) #(?P<attempt>[1-9][0-9]{0,8}) "
    r"(?P<owner>[0-9a-f]{8})-(?P<declaration>[0-9a-f]{8})\]"
)
DO = "do"
"""The program of what was started with `pulumi do --stateless`. Any other program's name has a slash."""
_LONGEST_NAME = 40
"""How much of a name is shown, in characters: a reason has to stay short enough for any server."""


def token(text: str) -> str:
    """A short digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Marker:
    """What a marker says."""

    program: str
    """The project and the stack, as `project/stack`; or DO."""
    resource: str
    """The resource's name."""
    attempt: int
    """The number of the attempt, counted per resource over all that it ever declared."""
    owner: str
    """The token of the resource."""
    declaration: str
    """The token of the inputs that a change of would run a new remediation."""

    @classmethod
    def of(cls, remediation: Remediation) -> Self | None:
        """The marker at the end of a remediation's reason; None without one."""
        return cls.read(remediation.reason)

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """The marker at the end of a text; None without one."""
        text = (text or "").rstrip()
        if not text.endswith("]"):  # most have none
            return None
        for found in _MARKER.finditer(text, max(0, text.rfind("["))):
            if found.end() == len(text):
                program, resource, attempt, owner, declaration = found.groups()
                return cls(program, resource, int(attempt), owner, declaration)
        return None

    @classmethod
    def named(cls, program: str, resource: str, attempt: int, owner: str, declaration: str) -> Self:
        """A marker with nothing in its names that ends it."""

        def shown(name: str) -> str:
            return re.sub(r"[\[\]\s]", "-", name)[:_LONGEST_NAME] or "-"

        return cls(shown(program), shown(resource), attempt, owner, declaration)

    def text(self) -> str:
        """The marker as it is written."""
        return f"[pulumi {self.program} {self.resource} #{self.attempt} {self.owner}-{self.declaration}]"


def is_marked(reason: str) -> bool:
    """Whether a reason holds a marker."""
    return _MARKER.search(reason) is not None


def unmarked(reason: str | None) -> str:
    """A reason as a person wrote it, without any marker."""
    return _MARKER.sub("", reason or "").strip()


def origin(remediation: Remediation) -> str:
    """Where a remediation comes from, for people: the program that marked it, or who asked for it."""
    if marker := Marker.of(remediation):
        if marker.program == DO:
            return f"{remediation.requested_by or 'somebody'} with pulumi do"
        return f"{marker.resource} of Pulumi program {marker.program}"
    return remediation.requested_by or remediation.trigger.name.removeprefix(TRIGGER_PREFIX).lower()
