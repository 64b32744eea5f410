"""Whatever the vendor's Python client knows of remediations and nodes, this project knows: what it lacks is listed, and
the list is empty."""

from __future__ import annotations

import inspect
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel
from together.resources.clusters.remediations import RemediationsResource
from together.types.cluster import GPUWorkerNode, GPUWorkerNodePhaseTransition
from together.types.clusters import remediation as vendor
from together.types.clusters.remediation_approve_params import RemediationApproveParams
from together.types.clusters.remediation_create_params import RemediationCreateParams
from together.types.clusters.remediation_list_params import RemediationListParams
from together.types.clusters.remediation_list_response import RemediationListResponse
from together.types.clusters.remediation_reject_params import RemediationRejectParams

from pulumi_resource_togetherai.api import models
from pulumi_resource_togetherai.api.client import Client
from pulumi_resource_togetherai.api.enums import (
    AlertSeverity,
    OpenEnum,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from pulumi_resource_togetherai.functions.arguments import GetRemediations
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs

PAGING = {"page_size", "page_token"}
"""Arguments of the vendor's list that have no counterpart: a lookup follows every page by itself."""


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (vendor.Remediation, models.Remediation),
        (vendor.LinkedAlert, models.LinkedAlert),
        (vendor.LinkedAlertAnnotation, models.AlertAnnotation),
        (vendor.LinkedAlertAnnotationXid, models.XidAnnotation),
        (vendor.LinkedAlertAnnotationXidEvent, models.XidEvent),
        (vendor.LinkedAlertAnnotationSlurmNodeUnavailable, models.SlurmNodeUnavailableAnnotation),
        (RemediationListResponse, models.RemediationPage),
        (GPUWorkerNode, models.GpuWorkerNode),
        (GPUWorkerNodePhaseTransition, models.PhaseTransition),
    ],
    ids=lambda model: model.__name__,
)
def test_no_field_is_lacking(theirs: type[BaseModel], ours: type[BaseModel]):
    assert set(theirs.model_fields) - set(ours.model_fields) == set()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (vendor.Remediation.model_fields["mode"].annotation, RemediationMode),
        (vendor.Remediation.model_fields["state"].annotation, RemediationState),
        (vendor.Remediation.model_fields["trigger"].annotation, RemediationTrigger),
        (vendor.LinkedAlert.model_fields["severity"].annotation, AlertSeverity),
        (get_type_hints(RemediationCreateParams)["mode"], RemediationMode),
        (get_type_hints(RemediationListParams)["mode"], RemediationMode),
        (get_type_hints(RemediationListParams)["state"], RemediationState),
        (get_type_hints(RemediationListParams)["trigger"], RemediationTrigger),
    ],
    ids=str,
)
def test_no_value_of_an_enumeration_is_lacking(theirs: Any, ours: type[OpenEnum]):
    assert literals(theirs) - {member.value for member in ours} == set()


def test_an_approval_may_choose_the_modes_that_the_vendor_allows():
    # Its type lists HOST_POWER_CYCLE too; its documentation says that the API refuses it here.
    allowed = literals(get_type_hints(RemediationApproveParams)["mode"]) - {RemediationMode.HOST_POWER_CYCLE.value}
    where = {"clusterId": "c", "instanceId": "i", "remediationId": "r", "decision": "APPROVE"}
    for mode in allowed:
        assert ReviewInputs.model_validate(where | {"mode": mode}).mode == mode


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (RemediationListParams, set(GetRemediations.model_fields) | PAGING),
        (RemediationCreateParams, set(RemediationInputs.model_fields)),
        (RemediationApproveParams, set(ReviewInputs.model_fields)),
        (RemediationRejectParams, set(ReviewInputs.model_fields)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_argument_or_filter_is_lacking(theirs: Any, ours: set[str]):
    assert set(get_type_hints(theirs)) - ours == set()


def test_no_operation_is_lacking():
    operations = {
        name
        for name, member in vars(RemediationsResource).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    names = {"retrieve": "get_remediation", "list": "list_remediations"}
    ours = {names.get(name, f"{name}_remediation") for name in operations}
    assert operations == {"create", "retrieve", "list", "approve", "reject", "cancel"}
    assert {name for name in ours if not hasattr(Client, name)} == set()


def literals(annotation: Any) -> set[str]:
    """Every string of a type's literals, however deep."""
    if isinstance(annotation, str):
        return {annotation}
    return {value for argument in get_args(annotation) for value in literals(argument)}
