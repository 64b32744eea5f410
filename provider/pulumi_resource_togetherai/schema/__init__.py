"""The Pulumi package schema, made from the pydantic models: no name, type or description is written here twice.

`python -m pulumi_resource_togetherai.schema` prints it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from importlib.resources import files
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.api.enums import OpenEnum, RemediationMode
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.fields import Choice, Inputs
from pulumi_resource_togetherai.forms import DYNAMIC, PLUGIN
from pulumi_resource_togetherai.functions.function import FUNCTIONS, Function
from pulumi_resource_togetherai.functions.listing import ListInputs
from pulumi_resource_togetherai.operation.check import fields_of
from pulumi_resource_togetherai.remediation.rules.identity import REPLACING
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.state import Bookkeeping
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs, ClusterRepairOutputs
from pulumi_resource_togetherai.review.rules import inputs as review_inputs
from pulumi_resource_togetherai.review.rules import state as review_state
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.rolling.inputs import RollingInputs, RollingOutputs

NAME = "togetherai"
REPOSITORY = "https://github.com/pulumi-togetherai/pulumi-togetherai"
RELEASES = "github://api.github.com/pulumi-togetherai/pulumi-togetherai"
"""Where Pulumi downloads the plugin for an SDK's version from: an archive of the release with that tag."""
LOGO = "https://raw.githubusercontent.com/pulumi-togetherai/pulumi-togetherai/main/docs/images/logo.svg"
DESCRIPTION = "Repair GPU nodes of Together AI clusters: instance remediations as infrastructure as code."

REVIEW = (
    "The review of a remediation that the platform proposed (PENDING_APPROVAL): merging the pull request that declares "
    "it is the approval, or the rejection."
)

ROLLING = "The repair of many nodes of a cluster: one Remediation per instance, at most `maxConcurrent` at once."

REPAIR = (
    "The repair of a cluster by a policy. Each `pulumi preview` and `pulumi up` looks at the cluster once, plans what "
    "to do about each node, and shows the plan; `pulumi up` carries it out with a Remediation or a RemediationReview "
    "for each node."
)

Schema = dict[str, Any]

_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z`])")
"""The end of a sentence. The first one of an input is a paragraph of its own, which command lines show as its help."""
_PRIMITIVES: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", datetime: "string"}


def _bare(annotation: Any) -> Any:
    """An annotation without its constraints, and without None."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        (wanted,) = (each for each in get_args(annotation) if each is not type(None))
        return _bare(wanted)
    return annotation


def _is_enumeration(annotation: Any) -> TypeGuard[type[OpenEnum | Choice]]:
    return isinstance(annotation, type) and issubclass(annotation, OpenEnum | Choice)


def _with_values(description: str, enum: type[OpenEnum | Choice]) -> str:
    """A description whose first sentence is followed by what may be written, and the enumeration that SDKs have."""
    first, *rest = _SENTENCE.split(description, maxsplit=1)
    values = ", ".join(member.short if isinstance(member, RemediationMode) else member.name for member in enum)
    return " ".join([f"{first.rstrip('.')}: {values} ({enum.__name__}).", *rest])


def token(name: str) -> str:
    """The token of a type, resource or function of this package."""
    return f"{PLUGIN}{name}"


class _Types:
    """The object and enum types that properties refer to, collected while they are translated."""

    def __init__(self) -> None:
        self.found: Schema = {}

    def properties(self, model: type[BaseModel], *, output: bool) -> Schema:
        """A model's fields as properties: first those that are required, else in the order of their definition."""
        return {str(field.alias or name): self._property(field, output=output) for name, field in fields_of(model)}

    def _property(self, field: FieldInfo, *, output: bool) -> Schema:
        kind, description = _bare(field.annotation), " ".join((field.description or "").split())
        if output:
            spec = self._type(kind, output=True)
        elif get_origin(kind) is tuple:  # separated by commas: a flag holds one text
            (each, _) = get_args(kind)
            spec, description = Schema(type="string"), _with_values(description, _bare(each))
        elif _is_enumeration(kind):
            self._enum(kind)
            # `pulumi do` makes flags of plain types only. The members of an SDK's enumeration are strings as well, and
            # Check says which strings are meant.
            spec, description = Schema(type="string"), _with_values(description, kind)
        else:
            spec = self._type(kind, output=False)
        if description:
            spec["description"] = description if output else "\n\n".join(_SENTENCE.split(description, maxsplit=1))
        if not output and field.default is not None and isinstance(field.default, bool | int | str):
            spec["default"] = field.default.value if isinstance(field.default, Enum) else field.default
        if kind is SecretStr:
            spec["secret"] = True
        return spec

    def _type(self, annotation: Any, *, output: bool) -> Schema:
        annotation = _bare(annotation)
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is list:
            return {"type": "array", "items": self._type(args[0], output=output)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._type(args[1], output=output)}
        if annotation is Any or annotation is SecretStr:
            return {"type": "string"} if annotation is SecretStr else {"$ref": "pulumi.json#/Any"}
        if annotation in _PRIMITIVES:
            return {"type": _PRIMITIVES[annotation]}
        if issubclass(annotation, OpenEnum):
            self._enum(annotation)
            # The API may add values, and programs may write modes in short: so the schema allows any other string too.
            ref = {"$ref": f"#/types/{token(annotation.__name__)}"}
            return {"type": "string"} if output else {"type": "string", "oneOf": [{"type": "string"}, ref]}
        if issubclass(annotation, Choice):
            self._enum(annotation)
            return {"$ref": f"#/types/{token(annotation.__name__)}"}
        if issubclass(annotation, BaseModel):
            self._object(annotation)
            return {"$ref": f"#/types/{token(_type_name(annotation))}"}
        raise TypeError(f"no schema type for {annotation}")

    def _enum(self, enum: type[OpenEnum | Choice]) -> None:
        self.found[token(enum.__name__)] = {
            "type": "string",
            "description": _doc(enum),
            "enum": [
                {"name": _pascal(member.name), "value": member.value, "description": member.description}
                for member in enum
            ],
        }

    def _object(self, model: type[BaseModel]) -> None:
        properties = self.properties(model, output=not issubclass(model, Inputs))
        self.found[token(_type_name(model))] = {
            "type": "object",
            "description": _doc(model),
            "properties": properties,
            "required": _always_set(model),
        }


def schema() -> Schema:
    """The whole package schema."""
    collected = _Types()
    config = collected.properties(ProviderConfig, output=False)
    remediation = _resource(
        collected,
        "Remediation",
        _doc(Remediation),
        RemediationInputs,
        Bookkeeping,
        replacing=REPLACING,
        has_record=True,
    )
    review = _resource(
        collected,
        "RemediationReview",
        REVIEW,
        ReviewInputs,
        review_state.Bookkeeping,
        replacing=review_inputs.REPLACING,
        has_record=False,
    )
    rolling = _component(collected, "RollingRemediation", ROLLING, RollingInputs, RollingOutputs)
    repair = _component(collected, "ClusterRepair", REPAIR, ClusterRepairInputs, ClusterRepairOutputs)
    functions = {token(function.name): _function(collected, function) for function in FUNCTIONS}
    return {
        "name": NAME,
        "version": __version__,
        "displayName": "Together AI",
        "description": DESCRIPTION,
        "keywords": ["pulumi", "together", "togetherai", "gpu", "remediation", "category/infrastructure"],
        "homepage": REPOSITORY,
        "repository": REPOSITORY,
        "logoUrl": LOGO,
        "pluginDownloadURL": RELEASES,
        "publisher": "pulumi-togetherai",
        "license": "Apache-2.0",
        "language": {
            "python": {
                "pyproject": {"enabled": True},
                "respectSchemaVersion": True,
                "requires": {"pulumi": ">=3.200.0,<4.0.0"},
                "readme": _guide("sdk"),
            },
            "nodejs": {
                "respectSchemaVersion": True,
                "packageName": "@pulumi-togetherai/togetherai",
                "packageDescription": DESCRIPTION,
                "readme": _guide("sdk"),
                "dependencies": {"@pulumi/pulumi": "^3.200.0"},
                "devDependencies": {"@types/node": "^20"},
                "typescriptVersion": "^5.9.0",
            },
            "go": {
                "respectSchemaVersion": True,
                # Else the enumerations that no input refers to cannot be given for a string.
                "generateExtraInputTypes": True,
                "importBasePath": f"{REPOSITORY.removeprefix('https://')}/sdk/go/togetherai",
            },
        },
        "config": {"variables": {name: _as_text(spec) for name, spec in config.items()}},
        "provider": {"description": _doc(ProviderConfig), "inputProperties": config},
        "types": dict(sorted(collected.found.items())),
        "resources": {
            token("Remediation"): remediation,
            token("RemediationReview"): review,
            token("RollingRemediation"): rolling,
            token("ClusterRepair"): repair,
        },
        "functions": functions,
    }


def _resource(
    collected: _Types,
    name: str,
    description: str,
    declared: type[BaseModel],
    kept: type[BaseModel],
    *,
    replacing: Sequence[str],
    has_record: bool,
) -> Schema:
    """A resource whose outputs are its inputs, the API's record and some bookkeeping. `has_record`: whether there is
    always a record."""
    inputs = collected.properties(declared, output=False)
    for one in replacing:
        inputs[one]["replaceOnChanges"] = True
    record = collected.properties(Remediation, output=True)
    del record["id"]
    always = {str(field.alias) for field in declared.model_fields.values() if field.default is not None}
    always |= {str(field.alias) for field in kept.model_fields.values() if field.default is not None}
    if has_record:
        always |= {*_always_set(Remediation)} - {"id"}
    return {
        "description": _guided(description, name),
        "aliases": [{"type": f"{DYNAMIC}{name}"}],
        "inputProperties": inputs,
        "requiredInputs": _always_set(declared),
        "listInputs": {
            "type": "object",
            "properties": collected.properties(ListInputs, output=False),
            "required": _always_set(ListInputs),
        },
        "properties": collected.properties(declared, output=True) | record | collected.properties(kept, output=True),
        "required": sorted(always),
    }


def _component(
    collected: _Types, name: str, description: str, declared: type[BaseModel], outputs: type[BaseModel]
) -> Schema:
    return {
        "isComponent": True,
        "description": _guided(description, name),
        "inputProperties": collected.properties(declared, output=False),
        "requiredInputs": _always_set(declared),
        "properties": collected.properties(outputs, output=True),
        "required": _always_set(outputs),
    }


def _function(collected: _Types, function: Function[Any, Any]) -> Schema:
    return {
        "description": _guided(_doc(function.arguments), function.name),
        "inputs": {
            "type": "object",
            "properties": collected.properties(function.arguments, output=False),
            "required": _always_set(function.arguments),
        },
        "outputs": {
            "type": "object",
            "description": _doc(function.result),
            "properties": collected.properties(function.result, output=True),
            "required": _always_set(function.result),
        },
    }


def _type_name(model: type[BaseModel]) -> str:
    """A type's name. None may be that of a resource: in Go, types and resources share one namespace."""
    return "RemediationRecord" if model is Remediation else model.__name__


def _always_set(model: type[BaseModel]) -> list[str]:
    return [str(field.alias or name) for name, field in model.model_fields.items() if field.is_required()]


def _doc(thing: type) -> str:
    return " ".join((thing.__doc__ or "").split())


def _as_text(spec: Schema) -> Schema:
    """A setting as a stack's configuration holds it: an enumeration as text. Pulumi's generator for Go writes the
    default of an enumeration into a package that does not import the enumeration."""
    return {"type": "string"} | {key: value for key, value in spec.items() if key != "$ref"}


def _guided(first: str, name: str) -> str:
    """A description with the guide that stands in `guide/`: how it works, examples, how to import."""
    return f"{first}\n\n{_guide(name)}"


def _guide(name: str) -> str:
    return files(__name__).joinpath(f"guide/{name}.md").read_text(encoding="utf-8")


def _pascal(name: str) -> str:
    """VM_ONLY as enum members are named in SDKs: VmOnly."""
    return "".join(word.capitalize() for word in name.split("_"))
