"""The chains of a rolling remediation, and the table at its end."""

from __future__ import annotations

import inspect

from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_snake

from pulumi_resource_togetherai.dynamic import RollingRemediation
from pulumi_resource_togetherai.rolling.component import predecessors
from pulumi_resource_togetherai.rolling.inputs import RollingInputs
from pulumi_resource_togetherai.rolling.summary import NOT_BEGUN, summary

NODES = st.lists(st.text("abc", min_size=1), unique=True)
WIDTHS = st.integers(1, 5)


@given(NODES, WIDTHS)
def test_every_node_has_its_turn_after_one_that_stands_before_it(nodes: list[str], width: int):
    chains = predecessors(nodes, width)
    assert list(chains) == nodes
    for node, before in chains.items():
        assert before is None or nodes.index(before) < nodes.index(node)


@given(NODES, WIDTHS)
def test_no_more_nodes_than_allowed_are_away_and_lanes_have_one_length(nodes: list[str], width: int):
    chains = predecessors(nodes, width)
    assert sum(before is None for before in chains.values()) == min(width, len(nodes))
    followed = [before for before in chains.values() if before is not None]
    assert len(followed) == len(set(followed))  # no chain splits

    def place(node: str) -> int:
        before = chains[node]
        return 0 if before is None else place(before) + 1

    assert [place(node) for node in nodes] == [index // width for index in range(len(nodes))]


def test_the_table_says_what_ran_and_what_did_not():
    ran = {
        "mode": "REMEDIATION_MODE_VM_ONLY",
        "attempt": 2.0,
        "createTime": "2026-11-23T10:00:00Z",
        "endTime": "2026-11-23T10:12:30Z",
        "state": "SUCCEEDED",
    }
    adopted = {"mode": "REMEDIATION_MODE_REBOOT_VM", "state": "RUNNING", "createTime": "2026-11-23T10:00:00Z"}
    assert summary({"n1": ran, "node-22": adopted, "n3": NOT_BEGUN}, ["n1", "node-22", "n3"]) == "\n".join(
        [
            "1 of 3 repaired, 1 under way, 1 not begun",
            "  node     mode       attempt  took    outcome",
            "  n1       VM_ONLY    2        12m30s  SUCCEEDED",
            "  node-22  REBOOT_VM                   RUNNING",
            "  n3                                   not begun in this run",
        ]
    )


def test_the_class_takes_what_the_component_takes():
    arguments = set(inspect.signature(RollingRemediation.__init__).parameters) - {"self", "resource_name", "opts"}
    assert arguments == {to_snake(str(field.alias)) for field in RollingInputs.model_fields.values()}
