"""`pulumi do` makes its flags from the schema: what a person types is one, and its help begins with one short line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_resource_togetherai.schema import schema

PLAIN = {"string", "boolean", "integer", "number"}
"""The types that a flag may have."""
LONGEST = 100
"""Characters of a line of help, without the values that it lists."""


def typed() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Everything that a person may write: where, its name, and what the schema says of it."""
    package = schema()
    inputs = {token: spec["inputProperties"] for token, spec in package["resources"].items()}
    inputs |= {f"{token} list": spec.get("listInputs", {}) for token, spec in package["resources"].items()}
    inputs |= {token: spec["inputs"]["properties"] for token, spec in package["functions"].items()}
    inputs["provider"] = package["provider"]["inputProperties"]
    for where, properties in inputs.items():
        for name, spec in properties.get("properties", properties).items():
            yield where.removeprefix("togetherai:index:"), name, spec


def test_every_input_is_a_flag_but_maps_and_lists():
    no_flags = {f"{where}.{name}" for where, name, spec in typed() if spec["type"] not in PLAIN or "oneOf" in spec}
    assert no_flags == {
        "Remediation.triggers",
        "RollingRemediation.triggers",
        "RollingRemediation.instances",
        "RollingRemediation.nodes",
        "ClusterRepair.rules",
        "ClusterRepair.nodes",
        "ClusterRepair.exclude",
        "getRemediations.state",
        "getRemediations.mode",
        "getRemediations.trigger",
    }


@pytest.mark.parametrize(("where", "name", "spec"), list(typed()))
def test_the_help_of_a_flag_begins_with_a_short_line_without_markdown(where: str, name: str, spec: dict[str, Any]):
    if spec["type"] not in PLAIN:
        return
    first = spec["description"].partition("\n\n")[0]
    assert not set("`*[]") & set(first), f"{where}.{name}"
    assert len(first.partition(": ")[0]) <= LONGEST, f"{where}.{name}"


def test_the_help_of_a_choice_lists_what_may_be_written():
    properties = schema()["resources"]["togetherai:index:Remediation"]["inputProperties"]
    assert properties["ifActive"]["description"].startswith(
        "What to do about another active remediation of the node, which this resource did not start: "
        "FAIL, ADOPT, CREATE (IfActive)."
    )
    assert properties["mode"]["description"].startswith("How to repair the node: VM_ONLY, HOST_AWARE, ")
