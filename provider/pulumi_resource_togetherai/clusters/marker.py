"""The marker at the end of a remediation's reason, which names the program that started it."""

from __future__ import annotations

import re

from pulumi_resource_togetherai.api.models import Remediation

MARKER = re.compile(r"\s*\[pulumi (?P<program>[^\]\s]*) (?P<token>[0-9a-f]{12})\]")


def unmarked(reason: str | None) -> str:
    """A reason as a person wrote it, without any marker."""
    return MARKER.sub("", reason or "").strip()


def origin(remediation: Remediation) -> str:
    """Where a remediation comes from, for people: the program that marked it, or who asked for it."""
    if match := MARKER.search(remediation.reason or ""):
        return f"Pulumi program {match['program']}"
    return remediation.requested_by or remediation.trigger.name.lower()
