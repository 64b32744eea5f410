"""Request bodies, read as strictly as a proto-JSON service reads them: unknown fields and wrong types are refused."""

from __future__ import annotations

from typing import Annotated, Any, Optional, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import OpenEnum, RemediationMode
from pulumi_resource_togetherai.api.models import Remediation
from togetherai_simulator.errors import Refusal, invalid_argument

MAX_BODY = 1 << 20
"""Longest request body, in bytes."""


def _known(value: Any) -> Any:
    """A mode as the contract spells it: the model reads other spellings, too, because it reads answers."""
    if isinstance(value, str) and value not in RemediationMode.__members__.values():
        raise ValueError(f"{value!r} is not a mode")
    return value


KnownMode = Annotated[RemediationMode, BeforeValidator(_known)]


class RequestBody(BaseModel):
    """Base of the request bodies. Fields may be written in snake_case or, as proto-JSON allows, in camelCase."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class CreateFields(RequestBody):
    """What a client sends about a new remediation."""

    mode: KnownMode
    """How to repair the node."""
    reason: str | None = None
    """Why the node needs the repair."""


def _read_only(name: str) -> Any:
    field = Remediation.model_fields[name]
    return (Optional[field.annotation], Field(default=None, json_schema_extra={"readOnly": True}))  # noqa: UP045


# The contract's body is a whole Remediation. The simulator checks the types of the fields that only the service writes,
# and then ignores those fields.
CreateBody = create_model(
    "CreateBody",
    __base__=CreateFields,
    **{name: _read_only(name) for name in Remediation.model_fields if name not in CreateFields.model_fields},
)


class ReviewBody(RequestBody):
    """What a reviewer sends."""

    comment: str | None = None
    """An explanation of the decision."""


class ApproveBody(ReviewBody):
    """What a reviewer sends with an approval."""

    mode: KnownMode | None = None
    """Another mode than the proposed one; not HOST_POWER_CYCLE."""


Body = TypeVar("Body", bound=RequestBody)


def read_body(model: type[Body], body: bytes, content_type: str) -> Body:
    """The body as a `model`. An empty body is an empty message, as in proto-JSON."""
    if body and content_type.partition(";")[0].strip().lower() not in ("", "application/json"):
        raise Refusal("INVALID_ARGUMENT", f"Content-Type {content_type} is not application/json", http_status=415)
    try:
        return model.model_validate_json(body or b"{}", strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise invalid_argument(field, _problem(first["type"], first["msg"])) from None


def _problem(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "no such field"
        case _:
            return message.removeprefix("Value error, ")


def enum_values(enum: type[OpenEnum]) -> list[str]:
    """The values that the API knows."""
    return [member.value for member in enum]
