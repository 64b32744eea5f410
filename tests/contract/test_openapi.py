"""The client and its models say what the published OpenAPI document says. Where that is not at hand, these skip."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import httpx
import pytest
import yaml
from pydantic import BaseModel, SecretStr

from pulumi_resource_togetherai.api.client import ALL_INSTANCES, Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.models import Remediation, RemediationPage, RpcStatus

PUBLISHED = Path(__file__).parents[3] / "shared" / "api" / "remediation-openapi.yml"

pytestmark = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published OpenAPI document is not beside this repository"
)

MODELS: dict[str, type[BaseModel]] = {
    "v1Remediation": Remediation,
    "v1ListRemediationsResponse": RemediationPage,
    "rpcStatus": RpcStatus,
}
ENUMS: dict[str, type[Enum]] = {
    "v1RemediationMode": RemediationMode,
    "v1RemediationState": RemediationState,
    "v1RemediationTrigger": RemediationTrigger,
}
NEWER_FILTERS = {"mode", "trigger"}
"""List filters of the vendor's client that the published document does not have yet."""
SPELLINGS = {"page_size": "pageSize", "page_token": "pageToken"}
"""The client writes these as the vendor's does, and falls back to the published names."""

ANSWER = {
    "id": "r1",
    "cluster_id": "c1",
    "instance_id": "i7",
    "mode": "REMEDIATION_MODE_REBOOT_VM",
    "trigger": "REMEDIATION_TRIGGER_MANUAL",
    "state": "PENDING",
}
WHERE = ("c1", "i7", "r1")

Call = Callable[[Client], Awaitable[object]]
CALLS: dict[tuple[str, str], Call] = {
    ("post", "/remediations"): lambda client: client.create_remediation(
        "c1", "i7", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="key"
    ),
    ("get", "/remediations"): lambda client: client.list_remediations(
        "c1",
        ALL_INSTANCES,
        states=[RemediationState.RUNNING],
        modes=[RemediationMode.REBOOT_VM],
        triggers=[RemediationTrigger.MANUAL],
    ),
    ("get", "/remediations/{}"): lambda client: client.get_remediation(*WHERE),
    ("post", "/remediations/{}/approve"): lambda client: client.approve_remediation(*WHERE, comment="yes"),
    ("post", "/remediations/{}/reject"): lambda client: client.reject_remediation(*WHERE, comment="no"),
    ("post", "/remediations/{}/cancel"): lambda client: client.cancel_remediation(*WHERE),
}
"""Each operation of the document, by its method and the end of its path, as the client does it."""


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The published document."""
    return yaml.safe_load(PUBLISHED.read_text())


def test_the_client_has_every_operation_and_no_other(published: dict[str, Any]):
    there = {(method, ending(path)) for path, item in published["paths"].items() for method in item}
    assert there == set(CALLS)


@pytest.mark.parametrize("operation", CALLS, ids=" ".join)
async def test_a_request_is_as_published(published: dict[str, Any], operation: tuple[str, str]):
    request = await sent(CALLS[operation])
    method, end = operation
    path, spec = next(
        (path, item[method]) for path, item in published["paths"].items() if ending(path) == end and method in item
    )
    server = published["servers"][0]["url"]
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", f"{server}{path}"), str(request.url.copy_with(query=None)))
    assert request.headers["Authorization"].startswith("Bearer ")
    queries = {item["name"] for item in spec["parameters"] if item["in"] == "query"}
    asked = {SPELLINGS.get(name, name) for name in request.url.params}
    assert asked <= queries | (NEWER_FILTERS if end == "/remediations" and method == "get" else set())
    body_ref = spec.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
    fields: dict[str, Any] = schema(published, body_ref)["properties"] if body_ref else {}
    written: dict[str, Any] = json.loads(request.content or b"{}")
    assert set(written) <= set(fields)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_every_field_with_its_type(published: dict[str, Any], name: str):
    spec, model = schema(published, name), MODELS[name]
    assert set(spec["properties"]) <= set(model.model_fields)
    for field, described in spec["properties"].items():
        assert kind(model.model_fields[field].annotation) == kind_of(published, described), field


def test_what_the_document_requires_of_a_remediation_the_model_requires(published: dict[str, Any]):
    required = {name for name, field in Remediation.model_fields.items() if field.is_required()}
    assert required == set(schema(published, "v1Remediation")["required"])


@pytest.mark.parametrize("name", ENUMS)
def test_an_enumeration_has_every_value(published: dict[str, Any], name: str):
    assert set(schema(published, name)["enum"]) <= {member.value for member in ENUMS[name]}


def test_the_state_filter_has_every_value(published: dict[str, Any]):
    values = schema(published, "v1RemediationStateFilter")["items"]["enum"]
    assert set(values) <= {state.value for state in RemediationState}


def ending(path: str) -> str:
    """The end of a path, from /remediations on, with {} for a parameter."""
    return re.sub(r"\{\w+\}", "{}", path[path.index("/remediations") :])


def schema(published: dict[str, Any], reference: str) -> dict[str, Any]:
    return published["components"]["schemas"][reference.rpartition("/")[2]]


async def sent(call: Call) -> httpx.Request:
    """The request that a call sends to the published server."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        is_list = request.method == "GET" and request.url.path.endswith("/remediations")
        return httpx.Response(200, json={"remediations": [], "has_next": False} if is_list else ANSWER)

    credential = Credential(SecretStr("key"), "the test")
    async with Client("https://api.together.xyz/v1", credential, transport=httpx.MockTransport(answer)) as client:
        await call(client)
    return requests[0]


def kind(annotation: Any) -> str:
    """A Python type as JSON Schema calls it."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (arg for arg in get_args(annotation) if arg is not type(None))
    if get_origin(annotation) is list:
        return "array"
    if annotation is datetime:
        return "date-time"
    if issubclass(annotation, Enum):
        return annotation.__name__
    return {str: "string", bool: "boolean", int: "integer"}[annotation]


def kind_of(published: dict[str, Any], described: dict[str, Any]) -> str:
    if "$ref" in described:
        return ENUMS[described["$ref"].rpartition("/")[2]].__name__
    return "date-time" if described.get("format") == "date-time" else described["type"]
