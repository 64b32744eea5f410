"""How the simulated platform behaves: what a scenario file, the command line and the control API may set."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, model_validator

from togetherai_simulator.dialect import Dialect, draw, seed_of
from togetherai_simulator.options import Options, Rate, Seconds

Idempotency = Literal["id", "existing", "conflict", "ignore", "refuse"]
"""How the server treats `remediation_id`; nobody outside the vendor knows which it is.

`id`: it becomes the remediation's id, and the server answers a repeat with the existing remediation. `existing`: the
server chooses its own id, and answers a repeat with the existing remediation. `conflict`: the server chooses its own
id, and refuses a repeat with 409 ALREADY_EXISTS. `ignore`: the parameter does nothing. `refuse`: 400, as for any
parameter that it does not know.
"""

LargerPage = Literal["clamp", "refuse"]
"""How the server treats a request for a larger page than it gives; nobody outside the vendor knows which it is.

`clamp`: it answers with its largest page, and reports that there is more. `refuse`: 400 INVALID_ARGUMENT.
"""

Outcome = Literal["succeed", "fail", "auto_resolve", "never", "hold"]
"""How an instance's remediations go: `never` stays RUNNING, `hold` stays PENDING."""


DRAWN = ("idempotency", "max_page_size", "larger_page")
"""What a seed of the dialect draws too, unless it is given: these settings are older than the group."""
PAGE_SIZES = {"max_page_size": (10, 1000)}


class Settings(Options):
    """The platform's settings. By default all times are exact and nothing goes wrong by itself, as tests need it."""

    pending: Seconds = 10
    """How long a remediation is PENDING."""
    quarantining: Seconds = 5
    """How long a HOST_AWARE remediation is QUARANTINING."""
    quarantined: Seconds = 5
    """How long a HOST_AWARE remediation is QUARANTINED."""
    running: Seconds = 60
    """How long a remediation is RUNNING."""
    replaces_at_once: bool = False
    """Whether VM_ONLY and HOST_AWARE have put another VM in the node when they begin to run, rather than when they
    have succeeded. Nobody outside the vendor knows which it is."""
    spread: Rate = 0
    """How far each of these times varies at random: 0.5 is from half to one and a half times."""
    failure_rate: Rate = 0
    """Share of the remediations that fail at random."""
    fault_every: Seconds = 0
    """Mean time between faults of one node. Each fault makes the platform propose a remediation; 0 is never."""
    transient_rate: Rate = 0.3
    """Share of those faults that go away by themselves, after `alert_clears`."""
    worsening_rate: Rate = 0.1
    """Share of those faults that a worse one follows while their proposal waits."""
    alert_clears: Seconds = 300
    """After how long the alert of a fault that goes away clears; a proposal that still waits is then AUTO_RESOLVED."""
    proposal_pause: Seconds = 1800
    """How long the platform proposes no remediation for a node after one has ended."""
    active_limit: Annotated[int, Field(ge=1)] | None = None
    """How many active remediations an instance may have. Default: no limit, so that a client's double request shows."""
    idempotency: Idempotency = "id"
    """What `remediation_id` does."""
    default_page_size: Annotated[int, Field(ge=1)] = 50
    """Remediations per page if the request does not set a size."""
    max_page_size: Annotated[int, Field(ge=1)] = 100
    """The most remediations per page."""
    larger_page: LargerPage = "clamp"
    """How the server treats a request for more than `max_page_size`."""
    page_token_lifetime: Seconds = 3600
    """How long a page token is valid."""
    dialect: Dialect = Field(default_factory=Dialect)
    """How the API words and delays its answers, and which requests it serves; or a seed that draws all of it, and
    `idempotency`, `max_page_size` and `larger_page` too."""

    @model_validator(mode="before")
    @classmethod
    def _drawn(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        given = cast(dict[str, Any], content)
        seed = seed_of(given.get("dialect"))
        return given if seed is None else draw(cls, DRAWN, PAGE_SIZES, seed) | given

    @property
    def spoken(self) -> dict[str, Any]:
        """What is not the default of the dialect, and of the settings that belong to it, by name."""
        own = {name: getattr(self, name) for name in DRAWN}
        others = {name: value for name, value in own.items() if value != type(self).model_fields[name].default}
        return others | self.dialect.spoken

    def with_changes(self, changes: Any) -> Self:
        """These settings with others for some; of the dialect too only what is given changes, unless it has a seed."""
        if not isinstance(changes, dict):
            return self.model_validate(changes)
        now = self.model_dump(exclude_unset=True)
        changed = now | cast(dict[str, Any], changes)
        dialect: Any = changed.get("dialect")
        if isinstance(dialect, dict) and "seed" not in dialect:
            changed["dialect"] = now.get("dialect", {}) | dialect
        elif "dialect" in changes:
            # It is another dialect altogether, so what was drawn with the one before goes with it.
            changed = {name: value for name, value in changed.items() if name not in DRAWN or name in changes}
        return self.model_validate(changed)


class Behaviour(Options):
    """How the remediations of one instance go. The instance that replaces it starts without a behaviour."""

    outcome: Outcome | None = None
    """How they go. Default: at random (see `failure_rate`)."""
    error_message: str | None = None
    """The error message of a failed one. Default: a realistic one."""
    pending: Seconds | None = None
    """Overrides the platform's setting of the same name, as do the following three."""
    quarantining: Seconds | None = None
    quarantined: Seconds | None = None
    running: Seconds | None = None
