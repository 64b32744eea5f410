"""What the stack records, and reads again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.operation.resource_id import ResourceId
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.state import State, output_names
from tests.unit.examples import declared, record

PLAIN: dict[str, Any] = {"clusterId": "c1", "instanceId": "i7", "mode": "REBOOT_VM"}


def test_what_the_stack_records_is_read_as_it_was():
    for state in (
        State(declared(), record("SUCCEEDED", ended=timedelta(), requested_by="ana"), 2, resumed=True),
        State(declared(), record("RUNNING"), None, adopted=True),
        State(declared(), record("CANCELLED", ended=timedelta()), 1, withdrawn=True),
    ):
        outputs = state.outputs()
        assert None not in outputs.values()
        assert set(outputs) <= {to_camel(name) for name in (*RemediationInputs.model_fields, *output_names())}
        assert State.recorded(outputs, PLAIN) == state
    assert not {"id", "cluster_id"}.intersection(output_names())


def test_a_record_silent_about_its_origin_was_started_here():
    state = State(declared(), record("RUNNING"), 1)
    told = {"attempt", "adopted", "resumed", "withdrawn"}
    outputs = {name: value for name, value in state.outputs().items() if name not in told}
    assert State.recorded(outputs, PLAIN) == State(declared(), record("RUNNING"))
    read = State.recorded(outputs, PLAIN)
    assert (read.attempt, read.adopted, read.resumed, read.withdrawn) == (None, False, False, False)


def test_an_id_is_that_of_the_cluster_the_instance_and_the_remediation():
    assert State(declared(), record("RUNNING", id="r1")).id == "c1/i7/r1"
    assert ResourceId.parse("c1/i7/r1") == ResourceId("c1", "i7", "r1")
    assert ResourceId.parse("c1/..i7/-r1") == ResourceId("c1", "..i7", "-r1")


@pytest.mark.parametrize(
    "text", ["r1", "i7/r1", "c1/i7/r1/", "c1/i7/r1/x", "c1//r1", "//", "c1/../r1", "./i7/r1", "c1/i7/-", "c1/i 7/r1"]
)
def test_what_is_no_id_is_answered_with_how_one_is_written(text: str):
    with pytest.raises(ValueError, match="is not the id of a remediation; write <clusterId>/<instanceId>/"):
        ResourceId.parse(text)
