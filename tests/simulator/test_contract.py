"""Requests and answers, as strict as the real service may be."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.simulator.driver import (
    HOST_AWARE,
    INVALID_ARGUMENT,
    NODE,
    NOT_FOUND,
    OTHER_NODE,
    PERMISSION_DENIED,
    REBOOT_VM,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNIMPLEMENTED,
    VM_ONLY,
    Driver,
    instance_path,
    ok,
    refused,
)

# Who asks


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic simulator-key", "simulator-key"])
async def test_a_missing_or_wrong_key_is_401(simulator: Driver, authorization: str | None) -> None:
    del simulator.http.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await simulator.http.get(instance_path(), headers=headers)
    refused(response, 401, UNAUTHENTICATED)
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_may_be_limited_to_clusters_and_to_looking() -> None:
    keys = [{"key": "simulator-key", "clusters": ["cluster-1"], "read_only": True}]
    async with Driver({"clusters": 2, "api_keys": keys}) as simulator:
        ok(await simulator.list())
        refused(await simulator.create(), 403, PERMISSION_DENIED)
        refused(await simulator.http.get("/v1/compute/clusters/cluster-2"), 403, PERMISSION_DENIED)
        clusters = ok(await simulator.http.get("/v1/compute/clusters"))["clusters"]
        assert [cluster["cluster_id"] for cluster in clusters] == ["cluster-1"]


# What is asked for


async def test_what_is_not_there_is_404(simulator: Driver) -> None:
    remediation = await simulator.created()
    for path in (
        "/v1/compute/clusters/cluster-9",
        instance_path(cluster="cluster-9"),
        instance_path("cluster-1-node-9"),
        f"{instance_path()}/nothing",
        f"{instance_path(OTHER_NODE)}/{remediation['id']}",
        "/v1/nothing",
        "/compute/clusters",
    ):
        refused(await simulator.http.get(path), 404, NOT_FOUND)
    refused(await simulator.create("cluster-1-node-9"), 404, NOT_FOUND)
    refused(await simulator.create("-"), 404, NOT_FOUND)
    refused(await simulator.act({"instance_id": NODE, "id": "nothing"}, "approve"), 404, NOT_FOUND)


async def test_a_method_that_a_path_does_not_take_is_405(simulator: Driver) -> None:
    response = await simulator.http.delete(instance_path())
    refused(response, 405, UNIMPLEMENTED)
    assert response.headers["Allow"] == "GET, POST"


async def test_a_parameter_that_does_not_exist_is_refused(simulator: Driver) -> None:
    refused(await simulator.list(query={"limit": 5}), 400, INVALID_ARGUMENT)
    response = await simulator.http.post(instance_path(), params={"id": "x"}, json={"mode": VM_ONLY})
    refused(response, 400, INVALID_ARGUMENT)
    refused(await simulator.http.get("/v1/compute/clusters", params={"page": 1}), 400, INVALID_ARGUMENT)


# Bodies


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "mode"),
        ({"mode": None}, "mode"),
        ({"mode": ""}, "mode"),
        ({"mode": "VM_ONLY"}, "mode"),
        ({"mode": 1}, "mode"),
        ({"mode": [VM_ONLY]}, "mode"),
        ({"mode": VM_ONLY, "reason": 5}, "reason"),
        ({"mode": VM_ONLY, "reason": ["a"]}, "reason"),
        ({"mode": VM_ONLY, "force": True}, "force"),
        ({"mode": VM_ONLY, "create_time": "yesterday"}, "create_time"),
        ({"mode": VM_ONLY, "id": 5}, "id"),
        ([], "body"),
        ("text", "body"),
        (None, "mode"),
    ],
)
async def test_a_body_that_is_not_right_is_refused_by_its_field(simulator: Driver, body: Any, field: str) -> None:
    response = await simulator.http.post(instance_path(), json=body)
    message = refused(response, 400, INVALID_ARGUMENT)
    assert message.startswith(f"{field}")
    assert response.json()["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert ok(await simulator.list())["remediations"] == []


@pytest.mark.parametrize("body", [b"{", b'{"mode": "REMEDIATION_MODE_VM_ONLY",}', b"\xff\xfe", b"{} {}"])
async def test_what_is_not_json_is_refused(simulator: Driver, body: bytes) -> None:
    refused(await simulator.http.post(instance_path(), content=body), 400, INVALID_ARGUMENT)


async def test_what_only_the_service_writes_is_ignored(simulator: Driver) -> None:
    body = {"mode": VM_ONLY, "id": "mine", "state": "SUCCEEDED", "clusterId": "x", "requested_by": "me", "reason": None}
    remediation = ok(await simulator.http.post(instance_path(), json=body))
    assert remediation["id"] != "mine"
    assert remediation["state"] == "PENDING"
    assert remediation["cluster_id"] == "cluster-1"
    assert remediation["requested_by"] == "simulator-user"


async def test_a_body_that_is_not_said_to_be_json_is_415(simulator: Driver) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(await simulator.http.post(instance_path(), content=b"mode=x", headers=headers), 415, INVALID_ARGUMENT)


async def test_a_body_that_is_too_long_is_413(simulator: Driver) -> None:
    refused(await simulator.create(reason="x" * (1 << 20)), 413, RESOURCE_EXHAUSTED)


@pytest.mark.parametrize("action", ["approve", "reject", "cancel"])
async def test_an_action_needs_no_body(simulator: Driver, action: str) -> None:
    ok(await simulator.act(await simulator.propose(), action))


@pytest.mark.parametrize(
    ("action", "body"), [("approve", {"mode": ""}), ("reject", {"mode": VM_ONLY}), ("approve", {"comment": 1})]
)
async def test_a_review_is_read_as_strictly(simulator: Driver, action: str, body: dict[str, Any]) -> None:
    refused(await simulator.act(await simulator.propose(), action, body), 400, INVALID_ARGUMENT)


# Lists


async def ids(simulator: Driver, query: Any = None, instance: str = "-") -> list[str]:
    return [item["id"] for item in ok(await simulator.list(instance, query))["remediations"]]


async def some(simulator: Driver, number: int) -> list[str]:
    """Ids of so many new remediations, newest first."""
    made: list[str] = []
    for _ in range(number):
        await simulator.advance(1)
        made.insert(0, (await simulator.created(mode=REBOOT_VM))["id"])
    return made


async def test_a_list_is_newest_first(simulator: Driver) -> None:
    assert await ids(simulator, instance=NODE) == []
    made = await some(simulator, 3)
    assert await ids(simulator) == made == await ids(simulator, instance=NODE)
    assert await ids(simulator, instance=OTHER_NODE) == []


@pytest.mark.parametrize(
    "query",
    [
        [("state", "RUNNING"), ("state", "PENDING_APPROVAL")],
        [("state", "RUNNING,PENDING_APPROVAL")],
        [("mode", HOST_AWARE), ("mode", REBOOT_VM)],
        [
            ("mode", f"{HOST_AWARE},{REBOOT_VM}"),
            ("trigger", "REMEDIATION_TRIGGER_MANUAL,REMEDIATION_TRIGGER_AUTOMATED"),
        ],
    ],
)
async def test_filters_may_be_repeated_or_joined_by_commas(simulator: Driver, query: list[tuple[str, str]]) -> None:
    running = await simulator.created(mode=REBOOT_VM)
    await simulator.advance(10)
    proposed = await simulator.propose(OTHER_NODE, mode=HOST_AWARE)
    await simulator.created(OTHER_NODE, mode=VM_ONLY)
    assert await ids(simulator, query) == [proposed["id"], running["id"]]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "running"},
        {"state": ""},
        {"state": "RUNNING,"},
        {"mode": "VM_ONLY"},
        {"trigger": "MANUAL"},
        {"page_size": "-1"},
        {"page_size": "many"},
        {"page_size": ""},
        {"page_size": "1e2"},
        {"page_size": "99999999999"},
        [("page_size", "1"), ("page_size", "2")],
        [("page_size", "1"), ("pageSize", "1")],
        {"order_by": "colour"},
        {"order_by": "create_time sideways"},
        {"order_by": "create_time,"},
        {"page_token": "nonsense"},
        {"page_token": base64.b64encode(b"[1]").decode()},
        {"page_token": base64.b64encode(b'{"a": 1}').decode()},
    ],
)
async def test_a_list_parameter_that_is_not_right_is_refused(simulator: Driver, query: Any) -> None:
    refused(await simulator.list(query=query), 400, INVALID_ARGUMENT)


@pytest.mark.parametrize("names", [("page_size", "page_token"), ("pageSize", "pageToken")])
async def test_pages_follow_each_other_under_both_spellings(simulator: Driver, names: tuple[str, str]) -> None:
    made = await some(simulator, 5)
    seen: list[str] = []
    query: dict[str, str | int] = {names[0]: 2}
    while True:
        page = ok(await simulator.list(query=query))
        seen += [item["id"] for item in page["remediations"]]
        assert page["has_next"] == bool(page["next_page_token"])
        if not page["has_next"]:
            break
        query[names[1]] = page["next_page_token"]
    assert seen == made


@pytest.mark.parametrize("order", ["create_time desc", "create_time", "update_time desc", "end_time, create_time asc"])
async def test_what_is_added_between_two_pages_neither_repeats_nor_hides_another(simulator: Driver, order: str) -> None:
    made = set(await some(simulator, 7))
    query: dict[str, str | int] = {"page_size": 3, "order_by": order}
    seen: list[str] = []
    for _ in range(5):
        page = ok(await simulator.list(query=query))
        seen += [item["id"] for item in page["remediations"]]
        if not page["has_next"]:
            break
        # Time stands still for this one: it comes at the same moment as the newest that was there.
        await simulator.created(mode=REBOOT_VM)
        query["page_token"] = page["next_page_token"]
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_list_can_be_ordered(simulator: Driver) -> None:
    made = await some(simulator, 3)
    await simulator.advance(1)
    ok(await simulator.act({"instance_id": NODE, "id": made[1]}, "cancel"))
    assert await ids(simulator, {"order_by": "create_time"}) == made[::-1]
    assert await ids(simulator, {"orderBy": "update_time desc"}) == [made[1], made[0], made[2]]
    assert (await ids(simulator, {"order_by": "end_time desc"}))[0] == made[1]


async def test_a_page_has_50_and_at_most_100(simulator: Driver) -> None:
    await some(simulator, 102)
    assert [len(await ids(simulator, {"page_size": size})) for size in (0, 1, 100, 1000)] == [50, 1, 100, 100]


async def test_the_most_per_page_can_be_larger() -> None:
    async with Driver({"settings": {"max_page_size": 1000}}) as simulator:
        await some(simulator, 102)
        assert [len(await ids(simulator, {"page_size": size})) for size in (0, 101, 1001)] == [50, 101, 102]


async def test_a_larger_page_can_be_refused() -> None:
    async with Driver({"settings": {"larger_page": "refuse"}}) as simulator:
        await some(simulator, 102)
        assert len(await ids(simulator, {"page_size": 100})) == 100
        message = refused(await simulator.list(query={"page_size": 101}), 400, INVALID_ARGUMENT)
        assert "page_size: must be 100 at most" in message


async def test_a_page_token_belongs_to_its_list(simulator: Driver) -> None:
    await some(simulator, 3)
    token = ok(await simulator.list(query={"page_size": 1}))["next_page_token"]
    for instance, query in (("-", {"state": "PENDING"}), ("-", {"order_by": "create_time"}), (NODE, {})):
        message = refused(await simulator.list(instance, {**query, "page_token": token}), 400, INVALID_ARGUMENT)
        assert "another list" in message


async def test_a_page_token_expires(simulator: Driver) -> None:
    await some(simulator, 3)
    token = ok(await simulator.list(query={"page_size": 1}))["next_page_token"]
    await simulator.advance(4000)
    assert "expired" in refused(await simulator.list(query={"page_token": token}), 400, INVALID_ARGUMENT)


# The journal


async def test_the_journal_tells_what_was_asked_and_what_came_of_it(simulator: Driver) -> None:
    remediation = await simulator.created(key="k")
    await simulator.act(remediation, "cancel")
    await simulator.http.get("/v1/nothing")
    created, cancelled, lost = await simulator.journal()
    assert created == {
        "seq": 1,
        "time": "2027-01-15T08:00:00+00:00",
        "method": "POST",
        "path": instance_path(),
        "query": "remediation_id=k",
        "body": {"mode": VM_ONLY, "reason": "broken"},
        "status": 200,
        "effect": "created",
        "fault": None,
    }
    assert (cancelled["effect"], cancelled["status"]) == ("cancelled", 200)
    assert (lost["effect"], lost["status"]) == (None, 404)


async def test_the_journal_can_be_cleared_and_never_holds_the_key(simulator: Driver) -> None:
    await simulator.list()
    assert "simulator-key" not in str(await simulator.journal())
    await simulator.control("DELETE", "/requests")
    assert await simulator.journal() == []


async def test_the_journal_keeps_the_newest_10000(simulator: Driver) -> None:
    journal = simulator.app.journal
    for _ in range(10_500):
        journal.open(simulator.app.platform.now, "GET", "/", "", b"")
    entries = await simulator.journal()
    assert (len(entries), entries[-1]["seq"]) == (10_000, 10_500)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/advance", {"seconds": -1}),
        ("POST", "/advance", {}),
        ("POST", "/faults", {"kind": "plague"}),
        ("PATCH", "/settings", {"idempotency": "maybe"}),
        ("PATCH", "/settings", {"colour": "red"}),
        ("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": "explode"}),
        ("GET", "/state?limit=x", None),
    ],
)
async def test_the_control_api_refuses_what_makes_no_sense(
    simulator: Driver, method: str, path: str, body: dict[str, Any] | None
) -> None:
    response: httpx.Response = await simulator.http.request(method, f"/_simulator{path}", json=body)
    refused(response, 400, INVALID_ARGUMENT)
