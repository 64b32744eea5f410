"""Messages name inputs as the schema does, for programs in every language. This form is for Python alone, so here each
of its messages names them as Python's arguments."""

from __future__ import annotations

import re

from pydantic import BaseModel

from pulumi_resource_togetherai.functions.function import FUNCTIONS
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.repair.rules import Rule, When
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.rolling.inputs import RollingInputs

_MODELS: tuple[type[BaseModel], ...] = (
    RemediationInputs,
    ReviewInputs,
    RollingInputs,
    ClusterRepairInputs,
    Rule,
    When,
    *(function.arguments for function in FUNCTIONS),
)
_ARGUMENTS = {
    field.alias: name for model in _MODELS for name, field in model.model_fields.items() if field.alias != name
}
# A setting of the stack's configuration (`togetherai:ifRecent`) is spelt the same everywhere.
_NAMED = re.compile(rf"(?<![\w:<])({'|'.join(map(str, _ARGUMENTS))})\b(?:: (\w+)(?=`))?")
# `pulumi.dynamic` cannot import, so what is offered beside that remains.
_IMPORT = re.compile(r"\n  to take it over: pulumi import [^\n]*")
_LITERALS = {"true": "True", "false": "False"}


def in_python(text: str) -> str:
    """The text with each input as an argument: `retryFailed: true` as `retry_failed=True`. Ways that this form does not
    have are left out."""
    return _NAMED.sub(_argument, _IMPORT.sub("", text))


def _argument(found: re.Match[str]) -> str:
    name, value = _ARGUMENTS[found[1]], found[2]
    if value is None:
        return name
    literal = _LITERALS.get(value, f'"{value}"')
    return f"{name}={literal}"
