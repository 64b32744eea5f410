"""Requests that nobody thought of: made from the simulator's own OpenAPI document, and from the vendor's."""

# pyright: basic
# (schemathesis has no types for what it adds to functions)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from togetherai_simulator import Simulator, running
from togetherai_simulator.openapi import openapi

CONTRACT = Path(__file__).parents[2].parent / "shared" / "api" / "remediation-openapi.yml"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]

own = schemathesis.openapi.from_dict(openapi())
vendors = schemathesis.openapi.from_path(CONTRACT) if CONTRACT.exists() else own

fuzzing = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running() as process:
        process.control("POST", "/instances/cluster-1/cluster-1-node-2/propose", {})
        yield process


def call(case: Case, base_url: str) -> None:
    """Sends the request, half of the time to a node that exists."""
    parameters = case.path_parameters
    if len(str(parameters.get("instance_id", ""))) % 2:
        parameters |= {"cluster_id": "cluster-1", "instance_id": "cluster-1-node-1"}
    case.call_and_validate(base_url=base_url, headers={"Authorization": "Bearer simulator-key"}, checks=CHECKS)


@own.parametrize()
@fuzzing
def test_whatever_is_asked_the_answer_is_as_its_own_document_says(case: Case, simulator: Simulator) -> None:
    call(case, simulator.root)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the published contract is not beside this repository")
@vendors.parametrize()
@fuzzing
def test_whatever_is_asked_the_answer_is_as_the_contract_says(case: Case, simulator: Simulator) -> None:
    call(case, simulator.address)
