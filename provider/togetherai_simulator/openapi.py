"""The OpenAPI document of the simulated API, made from its operations and models."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pulumi_resource_togetherai.api.models import Cluster, Remediation, RemediationPage, RpcStatus
from togetherai_simulator.bodies import ApproveBody, CreateBody, ReviewBody, enum_values
from togetherai_simulator.listing import FILTERS, ORDERS
from togetherai_simulator.operations import OPERATIONS, REMEDIATION_ID, Operation


class ClusterList(BaseModel):
    """The clusters that the API key may see."""

    clusters: list[Cluster]


class Whoami(BaseModel):
    """The owner of the API key."""

    type: str
    api_key: dict[str, str]
    organization: dict[str, str]
    project: dict[str, str]


BODIES: dict[str, type[BaseModel]] = {"create": CreateBody, "approve": ApproveBody, "reject": ReviewBody}
ANSWERS: dict[str, type[BaseModel]] = {
    "list": RemediationPage,
    "get_cluster": Cluster,
    "list_clusters": ClusterList,
    "whoami": Whoami,
}
"""The answers of these operations; all others answer with a Remediation."""

PATH_PARAMETERS = {
    "cluster_id": "The cluster, such as `cluster-1`.",
    "instance_id": "The instance (a GPU worker node's VM), such as `cluster-1-node-1`.",
    "remediation_id": "The remediation.",
}


@cache
def openapi() -> dict[str, Any]:
    """The document, as OpenAPI 3.1."""
    models: list[type[BaseModel]] = [
        Remediation,
        RemediationPage,
        Cluster,
        ClusterList,
        Whoami,
        RpcStatus,
        *BODIES.values(),
    ]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], by_alias=False, ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Together AI remediations, simulated",
            "version": "1",
            "description": "The part of the Together AI API that remediates GPU nodes, as this simulator serves it. "
            "Every error is a google.rpc.Status.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearerAuth": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def answer_model(operation: Operation) -> type[BaseModel]:
    """What an operation answers with."""
    return ANSWERS.get(operation.name, Remediation)


def _describe(operation: Operation) -> dict[str, Any]:
    answer = answer_model(operation)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": (operation.handler.__doc__ or "").strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in PATH_PARAMETERS.items()
            if f"{{{name}}}" in operation.path
        ]
        + _query_parameters(operation),
        "responses": {
            "200": _content("The answer.", answer),
            "default": _content("An error.", RpcStatus),
        },
    }
    if body := BODIES.get(operation.name):
        required = any(field.is_required() for field in body.model_fields.values())
        described["requestBody"] = {"required": required, "content": _json(body)}
    return described


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    match operation.name:
        case "create":
            pattern = f"^{REMEDIATION_ID.pattern}$"
            text = "Your own id, for idempotency. How the service treats it is unknown, so the simulator has a setting."
            return [_query("remediation_id", text, {"type": "string", "pattern": pattern})]
        case "list":
            filters = [
                _query(
                    name,
                    f"Only remediations of this {name}. For several, repeat the parameter or join them by commas.",
                    {"type": "array", "items": {"type": "string", "enum": enum_values(enum)}},
                )
                for name, enum in FILTERS.items()
            ]
            term = f"({'|'.join(ORDERS)})( (asc|desc))?"
            return [
                _query("page_size", "Most remediations per page; also pageSize.", {"type": "integer", "minimum": 0}),
                _query("page_token", "The next_page_token of the page before; also pageToken.", {"type": "string"}),
                _query(
                    "order_by",
                    f"Fields ({', '.join(ORDERS)}), each with asc or desc, joined by commas; also orderBy.",
                    {"type": "string", "pattern": f"^{term}(,{term})*$", "default": "create_time desc"},
                ),
                *filters,
            ]
        case _:
            return []


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _content(description: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": description, "content": _json(model)}
