"""The provider's configuration as the dynamic form reads it: the stack's, under `togetherai:`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.run import OperationError

_PREFIX = "togetherai:"


def configuration(get: Callable[[str], str | None], given: Iterable[str]) -> ProviderConfig:
    """The configuration. `get` returns a setting by its name in full; `given` are the names in full of all that the
    stack's configuration has, so that a misspelt one is noticed. Raises OperationError for a mistake."""
    known = [f"{_PREFIX}{setting.alias}" for setting in ProviderConfig.model_fields.values()]
    names = dict.fromkeys((*known, *(name for name in given if name.startswith(_PREFIX))))
    settings = {name.removeprefix(_PREFIX): value for name in names if (value := get(name)) is not None}
    if failures := check(ProviderConfig, settings).failures:
        raise OperationError("; ".join(f"{_PREFIX}{failure.reason}" for failure in failures))
    # Not the checked copy: in that one the API key is masked.
    return ProviderConfig.model_validate(settings)
