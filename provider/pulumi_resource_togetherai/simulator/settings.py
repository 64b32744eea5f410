"""How the simulated platform behaves: what a scenario file, the command line and the control API may set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Simulated seconds, unless said otherwise."""
Rate = Annotated[float, Field(ge=0, le=1)]
"""A probability."""

Idempotency = Literal["id", "existing", "conflict", "ignore"]
"""What the server makes of `remediation_id`; nobody outside the vendor knows which it is.

`id`: it becomes the remediation's id, and a repeat is answered with the existing remediation. `existing`: the server
gives an id of its own, and a repeat is answered with the existing one. `conflict`: an id of its own, and a repeat is
refused with 409 ALREADY_EXISTS. `ignore`: the parameter does nothing.
"""

LargerPage = Literal["clamp", "refuse"]
"""What the server makes of a larger page than it gives; nobody outside the vendor knows which it is.

`clamp`: it gives the most that it gives, and says that there is more. `refuse`: 400 INVALID_ARGUMENT.
"""

Outcome = Literal["succeed", "fail", "auto_resolve", "never", "hold"]
"""How an instance's remediations go: `never` stays RUNNING, `hold` stays PENDING."""


class Options(BaseModel):
    """Base of everything that can be set: names that do not exist are refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, use_attribute_docstrings=True)


class Settings(Options):
    """The platform's settings. Out of the box it is exact and nothing goes wrong by itself, as tests need it."""

    pending: Seconds = 10
    """How long a remediation is PENDING."""
    quarantining: Seconds = 5
    """How long a HOST_AWARE remediation is QUARANTINING."""
    quarantined: Seconds = 5
    """How long a HOST_AWARE remediation is QUARANTINED."""
    running: Seconds = 60
    """How long a remediation is RUNNING."""
    spread: Rate = 0
    """How far each of these varies at random: 0.5 is from half to one and a half times."""
    failure_rate: Rate = 0
    """Share of the remediations that fail at random."""
    fault_every: Seconds = 0
    """Mean time between faults of one node, each of which makes the platform propose a remediation; 0 is never."""
    transient_rate: Rate = 0.3
    """Share of those faults that go away by themselves, after `alert_clears`."""
    worsening_rate: Rate = 0.1
    """Share of those faults that are followed by a worse one while their proposal waits."""
    alert_clears: Seconds = 300
    """After what time the alert of a fault that goes away clears; a proposal still waiting is then AUTO_RESOLVED."""
    proposal_pause: Seconds = 1800
    """How long no remediation is proposed for a node after one ended."""
    active_limit: Annotated[int, Field(ge=1)] | None = None
    """Active remediations allowed per instance; none is no limit, so that a client's double request shows."""
    idempotency: Idempotency = "id"
    """What `remediation_id` does."""
    default_page_size: Annotated[int, Field(ge=1)] = 50
    """Remediations per page when the request does not say."""
    max_page_size: Annotated[int, Field(ge=1)] = 100
    """Most remediations per page."""
    larger_page: LargerPage = "clamp"
    """What becomes of a request for more than that."""
    page_token_lifetime: Seconds = 3600
    """How long a page token is good for."""


class Behaviour(Options):
    """What becomes of the remediations of one instance. A replaced instance begins anew without one."""

    outcome: Outcome | None = None
    """How they go; left out, at random (see `failure_rate`)."""
    error_message: str | None = None
    """What a failed one says; left out, one that looks real."""
    pending: Seconds | None = None
    """In place of the platform's setting, as the following."""
    quarantining: Seconds | None = None
    quarantined: Seconds | None = None
    running: Seconds | None = None
