"""What a program marks as secret stays so: which outputs repeat it, and what is shown in its place.

Both adapters know which inputs are secret, each in its way. All that leaves them passes through a `Secrets`: outputs by
`outputs`, mistakes by `mistakes`, and every other text by `conceal`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pulumi_resource_togetherai.sanitize import CUT_OFF, sanitize

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.check import Failure

CONCEALED = "[secret]"
"""What is shown in place of a secret. Pulumi shows the same."""
_WRITTEN = ("reason", "triggers", "comment")
"""The inputs that hold what people write. The others are names and settings, which every message is made of."""
_NAMES = (
    *(
        "clusterId",
        "instanceId",
        "node",
        "instances",
        "nodes",
        "remediationId",
        "idempotencyKey",
        "mode",
        "expectedMode",
    ),
    *("rules", "exclude"),
)
"""The inputs that ids, URNs and messages are made of, none of which Pulumi can keep secret."""
_REPEATED = {"comment": "reviewComment"}
"""The outputs that repeat an input under another name."""
_SHORTEST = 4
"""Shorter texts are in too many others by chance to be looked for in them."""


@dataclass(frozen=True)
class Secrets:
    """The secrets among the inputs of a resource."""

    names: frozenset[str] = frozenset()
    """The inputs that are secret, or hold something secret."""
    texts: tuple[str, ...] = ()
    """What people wrote in them, as it may appear in a message; the longest first."""

    @classmethod
    def among(cls, inputs: Mapping[str, Any], names: Collection[str]) -> Secrets:
        """The secrets of a resource that has these inputs, those in `names` secret."""
        written = {text for name in _WRITTEN if name in names for text in _texts(inputs.get(name))}
        found = {form for text in written for form in (text, text.strip(), sanitize(text.strip(), 10 * len(text)))}
        long_enough = (text for text in found if len(text) >= _SHORTEST)
        return cls(frozenset(names), tuple(sorted(long_enough, key=len, reverse=True)))

    def outputs(self, outputs: Mapping[str, Any]) -> frozenset[str]:
        """The outputs that repeat a secret, or hold one."""
        repeated = {_REPEATED.get(name, name) for name in self.names}
        holding = {name for name, value in outputs.items() if any(self._is_in(text) for text in _texts(value))}
        return self.names | repeated | holding

    def mistakes(self, found: Iterable[Failure]) -> list[Failure]:
        """Mistakes in the inputs, without the value of one that is secret."""
        # Where a failure names a property, the engine shows the value too.
        return [
            replace(one, property="", reason=one.unshown or one.reason)
            if one.property.partition(".")[0] in self.names
            else one
            for one in found
        ]

    def conceal(self, text: str) -> str:
        """A text for people, without the secrets."""
        for secret in self.texts:
            text = text.replace(secret, CONCEALED)
            if CUT_OFF in text:
                text = CUT_OFF.join(_without_the_beginning(part, secret) for part in text.split(CUT_OFF))
        return text

    @property
    def warning(self) -> str:
        """Says which secrets are shown nevertheless; empty if none are."""
        shown = [name for name in _NAMES if name in self.names]
        if not shown:
            return ""
        marked = "is marked as secret" if len(shown) == 1 else "are marked as secret"
        return f"{', '.join(shown)} {marked}; ids, URNs and messages show it nevertheless"

    def _is_in(self, text: str) -> bool:
        return any(secret in text for secret in self.texts)


def _texts(value: Any) -> Iterable[str]:
    """Every text in a value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in cast(Mapping[str, Any], value).items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _texts(item)


def _without_the_beginning(text: str, secret: str) -> str:
    """A text that may have been cut off within a secret."""
    longest = min(len(text), len(secret) - 1)
    for length in range(longest, _SHORTEST - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + CONCEALED
    return text
