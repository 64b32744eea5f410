"""One remediation as the platform keeps it: the API's record, and what the API does not show."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, PrivateAttr

from pulumi_resource_togetherai.api.models import Remediation


class Moment(BaseModel):
    """One line of a remediation's timeline."""

    time: datetime
    state: str
    note: str = ""


class Job(BaseModel):
    """A remediation and its bookkeeping."""

    number: int
    """The order of creation, across clusters."""
    remediation: Remediation
    entered: datetime
    """When it entered its present state."""
    key: str | None = None
    """The `remediation_id` that it was created with."""
    alert_clears: datetime | None = None
    """When the fault that caused the proposal goes away by itself; None is never."""
    worsens: datetime | None = None
    """When a worse fault appears while the proposal waits; None is never."""
    timeline: list[Moment] = Field(default_factory=list[Moment])

    _answer: bytes | None = PrivateAttr(default=None)

    @property
    def answer(self) -> bytes:
        """The remediation as the JSON of the API's answer, cached until `changed`: most requests only read."""
        if self._answer is None:
            self._answer = self.remediation.model_dump_json(exclude_none=True).encode()
        return self._answer

    def changed(self, now: datetime) -> None:
        """Call this after each change of the record."""
        self.remediation.update_time = now
        self._answer = None
