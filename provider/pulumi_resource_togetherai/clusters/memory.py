"""What was last believed of each remediation."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.models import Remediation

KEPT = 3600.0
"""For how long, in seconds, a remediation is remembered at least after it was last seen. No replica lags that far."""


class Memory:
    """Records by id. What was not seen for an hour or two is forgotten, so a process may run for weeks."""

    def __init__(self) -> None:
        self._recent = dict[str, Remediation]()
        self._older = dict[str, Remediation]()
        self._since = 0.0
        """Since when, on the event loop's clock, `_recent` takes what is seen."""

    def __contains__(self, remediation_id: str) -> bool:
        return self.get(remediation_id) is not None

    def get(self, remediation_id: str) -> Remediation | None:
        """What was last believed of a remediation; None if nothing is known of it."""
        key = folded(remediation_id)
        return self._recent.get(key) or self._older.get(key)

    def keep(self, record: Remediation) -> None:
        """Remembers a record."""
        now = asyncio.get_running_loop().time()
        if now - self._since >= KEPT:
            self._older, self._recent, self._since = self._recent, {}, now
        self._recent[folded(record.id)] = record
