"""`pulumi do`: the engine calls the provider for a command line, with no program and no stack behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pulumi.runtime.proto import engine_pb2
from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs

_MODELS: tuple[type[BaseModel], ...] = (RemediationInputs, ReviewInputs)
_INPUTS = {str(field.alias) for model in _MODELS for field in model.model_fields.values()} - {"triggers"}
_NAMED = re.compile(rf"`({'|'.join(_INPUTS)})(?:: (\w+))?`")
# Some of the inputs are plain English words; only the others can be told from the text around them.
_BARE = re.compile(rf"(?<![\w:<`-])({'|'.join(name for name in _INPUTS if not name.islower())})\b")
_PHRASES: Mapping[re.Pattern[str], str | Callable[[re.Match[str]], str]] = {
    re.compile("(c|C)hange `(?:triggers|idempotencyKey)`"): lambda found: (
        f"{'Give' if found[1] == 'C' else 'give'} another `--idempotency-key`"
    ),
    re.compile("without a change of `(?:triggers|idempotencyKey)`"): "under the same flags",
    re.compile(", and run `pulumi up`"): "",
    re.compile("\n  The stack records nothing of it"): "",
    re.compile(", or: pulumi up --replace '[^']*'"): "",
    re.compile("\n  or run it again now: pulumi up --replace [^\n]*"): "",
    re.compile("\n  to drop it: remove it from the program[^\n]*"): "",
    re.compile("The stack keeps no record of it, but the next"): "No stack keeps a record of it, but the next",
    re.compile("Then `pulumi refresh` removes what the stack holds of it, and"): "Then",
    re.compile("It stays in the stack; run"): "Run",
    re.compile("; the stack no longer tracks it"): "",
    re.compile("`pulumi up`"): "`pulumi do`",
}
"""What messages say of programs and stacks, and what is true without them."""
SEVERITY = engine_pb2.WARNING
"""How to log what informs. `pulumi do` prints an INFO on the standard output, in the middle of the JSON that
`--output json` promises, and where the table at a terminal is drawn over it. A warning has a place in that table, and
elsewhere goes to the standard error."""


def in_shell(text: str) -> str:
    """The text with each input as a flag: `ifActive: ADOPT` as `--if-active=ADOPT`; and without the ways that need a
    stack."""
    for phrase, instead in _PHRASES.items():
        text = phrase.sub(instead, text)
    return _BARE.sub(lambda found: _flag(found[1]), _NAMED.sub(_quoted, text))


def _quoted(found: re.Match[str]) -> str:
    return f"`{_flag(found[1])}{f'={found[2]}' if found[2] else ''}`"


def _flag(name: str) -> str:
    return f"--{to_snake(name).replace('_', '-')}"
