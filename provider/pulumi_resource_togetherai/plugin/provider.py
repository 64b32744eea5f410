"""What Pulumi's provider class can express: configuration, schema and interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    ConfigureRequest,
    ConfigureResponse,
    ConstructRequest,
    ConstructResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    Provider,
)

from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.forms import PLUGIN

if TYPE_CHECKING:
    from pulumi_resource_togetherai.config import ProviderConfig
    from pulumi_resource_togetherai.functions.listing import Lists
    from pulumi_resource_togetherai.operation.operations import Operations
    from pulumi_resource_togetherai.operation.session import Session

_ENGINE_OWN = ("version", "pluginDownloadURL", "__internal")
"""Properties of a provider resource that are the engine's, not ours."""


class TogetherAiProvider(Provider):
    """Configures the provider, and holds its resources once it is configured."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.stateless = False
        """Whether `pulumi do` calls, without a stack."""
        self._config: ProviderConfig | None = None
        self._version: str | None = None
        """The version with which the engine asked for this plugin, if it named one."""
        self._session: Session | None = None
        self._lists: Lists | None = None
        self._resources: dict[str, Operations] = {}
        """The kinds of resources, by type."""

    @property
    def config(self) -> ProviderConfig:
        """The provider's configuration."""
        if self._config is None:
            raise RuntimeError("the engine called the provider before configuring it")
        return self._config

    @property
    def lists(self) -> Lists:
        """The lists of resources, under the provider's configuration."""
        if self._lists is None:
            raise RuntimeError("the engine called the provider before configuring it")
        return self._lists

    def resource(self, urn: str) -> Operations:
        """The kind of resource that a URN names, under the provider's configuration."""
        return self._resources[urn.split("::")[2].rpartition("$")[2]]

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        """The package schema."""
        import json

        from pulumi_resource_togetherai.schema import schema

        return GetSchemaResponse(json.dumps(schema()))

    async def check_config(self, request: CheckRequest) -> CheckResponse:
        """Validates the provider's configuration."""
        from pulumi_resource_togetherai.config import ProviderConfig
        from pulumi_resource_togetherai.operation.check import check
        from pulumi_resource_togetherai.sanitize import sanitize
        from pulumi_resource_togetherai.unknown import holds_unknown

        checked = check(ProviderConfig, _plain(request.new_inputs))
        failures = [CheckFailure(_named(failure.property), sanitize(failure.reason)) for failure in checked.failures]
        if not (failures or holds_unknown(checked.inputs)):
            try:
                ProviderConfig.model_validate(checked.inputs).address()
            except ValueError as error:
                failures.append(CheckFailure("", sanitize(str(error))))
        # The engine sends the API key unmarked, and would log our answer as it is.
        key = request.new_inputs.get("apiKey")
        secret = {} if key is None else {"apiKey": PropertyValue(key.value, is_secret=True)}
        return CheckResponse({**request.new_inputs, **secret}, failures)

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        """Takes the configuration."""
        from pulumi_resource_togetherai.config import ProviderConfig
        from pulumi_resource_togetherai.functions.listing import Lists
        from pulumi_resource_togetherai.operation.session import Session
        from pulumi_resource_togetherai.remediation.resource import RemediationResource
        from pulumi_resource_togetherai.review.resource import ReviewResource
        from pulumi_resource_togetherai.unknown import holds_unknown

        settings = _plain(request.args)
        version = request.args.get("version")
        self._version = None if version is None else str(version.value)
        known = {name: value for name, value in settings.items() if not holds_unknown(value)}
        if known != settings:
            # A preview with an incomplete configuration would query the wrong account or address.
            known["preflight"] = False
        self._config = ProviderConfig.model_validate(known)
        self._session = Session(self._config, note=self._engine.debug, stateless=self.stateless)
        self._lists = Lists(self._config)
        self._resources = {
            f"{PLUGIN}{kind.kind}": kind(self._session, keeps_unfinished=True)
            for kind in (RemediationResource, ReviewResource)
        }
        return ConfigureResponse(supports_preview=True, accept_secrets=True)

    async def construct(self, request: ConstructRequest) -> ConstructResponse:
        """Constructs a component."""
        if request.resource_type.endswith(":ClusterRepair"):
            from pulumi_resource_togetherai.plugin import repair

            if self._session is None:
                raise RuntimeError("the engine called the provider before configuring it")
            return await repair.construct(request, self._session, self._engine)
        from pulumi_resource_togetherai.plugin import rolling

        hooks = self._resources[f"{PLUGIN}Remediation"].hooks
        return await rolling.construct(request, self._engine, hooks, self._version)

    async def cancel(self) -> None:
        """Stops every wait. Remediations go on."""
        if self._session is not None:
            self._session.interrupt()

    async def close(self) -> None:
        """Closes the connections to the API."""
        if self._session is not None:
            await self._session.close()


def _named(setting: str) -> str:
    """The setting that a failure is about, unless it may hold something secret: where a failure has a name, the engine
    shows the value too. The reason names it in any case."""
    return "" if setting in ("apiKey", "baseUrl") else setting


def _plain(properties: dict[str, PropertyValue]) -> dict[str, Any]:
    """Provider settings as plain values. Pulumi sends every setting that is no string as JSON, which pydantic reads."""
    return {
        name: value.value for name, value in properties.items() if name not in _ENGINE_OWN and value.value is not None
    }
