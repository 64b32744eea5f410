"""What the program tells the provider beside the inputs, since pulumi.dynamic passes on little of what Pulumi knows."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import Any, cast

import pulumi
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.forms import DYNAMIC, PLUGIN, REPLACE_ON, SECRET, URN
from pulumi_resource_togetherai.unknown import UNKNOWN

LOOKING_AHEAD = "lookingAhead"
"""The input in which the program passes on that this is a preview. Check removes it again."""
NODES = "rollingNodes"
"""The input in which a rolling remediation passes its nodes on to each of its children, in their order. Check
removes it again."""
AT_ONCE = "rollingAtOnce"
"""The same for how many it repairs at once."""
ONLY_PASSED = frozenset({LOOKING_AHEAD, NODES, AT_ONCE})
"""What Check removes: the stack does not keep it."""
_OWN = "pulumi-python"
"""The package of pulumi.dynamic's providers."""


def options(kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options of a resource, with an alias: what the stack holds of the plugin's resource becomes that of this
    one."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"{PLUGIN}{kind}")]))


def arguments(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor that are the model's inputs, in its order. `given`: the constructor's `locals()`,
    so that an input is named in its signature and nowhere else."""
    return {name: given[name] for name in model.model_fields}


def passed_beside(
    name: str, kind: str, arguments: dict[str, Any], opts: pulumi.ResourceOptions | None
) -> dict[str, Any]:
    """What is passed beside the arguments of a resource, which are in snake_case. An argument that
    `additional_secret_outputs` names becomes a secret altogether, since its output repeats it. Raises pulumi.RunError
    if the resource is to have a provider of its own that it cannot have."""
    refuse_provider(name, opts)
    marked = (opts.additional_secret_outputs if opts else None) or []
    for argument, value in arguments.items():
        if value is not None and (argument in marked or to_camel(argument) in marked):
            arguments[argument] = pulumi.Output.secret(value)
    replace_on = [to_camel(path) for path in (opts.replace_on_changes if opts else None) or []]
    return {
        URN: _urn_of(name, f"{DYNAMIC}{kind}", opts),
        LOOKING_AHEAD: pulumi.runtime.is_dry_run() or None,
        **getattr(opts and opts.parent, "passed_to_children", {}),
        SECRET: pulumi.Output.from_input(secret_among(arguments)),
        REPLACE_ON: replace_on or None,
    }


def _urn_of(resource_name: str, kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.Output[str]:
    """A resource's URN, worked out in the program, since pulumi.dynamic does not pass it to the provider. It names the
    parent without depending on it: a resource that depends on a component depends on all of its children, and this
    resource is one of them."""
    parent = opts.parent if opts else None
    above = pulumi.Output.from_input(cast(Awaitable[str], parent.urn.future())) if parent else None
    return pulumi.create_urn(resource_name, kind, above)


def refuse_provider(name: str, opts: pulumi.ResourceOptions | None, *, its_own: bool = True) -> None:
    """Refuses a provider of the plugin's. Pulumi would ignore it: this form would act with another key. `its_own`:
    whether one of this form's own is taken."""
    if opts is None:
        return
    several = opts.providers.values() if isinstance(opts.providers, Mapping) else opts.providers or ()
    given = {provider.package for provider in (opts.provider, *several) if provider is not None}
    inherited = opts.parent.get_provider(f"{PLUGIN}Remediation") if opts.parent else None
    if "togetherai" in given or (inherited is not None and _OWN not in given):
        raise pulumi.RunError(
            f"{name}: the dynamic form cannot use a togetherai.Provider. Nothing was sent. Give it one of its own: "
            f'provider=pulumi.ProviderResource("{_OWN}", "other", {{"togetherai:apiKey": key, ...}}), with the '
            "settings that a stack's configuration has; or declare the resource of pulumi_togetherai, which needs the "
            "plugin"
        )
    if its_own:
        return
    own = opts.parent.get_provider(f"{DYNAMIC}Remediation") if opts.parent else None
    if _OWN in given or own is not None:
        raise pulumi.RunError(
            f"{name}: in the dynamic form a ClusterRepair looks at its cluster with the stack's settings, so it cannot "
            "have a provider, whose settings may be others. Nothing was sent. Leave the provider out, or use the "
            "ClusterRepair of pulumi_togetherai, which needs the plugin"
        )


def as_plain(value: Any) -> Any:
    """A value as pulumi.dynamic passes it, with `UNKNOWN` for what is not known yet."""
    if isinstance(value, type(pulumi.UNKNOWN)):
        return UNKNOWN
    if isinstance(value, dict):
        return {name: as_plain(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [as_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def may_be_later(value: Any) -> bool:
    """Whether a value, or one inside it, is an output of something else."""
    if isinstance(value, Mapping):
        return any(may_be_later(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return any(may_be_later(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, pulumi.Output)


async def secret_among(arguments: Mapping[str, Any]) -> Collection[str] | None:
    """The arguments that are secret, in camelCase; None if none is."""
    names = [
        to_camel(name)
        for name, value in arguments.items()
        if may_be_later(value) and await pulumi.Output.from_input(value).is_secret()
    ]
    return names or None
