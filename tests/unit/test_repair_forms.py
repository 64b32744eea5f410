"""The class of the dynamic form and the component of the plugin are one thing."""

from __future__ import annotations

import inspect

from pydantic.alias_generators import to_snake

from pulumi_resource_togetherai.dynamic import ClusterRepair
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs, ClusterRepairOutputs
from pulumi_resource_togetherai.schema import schema


def test_the_class_takes_what_the_component_takes_and_has_its_outputs():
    arguments = set(inspect.signature(ClusterRepair.__init__).parameters) - {"self", "resource_name", "opts"}
    assert arguments == {to_snake(str(field.alias)) for field in ClusterRepairInputs.model_fields.values()}
    assert {*ClusterRepairOutputs.model_fields} <= {*ClusterRepair.__annotations__}


def test_the_schema_describes_a_rule_with_its_defaults_and_choices():
    types = schema()["types"]
    rule, when = types["togetherai:index:Rule"], types["togetherai:index:When"]
    assert rule["required"] == ["name"]
    assert rule["properties"]["within"]["default"] == "24h"
    assert "REPAIR, LEAVE, REJECT (Action)" in rule["properties"]["action"]["description"]
    assert {member["value"] for member in types["togetherai:index:Action"]["enum"]} == {"REPAIR", "LEAVE", "REJECT"}
    modes = rule["properties"]["modes"]["items"]["oneOf"]
    assert {"$ref": "#/types/togetherai:index:RemediationMode"} in modes
    assert all(field["description"] for field in [*rule["properties"].values(), *when["properties"].values()])
