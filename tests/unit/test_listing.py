"""The list of a kind of resource: what it holds, in which order, and its pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.functions.listing import Lists, title
from pulumi_resource_togetherai.operation.run import OperationError
from tests.unit.examples import NOW, record
from togetherai_simulator import DEFAULT_API_KEY, InProcessTransport, in_process, simulate
from togetherai_simulator.app import App

NODES = [f"cluster-1-node-{number}" for number in (1, 2, 3)]


@pytest.fixture
def app() -> App:
    """A simulated platform with one cluster, each of whose first three nodes has been rebooted, one after another."""
    app = simulate()
    platform = in_process(app)
    for node in NODES:
        platform.create(node, mode="REMEDIATION_MODE_REBOOT_VM")
        platform.advance(1000)
    return app


def lists(app: App) -> Lists:
    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    return Lists(ProviderConfig(), Client("http://simulator/v1", credential, transport=InProcessTransport(app)))


async def nodes(app: App, kind: str = "Remediation", **query: Any) -> list[str]:
    """The instances of what is listed."""
    page = await lists(app).page(kind, {"cluster": "cluster-1"} | query, "", most=0)
    assert not page.following
    return [each.instance_id for each in page.records]


async def test_the_newest_comes_first_and_each_filter_narrows_the_list(app: App):
    in_process(app).create(NODES[0], mode="REMEDIATION_MODE_VM_ONLY")
    assert await nodes(app) == [NODES[0], *NODES[::-1]]
    assert await nodes(app, cluster="training-1", state="PENDING") == [NODES[0]]
    assert await nodes(app, mode="VM_ONLY, REMEDIATION_MODE_HOST_AWARE") == [NODES[0]]
    assert await nodes(app, state="FAILED,SUCCEEDED", node="cluster-1-host-2") == [NODES[1]]
    assert await nodes(app, trigger="AUTOMATED") == []


async def test_what_ran_on_an_earlier_instance_of_a_node_is_listed_under_its_name(app: App):
    platform = in_process(app)
    platform.create(NODES[0], mode="REMEDIATION_MODE_VM_ONLY")
    platform.advance(1000)
    assert await nodes(app, node="node-1") == [NODES[0], NODES[0]]


async def test_reviews_are_what_somebody_has_reviewed(app: App):
    platform = in_process(app)
    rejected, _ = (platform.propose(node) for node in NODES[:2])
    assert await nodes(app, "RemediationReview") == []
    async with Client(
        "http://simulator/v1", Credential(SecretStr(DEFAULT_API_KEY), ""), transport=InProcessTransport(app)
    ) as client:
        await client.reject_remediation("cluster-1", NODES[0], rejected["id"])
    assert await nodes(app, "RemediationReview") == [NODES[0]]
    assert await nodes(app, state="PENDING_APPROVAL") == [NODES[1]]


async def test_pages_are_parts_of_one_answer(app: App):
    here, query = lists(app), {"cluster": "cluster-1"}
    first = await here.page("Remediation", query, "", most=2)
    in_process(app).create("cluster-1-node-4", mode="REMEDIATION_MODE_REBOOT_VM")
    second = await here.page("Remediation", query, first.following, most=2)
    assert [each.instance_id for each in (*first.records, *second.records)] == NODES[::-1]
    assert not second.following
    with pytest.raises(OperationError, match="list it again from the beginning"):
        await here.page("Remediation", query, first.following, most=2)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({}, "cluster is required"),
        ({"cluster": "cluster-1", "state": "PENDING,RUNING"}, '"RUNING" is not a state; did you mean RUNNING?'),
        ({"cluster": "cluster-1", "states": "PENDING"}, "did you mean state?"),
        ({"cluster": "cluster-1", "node": "nobody"}, "no node"),
        ({"cluster": "training"}, "the closest are training-1"),
    ],
)
async def test_a_list_that_cannot_be_had_says_what_to_write_instead(app: App, query: dict[str, Any], reason: str):
    with pytest.raises(OperationError, match=re.escape(reason)):
        await lists(app).page("Remediation", query, "", most=0)


def test_a_line_names_the_node_the_state_the_mode_and_the_time():
    running = record("RUNNING", instance_name="node-7", create_time=NOW)
    assert title(running) == "node-7 RUNNING REBOOT_VM 2026-11-23T03:00:00Z"
    assert title(record("PENDING", create_time=None)) == "i7 PENDING REBOOT_VM"
