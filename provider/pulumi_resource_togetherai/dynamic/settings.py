"""The provider's configuration as the dynamic form reads it: the stack's, under `togetherai:`."""

from __future__ import annotations

from collections.abc import Callable

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.remediation.rules.check import check
from pulumi_resource_togetherai.remediation.steps.run import RemediationError


def configuration(get: Callable[[str], str | None]) -> ProviderConfig:
    """The configuration. `get` returns a setting by its name. Raises RemediationError for a mistake."""
    names = [str(setting.alias) for setting in ProviderConfig.model_fields.values()]
    settings = {name: value for name in names if (value := get(name)) is not None}
    if failures := check(ProviderConfig, settings).failures:
        raise RemediationError("; ".join(f"togetherai:{failure.reason}" for failure in failures))
    # Not the checked copy: in that one the API key is masked.
    return ProviderConfig.model_validate(settings)
