"""Faults on demand: what a network or an overloaded service may do to requests."""

from __future__ import annotations

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from togetherai_simulator.options import Options, Rate, Seconds

FaultName = Literal[
    "latency", "rate_limit", "error", "drop_before", "drop_after", "truncated", "malformed", "html", "drip"
]
OperationName = Literal[
    "create", "get", "list", "approve", "reject", "cancel", "get_cluster", "list_clusters", "whoami", "*"
]


class FaultRule(Options):
    """A fault: when it strikes and how. More than one may strike a request."""

    kind: FaultName
    """`latency`: the answer comes late. `rate_limit`: 429 with Retry-After; the request has no effect. `error`: an HTTP
    error. `drop_before`, `drop_after`: the connection is closed before or after the request takes effect. `truncated`:
    the connection is closed in the middle of the answer. `malformed`: the answer is not JSON. `html`: an HTML page
    instead of the answer. `drip`: the answer comes byte by byte."""
    operation: OperationName = "*"
    """The operation that the fault strikes; `*` is all."""
    probability: Rate = 1
    """The share of the requests that it strikes."""
    count: Annotated[int, Field(ge=1)] | None = None
    """How many requests it strikes at most. Default: until it is switched off."""
    seconds: Seconds = 1
    """`latency`, `drip`: how long the answer takes, in real seconds. `rate_limit`: the Retry-After."""
    status: Annotated[int, Field(ge=400, le=599)] = 503
    """`error`: the HTTP status."""
    after: bool = False
    """`error`, `latency`: whether the request takes effect first."""


class Faults:
    """The faults that are switched on."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> None:
        """Switches a fault on. Keeps a copy, because `draw` counts the rule's `count` down."""
        self.rules.append(rule.model_copy())

    def clear(self) -> None:
        """Switches every fault off."""
        self.rules.clear()

    def draw(self, operation: str) -> list[FaultRule]:
        """The faults that strike a request for `operation`."""
        if not self.rules:
            return []
        struck = [
            rule
            for rule in self.rules
            if rule.operation in (operation, "*")
            and (rule.probability == 1 or self._random.random() < rule.probability)
        ]
        for rule in struck:
            if rule.count == 1:
                self.rules.remove(rule)
            elif rule.count is not None:
                rule.count -= 1
        return struck
