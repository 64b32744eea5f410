"""The lookups: their arguments, their order, and what they ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.functions.function import (
    GET_CLUSTER,
    GET_CLUSTERS,
    GET_INSTANCES,
    GET_NODE,
    GET_REMEDIATION,
    GET_REMEDIATION_STATS,
    GET_REMEDIATIONS,
    LONGEST,
)
from pulumi_resource_togetherai.functions.health import Health
from pulumi_resource_togetherai.functions.order import Order
from pulumi_resource_togetherai.functions.results import Percentiles, RemediationStats
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.unknown import UNKNOWN
from tests.unit.examples import NOW, record
from togetherai_simulator import DEFAULT_API_KEY, InProcessTransport, in_process, simulate
from togetherai_simulator.app import App

CLUSTER = {"clusterId": "cluster-1"}


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        ({"state": ["RUNING"]}, "state.0", '"RUNING" is not a state; did you mean RUNNING?'),
        ({"state": ["RUNNING", "broken"]}, "state.1", '"broken" is not a state; write one of PENDING_APPROVAL'),
        ({"mode": ["VM_ONYL"]}, "mode.0", "did you mean VM_ONLY?"),
        ({"trigger": ["AUTO"]}, "trigger.0", '"AUTO" is not a trigger; did you mean AUTOMATED?'),
        ({"orderBy": "colour"}, "orderBy", '"colour" is not an order; write createTime or updateTime'),
        ({"orderBy": "createTime sideways"}, "orderBy", "is not an order"),
        ({"orderBy": ""}, "orderBy", "is not an order"),
        ({"limit": 0}, "limit", "greater than or equal to 1"),
        ({"instanceId": "a/b"}, "instanceId", "is not an id"),
        ({"instanceId": "a", "node": "b"}, "node", "instanceId and node: give one of them at the most"),
        ({"states": ["RUNNING"]}, "states", "did you mean state?"),
        ({"instanceId": UNKNOWN}, "instanceId", "instanceId is not known before `pulumi up`"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_the_remedy(arguments: dict[str, Any], path: str, reason: str):
    (failure,) = GET_REMEDIATIONS.check(CLUSTER | arguments)
    assert failure.property == path
    assert reason in failure.reason
    assert "\n" not in failure.reason


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        ({"window": "a week"}, "window", '"a week" is not a duration; write a number with its unit, such as 90s'),
        ({"window": 3600}, "window", '"3600" is not a duration'),
        ({"window": "-1h"}, "window", "is not a duration"),
        ({"windows": "1h"}, "windows", "did you mean window?"),
        ({"window": UNKNOWN}, "window", "window is not known before `pulumi up`"),
    ],
)
def test_a_mistake_about_the_window_is_named(arguments: dict[str, Any], path: str, reason: str):
    (failure,) = GET_REMEDIATION_STATS.check(CLUSTER | arguments)
    assert failure.property == path
    assert reason in failure.reason
    assert "\n" not in failure.reason


def test_a_cluster_is_required():
    for function in (GET_REMEDIATION, GET_REMEDIATIONS, GET_REMEDIATION_STATS, GET_INSTANCES):
        assert "clusterId is required" in [failure.reason for failure in function.check({})]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("createTime", ["undated", "old", "new"]),
        ("createTime asc", ["undated", "old", "new"]),
        ("createTime desc", ["new", "old", "undated"]),
        ("updateTime desc", ["old", "new", "undated"]),
    ],
)
def test_a_list_is_ordered_by_one_of_its_times(order: str, ids: list[str]):
    listed = [
        record("FAILED", id="new", create_time=NOW, update_time=NOW),
        record("FAILED", id="undated", create_time=None),
        record("FAILED", id="old", create_time=NOW - timedelta(1), update_time=NOW + timedelta(1)),
    ]
    assert [item.id for item in Order.parse(order).of(listed)] == ids


@pytest.fixture
def app() -> App:
    """A simulated platform with one cluster."""
    return simulate()


def client(app: App) -> Client:
    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    return Client("http://simulator/v1", credential, transport=InProcessTransport(app))


async def started(app: App, instance: str, mode: RemediationMode) -> str:
    async with client(app) as it:
        made = await it.create_remediation("cluster-1", instance, mode=mode, reason=None, remediation_id=instance)
        assert made.remediation_id is not None
        return made.remediation_id


async def ids(app: App, **arguments: Any) -> list[str]:
    found = await GET_REMEDIATIONS.answer(ProviderConfig(), CLUSTER | arguments, client(app))
    return [item.id for item in found.remediations]


async def test_filters_order_and_limit_narrow_the_list(app: App):
    nodes = [f"cluster-1-node-{number}" for number in (1, 2, 3)]
    for node, mode in zip(nodes, (RemediationMode.REBOOT_VM, *[RemediationMode.VM_ONLY] * 2), strict=True):
        await started(app, node, mode)
        in_process(app).advance(1)
    assert await ids(app) == nodes[::-1]
    assert await ids(app, orderBy="createTime", limit=2) == nodes[:2]
    assert await ids(app, instanceId=nodes[1]) == [nodes[1]]
    assert await ids(app, mode=["REBOOT_VM"]) == [nodes[0]]
    assert await ids(app, mode=["REBOOT_VM", "REMEDIATION_MODE_VM_ONLY"], state=["PENDING"], limit=1) == [nodes[2]]
    assert await ids(app, trigger=["AUTOMATED"]) == []


async def test_the_remediation_of_a_replaced_instance_is_still_found(app: App):
    await started(app, "cluster-1-node-1", RemediationMode.VM_ONLY)
    in_process(app).advance(1000)
    assert await ids(app, instanceId="cluster-1-node-1", state=["SUCCEEDED"]) == ["cluster-1-node-1"]
    assert await ids(app, instanceId="cluster-1-node-1", state=["FAILED"]) == []
    with pytest.raises(OperationError, match=r"getRemediations failed: .*NOT_FOUND"):
        await ids(app, instanceId="cluster-1-node-99")


async def stats(app: App, **arguments: Any) -> RemediationStats:
    return await GET_REMEDIATION_STATS.answer(ProviderConfig(), CLUSTER | arguments, client(app))


async def test_the_stats_of_a_cluster_are_those_of_every_page_of_its_records():
    app = simulate({"settings": {"max_page_size": 2, "pending": 10, "running": 290}})
    simulator = in_process(app)
    simulator.behave("cluster-1-node-2", outcome="fail")
    for node in (1, 2, 3):
        await started(app, f"cluster-1-node-{node}", RemediationMode.REBOOT_VM)
    simulator.advance(400)
    await started(app, "cluster-1-node-4", RemediationMode.HOST_AWARE)
    simulator.forget_requests()
    told = await stats(app)
    asked = simulator.requests()
    assert [entry["method"] for entry in asked] == ["GET", "GET"]
    assert told.count == 3
    assert list(told.modes) == ["REMEDIATION_MODE_REBOOT_VM"]
    reboots = told.modes["REMEDIATION_MODE_REBOOT_VM"]
    assert reboots.success_share == pytest.approx(2 / 3)
    assert {state: one.count for state, one in reboots.outcomes.items()} == {"SUCCEEDED": 2, "FAILED": 1}
    succeeded = reboots.outcomes["SUCCEEDED"]
    assert succeeded.approval is None
    assert succeeded.queue == Percentiles(count=2, p50=10, p90=10, p99=10)
    assert succeeded.repair == Percentiles(count=2, p50=290, p90=290, p99=290)
    assert succeeded.total == Percentiles(count=2, p50=300, p90=300, p99=300)


async def test_what_ended_before_the_window_does_not_count(app: App):
    await started(app, "cluster-1-node-1", RemediationMode.REBOOT_VM)
    in_process(app).advance(2 * 24 * 3600)
    assert (await stats(app, window="24h")).modes == {}
    assert (await stats(app)).count == 1


async def test_the_stats_of_an_unknown_cluster_are_one_clear_line(app: App):
    with pytest.raises(OperationError, match=r"^getRemediationStats failed: list remediations: 404 [^\n]*$"):
        await GET_REMEDIATION_STATS.answer(ProviderConfig(), {"clusterId": "cluster-9"}, client(app))


async def test_what_cannot_be_used_is_told_apart_in_the_stats():
    good = record("SUCCEEDED", ended=timedelta(), id="good", start_time=None)
    backwards = record("SUCCEEDED", ended=timedelta(hours=1), id="bad", create_time=NOW)

    def answer(request: httpx.Request) -> httpx.Response:
        listed: list[Any] = [one.model_dump(mode="json", exclude_none=True) for one in (good, backwards)]
        listed.append({"id": "no state"})
        return httpx.Response(200, json={"remediations": listed}, headers={"Date": format_datetime(NOW, usegmt=True)})

    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    lying = Client("http://simulator/v1", credential, transport=httpx.MockTransport(answer))
    told = await GET_REMEDIATION_STATS.answer(ProviderConfig(), {"clusterId": "c1"}, lying)
    assert (told.count, told.unreadable) == (2, 1)
    assert [outcome.left_out for mode in told.modes.values() for outcome in mode.outcomes.values()] == [1]
    assert abs(told.since - (NOW - timedelta(days=30))) < timedelta(minutes=1)


async def test_an_instance_shows_its_node_and_its_latest_remediation(app: App):
    await started(app, "cluster-1-node-2", RemediationMode.REBOOT_VM)
    found = await GET_INSTANCES.answer(ProviderConfig(), CLUSTER, client(app))
    first, second, *_ = found.instances
    assert (first.instance_id, first.host_name, first.status) == ("cluster-1-node-1", "cluster-1-host-1", "Ready")
    assert first.auto_remediation_enabled
    assert first.latest_remediation is None
    assert second.latest_remediation is not None
    assert second.latest_remediation.mode is RemediationMode.REBOOT_VM
    assert not second.model_extra
    assert first.health is Health.HEALTHY


@pytest.mark.parametrize(
    ("said", "health"), [("Running", "HEALTHY"), ("NOT_READY", "UNHEALTHY"), ("Wobbly", "UNKNOWN")]
)
async def test_a_status_is_no_guess_and_a_node_that_leaves_is_left_out(said: str, health: str):
    nodes = [
        {"instance_id": "a", "status": said},
        {"instance_id": "b", "status": "NotReady", "marked_for_deletion": True},
    ]
    cluster = {"cluster_id": "cluster-1", "cluster_name": "one", "gpu_worker_nodes": nodes}
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, json=cluster))
    odd = Client("http://simulator/v1", Credential(SecretStr(DEFAULT_API_KEY), "the test"), transport=answer)
    found = await GET_INSTANCES.answer(ProviderConfig(), CLUSTER, odd)
    assert [(one.instance_id, one.health.value) for one in found.instances] == [("a", health)]


async def test_what_is_not_there_is_one_clear_line(app: App):
    where = {"instanceId": "cluster-1-node-1", "remediationId": "nothing"}
    with pytest.raises(OperationError, match=r"^getRemediation failed: get remediation: 404 NOT_FOUND: .*$"):
        await GET_REMEDIATION.answer(ProviderConfig(), CLUSTER | where, client(app))


async def test_a_page_token_that_expired_is_one_clear_line():
    app = simulate({"settings": {"max_page_size": 1, "page_token_lifetime": 0}})
    for number in (1, 2, 3):
        await started(app, f"cluster-1-node-{number}", RemediationMode.REBOOT_VM)
    with pytest.raises(OperationError, match=r"^getRemediations failed: list remediations: 400 .*token[^\n]*$"):
        await ids(app)


@pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps
async def test_a_lookup_ends_in_time_however_slow_each_page_comes():
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(20)
        token = str(int(request.url.params.get("page_token", "0")) + 1)
        return httpx.Response(200, json={"remediations": [], "has_next": True, "next_page_token": token})

    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    slowly = Client("http://simulator/v1", credential, transport=httpx.MockTransport(slow))
    started_at = asyncio.get_running_loop().time()
    with pytest.raises(OperationError, match=r"^getRemediations failed: timed out"):
        await GET_REMEDIATIONS.answer(ProviderConfig(), CLUSTER, slowly)
    assert asyncio.get_running_loop().time() - started_at == pytest.approx(LONGEST)


def answering(*clusters: dict[str, Any]) -> Client:
    """A client of an API that has these clusters, and refuses everything else."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/compute/clusters":
            return httpx.Response(200, json={"clusters": clusters})
        asked = request.url.path.removeprefix("/v1/compute/clusters/")
        known = next((each for each in clusters if each["cluster_id"] == asked), None)
        return httpx.Response(200, json=known) if known else httpx.Response(404, json={"code": 5, "message": "none"})

    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    return Client("http://simulator/v1", credential, transport=httpx.MockTransport(answer))


TRAINING: dict[str, Any] = {"cluster_id": "c1", "cluster_name": "training eu", "kube_config": "a credential"}


@pytest.mark.parametrize("written", ["c1", "training eu", " training eu "])
async def test_a_cluster_is_found_by_its_id_and_by_its_name(written: str):
    other = {"cluster_id": "c2", "cluster_name": "c1"}
    found = await GET_CLUSTER.answer(ProviderConfig(), {"cluster": written}, answering(other, TRAINING))

    assert (found.cluster_id, found.cluster_name) == ("c1", "training eu")


async def test_the_kubeconfig_of_a_cluster_is_left_out():
    one = await GET_CLUSTER.answer(ProviderConfig(), {"cluster": "c1"}, answering(TRAINING))
    listed = await GET_CLUSTERS.answer(ProviderConfig(), {}, answering(TRAINING))

    assert [each.cluster_id for each in listed.clusters] == ["c1"]
    assert "a credential" not in one.model_dump_json() + listed.model_dump_json()


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        ([TRAINING, TRAINING | {"cluster_id": "c2"}], "2 clusters have this name: c1, c2; write the id"),
        ([TRAINING | {"cluster_name": "training us"}], r"no cluster has this id or name; .* training us \(c1\), c1$"),
        ([], "the API key sees no clusters at all"),
    ],
)
async def test_a_name_without_one_cluster_is_answered_with_those_nearby(clusters: list[dict[str, Any]], message: str):
    with pytest.raises(OperationError, match=f"^getCluster failed: find cluster: .*{message}"):
        await GET_CLUSTER.answer(ProviderConfig(), {"cluster": "training eu"}, answering(*clusters))


async def test_a_node_is_found_in_a_cluster_by_name():
    node = {"node_id": "worker-12", "host_name": "gpu-12", "instance_id": "i12"}
    gone = {"host_name": "gpu-13", "deleted_at": "2026-11-01T00:00:00Z"}
    api = TRAINING | {"gpu_worker_nodes": [node], "deleted_gpu_worker_nodes": [gone]}
    asked = {"cluster": "training eu"}
    found = await GET_NODE.answer(ProviderConfig(), asked | {"node": "GPU-12"}, answering(api))

    assert (found.cluster_id, found.node_id, found.instance_id) == ("c1", "worker-12", "i12")
    with pytest.raises(OperationError, match=r"no node of cluster c1 answers to this name; .* gpu-12 \(host_name\)"):
        await GET_NODE.answer(ProviderConfig(), asked | {"node": "gpu-1"}, answering(api))
    with pytest.raises(OperationError, match="has left cluster c1 at 2026-11-01"):
        await GET_NODE.answer(ProviderConfig(), asked | {"node": "gpu-13"}, answering(api))


async def test_a_nodes_remediations_are_those_of_every_instance_that_was_the_node():
    app = simulate()
    api, ran = in_process(app), "cluster-1-node-1"
    first = api.create(ran, "REMEDIATION_MODE_VM_ONLY")
    api.force(first["id"], "SUCCEEDED")
    api.force(api.create(f"{ran}-r2")["id"], "RUNNING")
    api.create("cluster-1-node-2")

    async def of(**more: Any) -> list[str]:
        asked = CLUSTER | {"node": "CLUSTER-1-HOST-1"} | more
        found = await GET_REMEDIATIONS.answer(ProviderConfig(), asked, client(app))
        return [one.instance_id for one in found.remediations]

    assert await of(orderBy="createTime") == [ran, f"{ran}-r2"]
    assert await of(state=["RUNNING"]) == [f"{ran}-r2"]
    assert await of(mode=["VM_ONLY"], limit=1) == [ran]
    with pytest.raises(OperationError, match=r"answers to this name; the closest names are cluster-1-host-1"):
        await of(node="cluster-1-host-l")
