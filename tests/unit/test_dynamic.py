"""The dynamic form's classes, whose arguments are written by hand, have every input."""

from __future__ import annotations

import inspect

import pytest
from pydantic import BaseModel

from pulumi_resource_togetherai.dynamic import Remediation, RemediationReview, RollingRemediation
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.rolling.inputs import RollingInputs

OWN = {"self", "resource_name", "opts"}


@pytest.mark.parametrize(
    ("form", "inputs"),
    [(Remediation, RemediationInputs), (RemediationReview, ReviewInputs), (RollingRemediation, RollingInputs)],
)
def test_every_input_is_an_argument(form: type[object], inputs: type[BaseModel]):
    assert set(inspect.signature(form.__init__).parameters) - OWN == set(inputs.model_fields)
