"""Dialects: how the API words and delays its answers, and which requests it serves. Nobody knows the real one's."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.driver import (
    HOST_AWARE,
    INVALID_ARGUMENT,
    NODE,
    NOT_FOUND,
    OTHER_NODE,
    REBOOT_VM,
    UNIMPLEMENTED,
    VM_ONLY,
    Driver,
    Json,
    instance_path,
    ok,
    refused,
)
from togetherai_simulator.dialect import NUMBERS, Dialect
from togetherai_simulator.operations import OPERATIONS, Answer
from togetherai_simulator.settings import Idempotency, Settings
from togetherai_simulator.spoken import speak

ROOT = Path(__file__).parents[2]
CLUSTER = "/v1/compute/clusters/cluster-1"
REPLACED = 100
"""After so many seconds a remediation of VM_ONLY has replaced the VM."""


def speaking(**choices: Any) -> Driver:
    return Driver({"settings": {"dialect": choices}})


async def listed(simulator: Driver, instance: str = "-", **query: Any) -> list[Json]:
    return ok(await simulator.list(instance, query))["remediations"]


async def status(simulator: Driver, remediation: Json) -> int:
    return (await simulator.http.get(f"{instance_path(remediation['instance_id'])}/{remediation['id']}")).status_code


async def settings_of(simulator: Driver) -> Json:
    return await simulator.control("GET", "/settings")


# Reads that lag behind writes


async def test_a_get_lags_behind_what_was_written() -> None:
    async with speaking(get_lag=3) as simulator:
        remediation = await simulator.created()
        assert await status(simulator, remediation) == 404
        assert len(await listed(simulator)) == 1
        await simulator.advance(2.9)
        assert await status(simulator, remediation) == 404
        await simulator.advance(0.1)
        assert await simulator.state(remediation) == "PENDING"
        await simulator.advance(9.9)
        assert (await listed(simulator))[0]["state"] == "RUNNING"
        assert await simulator.state(remediation) == "PENDING"
        await simulator.advance(0.1)
        assert await simulator.state(remediation) == "RUNNING"


async def test_a_list_lags_on_its_own_and_filters_by_what_it_sees() -> None:
    async with speaking(list_lag=3) as simulator:
        remediation = await simulator.created()
        assert await status(simulator, remediation) == 200
        assert await listed(simulator) == await listed(simulator, NODE) == []
        await simulator.advance(11)
        assert await simulator.state(remediation) == "RUNNING"
        assert [item["state"] for item in await listed(simulator, state="PENDING")] == ["PENDING"]
        assert await listed(simulator, NODE, state="RUNNING") == []
        await simulator.advance(2)
        assert await listed(simulator, state="PENDING") == []


async def test_each_of_many_changes_in_one_leap_of_time_is_seen_in_its_turn() -> None:
    async with speaking(get_lag=60, list_lag=20) as simulator:
        remediation = await simulator.created(mode=REBOOT_VM)
        await simulator.advance(70)
        assert await simulator.state(remediation) == "RUNNING"
        assert (await listed(simulator))[0]["state"] == "RUNNING"
        await simulator.advance(20)
        assert (await listed(simulator))[0]["state"] == "SUCCEEDED"
        assert await simulator.state(remediation) == "RUNNING"


async def test_a_cluster_lags_in_its_nodes_and_in_their_latest_remediations() -> None:
    async with speaking(cluster_lag=5) as simulator:
        remediation = await simulator.created()
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        assert "latest_remediation" not in node
        await simulator.advance(12)
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        assert (node["status"], node["latest_remediation"]["state"]) == ("Ready", "PENDING")
        await simulator.advance(60)
        assert await simulator.state(remediation) == "SUCCEEDED"
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        assert (node["status"], node["latest_remediation"]["state"], node["instance_id"]) == (
            "NotReady",
            "RUNNING",
            NODE,
        )
        await simulator.advance(3)
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        assert (node["status"], node["instance_id"]) == ("Ready", f"{NODE}-r2")


async def test_what_a_post_is_answered_does_not_lag() -> None:
    async with speaking(get_lag=60) as simulator:
        proposal = await simulator.propose()
        assert ok(await simulator.act(proposal, "approve"))["state"] == "PENDING"
        assert ok(await simulator.act(proposal, "cancel"))["state"] == "CANCELLED"


async def test_an_alert_is_seen_as_it_was() -> None:
    async with speaking(get_lag=5) as simulator:
        proposal = await simulator.propose()
        await simulator.advance(5)
        await simulator.control("POST", f"/instances/cluster-1/{NODE}/clear-alerts")
        [alert] = (await simulator.get(proposal))["linked_alerts"]
        assert (alert["node_remediation_intent_id"], "resolved_at" in alert) == (proposal["id"], False)
        await simulator.advance(5)
        assert "resolved_at" in (await simulator.get(proposal))["linked_alerts"][0]


async def test_a_lag_can_be_changed_at_run_time(simulator: Driver) -> None:
    remediation = await simulator.created()
    await simulator.control("PATCH", "/settings", {"dialect": {"get_lag": 3}})
    assert await simulator.state(remediation) == "PENDING"
    await simulator.advance(11)
    assert await simulator.state(remediation) == "PENDING"
    # It remembers no more than the lag needs; what it remembers has to do when the lag grows.
    await simulator.advance(70)
    await simulator.control("PATCH", "/settings", {"dialect": {"get_lag": 3600}})
    assert await simulator.state(remediation) in ("RUNNING", "SUCCEEDED")
    await simulator.control("PATCH", "/settings", {"dialect": {"get_lag": 0}})
    assert await simulator.state(remediation) == "SUCCEEDED"


async def test_only_as_much_is_remembered_as_the_lag_needs() -> None:
    async with speaking(get_lag=1) as simulator:
        remediation = await simulator.created(mode=HOST_AWARE)
        await simulator.advance(200)
        kept: Any = simulator.app.platform.past_jobs
        assert len(kept._kept[1]) == 2  # RUNNING and SUCCEEDED: the time of the last change is not yet a second ago
        for _ in range(200):
            await simulator.control("POST", f"/remediations/{remediation['id']}/state", {"state": "RUNNING"})
            await simulator.advance(0.001)
        assert len(kept._kept[1]) <= 50


# Replicas


async def states(simulator: Driver, remediation: Json, reads: int = 20) -> list[str]:
    return [await simulator.state(remediation) for _ in range(reads)]


async def test_replicas_flicker_and_an_older_record_follows_a_newer_one() -> None:
    async with speaking(get_lag=6, replicas=3) as simulator:
        remediation = await simulator.created()
        seen = {await status(simulator, remediation) for _ in range(20)}
        assert seen == {200, 404}
        await simulator.advance(12)
        flickering = await states(simulator, remediation)
        assert set(flickering) == {"PENDING", "RUNNING"}
        assert ("RUNNING", "PENDING") in pairwise(flickering)
        await simulator.advance(4)
        assert set(await states(simulator, remediation)) == {"RUNNING"}


async def test_with_the_same_seed_the_same_replicas_answer() -> None:
    async def flicker(seed: int) -> list[str]:
        scenario = {"seed": seed, "settings": {"dialect": {"get_lag": 6, "replicas": 3}}}
        async with Driver(scenario) as simulator:
            remediation = await simulator.created()
            await simulator.advance(12)
            return await states(simulator, remediation)

    assert await flicker(1) == await flicker(1) != await flicker(2)


# Unset values

TIMES = ("start_time", "end_time", "review_time")
TEXTS = ("error_message", "reviewed_by", "review_comment")


@pytest.mark.parametrize(
    ("choice", "written"),
    [("null", None), (None, None), ("empty", ""), ("zero", "0001-01-01T00:00:00Z"), ("epoch", "1970-01-01T00:00:00Z")],
)
async def test_an_unset_time_is_written_so_everywhere(choice: str | None, written: str | None) -> None:
    async with speaking(unset_times=choice) as simulator:
        proposal = await simulator.propose()
        got = await simulator.get(proposal)
        [shown] = await listed(simulator)
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        for record in (got, shown, node["latest_remediation"]):
            assert {record[name] for name in TIMES} == {written}
            assert record["linked_alerts"][0]["resolved_at"] == written
            assert record["create_time"].startswith("2027")
            assert "error_message" not in record
        assert node["deleted_at"] == written
        assert {ok(await simulator.act(proposal, "reject"))[name] for name in ("start_time",)} == {written}


@pytest.mark.parametrize(("choice", "written"), [("null", None), ("empty", "")])
async def test_an_unset_text_is_written_so_everywhere(choice: str, written: str | None) -> None:
    async with speaking(unset_texts=choice) as simulator:
        remediation = await simulator.created()
        [shown] = await listed(simulator)
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        for record in (remediation, await simulator.get(remediation), shown, node["latest_remediation"]):
            assert {record[name] for name in TEXTS} == {written}
            assert record["reason"] == "broken"
            assert not set(TIMES) & set(record)
        assert node["public_ipv4"] == written


async def test_whatever_else_is_unset_can_be_null() -> None:
    async with speaking(unset_messages="null") as simulator:
        assert (await simulator.cluster())["gpu_worker_nodes"][0]["latest_remediation"] is None
        alert = (await simulator.get(await simulator.propose(fault="xid")))["linked_alerts"][0]
        assert alert["annotation"]["slurm_node_unavailable"] is None
        assert alert["annotation"]["xid"]["events"]


@pytest.mark.parametrize(("choice", "written"), [("null", {"remediations": None}), ("absent", {})])
async def test_an_empty_list_is_written_so(choice: str, written: Json) -> None:
    async with speaking(empty_lists=choice) as simulator:
        assert ok(await simulator.list()) == written | {"has_next": False, "next_page_token": ""}
        assert (await simulator.cluster()).get("add_ons", "absent") == written.get("remediations", "absent")
        remediation = await simulator.created()
        assert remediation.get("linked_alerts", "absent") == written.get("remediations", "absent")
        assert len(await listed(simulator)) == 1


@pytest.mark.parametrize(
    ("choices", "more", "last"),
    [
        ({}, {"has_next", "next_page_token"}, {"has_next": False, "next_page_token": ""}),
        ({"has_next": "when_true"}, {"has_next", "next_page_token"}, {"next_page_token": ""}),
        ({"has_next": "never", "unset_page_token": "absent"}, {"next_page_token"}, {}),
        ({"has_next": "never", "unset_page_token": "null"}, {"next_page_token"}, {"next_page_token": None}),
    ],
)
async def test_the_end_of_a_list_is_told_so(choices: Json, more: set[str], last: Json) -> None:
    async with speaking(**choices) as simulator:
        await simulator.created()
        await simulator.created()
        first = ok(await simulator.list(query={"page_size": 1}))
        second = ok(await simulator.list(query={"page_size": 1, "page_token": first["next_page_token"]}))
        assert set(first) == more | {"remediations"}
        assert {name: value for name, value in second.items() if name != "remediations"} == last


# Which requests are served


@pytest.mark.parametrize("number", [400, 403, 404, 405, 501])
async def test_the_list_of_a_whole_cluster_can_be_refused(number: int) -> None:
    async with speaking(wildcard=number) as simulator:
        await simulator.created()
        assert (await simulator.list()).status_code == number
        refused(await simulator.create("-"), 404, NOT_FOUND)
        assert len(await listed(simulator, NODE)) == 1


async def test_filters_can_be_ignored() -> None:
    async with speaking(filters="ignored") as simulator:
        await simulator.created()
        assert len(await listed(simulator, state="RUNNING", mode="whatever")) == 1


@pytest.mark.parametrize("name", ["state", "mode", "trigger"])
async def test_filters_can_be_refused(name: str) -> None:
    async with speaking(filters="refused") as simulator:
        await simulator.created()
        refused(await simulator.list(query={name: "PENDING"}), 400, INVALID_ARGUMENT)
        assert len(await listed(simulator)) == 1


async def walk(simulator: Driver) -> list[str]:
    """Ids of all pages of two, while another remediation is created after each page."""
    query: dict[str, Any] = {"page_size": 2}
    seen: list[str] = []
    while True:
        page = ok(await simulator.list(query=query))
        seen += [item["id"] for item in page["remediations"]]
        if not page["has_next"] or len(seen) > 20:
            return seen
        await simulator.created(mode=REBOOT_VM)
        query["page_token"] = page["next_page_token"]


@pytest.mark.parametrize(("page_tokens", "twice"), [("cursor", False), ("offset", True)])
async def test_a_page_token_is_a_place_or_a_count_that_shifts(page_tokens: str, twice: bool) -> None:
    async with speaking(page_tokens=page_tokens) as simulator:
        made = [(await simulator.created(mode=REBOOT_VM))["id"] for _ in range(5)]
        seen = await walk(simulator)
        assert set(made) <= set(seen)
        assert (len(seen) > len(set(seen))) == twice


async def test_a_count_hides_another_when_one_is_forgotten() -> None:
    async with speaking(page_tokens="offset") as simulator:
        made = [(await simulator.created(mode=REBOOT_VM))["id"] for _ in range(4)][::-1]
        first = ok(await simulator.list(query={"page_size": 2}))
        await simulator.control("POST", f"/remediations/{made[0]}/expire")
        second = ok(await simulator.list(query={"page_size": 2, "page_token": first["next_page_token"]}))
        assert [item["id"] for page in (first, second) for item in page["remediations"]] == [made[0], made[1], made[3]]


@pytest.mark.parametrize("order", ["newest", "oldest", "updated", "unordered"])
async def test_a_list_has_an_order_of_its_own(order: str) -> None:
    async with speaking(order=order) as simulator:
        made: list[Json] = []
        for _ in range(6):
            made.append(await simulator.created())
            await simulator.advance(1)
        ok(await simulator.act(made[2], "cancel"))
        ids = [item["id"] for item in made]
        seen = [item["id"] for item in await listed(simulator)]
        assert seen == [item["id"] for item in await listed(simulator)]
        assert sorted(seen) == sorted(ids)
        match order:
            case "newest":
                assert seen == ids[::-1]
            case "oldest":
                assert seen == ids
            case "updated":
                assert seen[0] == ids[2]
            case _:
                assert seen not in (ids, ids[::-1])
        assert [item["id"] for item in await listed(simulator, order_by="create_time")] == ids
        page = ok(await simulator.list(query={"page_size": 4}))
        rest = ok(await simulator.list(query={"page_size": 4, "page_token": page["next_page_token"]}))
        assert [item["id"] for item in page["remediations"] + rest["remediations"]] == seen


async def test_a_largest_page_below_the_usual_one_is_the_largest_all_the_same() -> None:
    async with Driver({"settings": {"max_page_size": 2}}) as simulator:
        for _ in range(3):
            await simulator.created()
        assert len(await listed(simulator)) == 2


@pytest.mark.parametrize(
    ("choice", "one", "many", "action"),
    [("served", 200, 200, 400), ("list_404", 200, 404, 400), ("all_404", 404, 404, 404)],
)
async def test_the_paths_of_an_instance_whose_vm_was_replaced(choice: str, one: int, many: int, action: int) -> None:
    async with speaking(replaced=choice) as simulator:
        remediation = await simulator.created()
        assert (await status(simulator, remediation), (await simulator.list(NODE)).status_code) == (200, 200)
        await simulator.advance(REPLACED)
        assert await status(simulator, remediation) == one
        assert (await simulator.list(NODE)).status_code == many
        assert (await simulator.act(remediation, "cancel")).status_code == action
        assert [item["id"] for item in await listed(simulator)] == [remediation["id"]]
        assert await listed(simulator, f"{NODE}-r2") == []


# What a POST is answered


@pytest.mark.parametrize(
    ("choice", "number", "content"),
    [
        ("record_200", 200, "record"),
        ("record_201", 201, "record"),
        ("id_201", 201, "id"),
        ("empty_200", 200, {}),
        ("empty_202", 202, None),
        ("empty_204", 204, None),
    ],
)
async def test_a_create_is_answered_so(choice: str, number: int, content: Any) -> None:
    async with speaking(create_answer=choice) as simulator:
        response = await simulator.create(key="k")
        [record] = await listed(simulator)
        assert response.status_code == number
        match content:
            case None:
                assert response.content == b""
                assert "Content-Type" not in response.headers
            case "record":
                assert response.json() == record
            case "id":
                assert response.json() == {"id": record["id"]}
            case _:
                assert response.json() == content
        assert (await simulator.create(key="k")).content == response.content
        assert [entry["effect"] for entry in await simulator.journal() if entry["effect"]] == ["created", "replayed"]
        assert ok(await simulator.act(record, "cancel"))["state"] == "CANCELLED"


@pytest.mark.parametrize("action", ["approve", "reject", "cancel"])
@pytest.mark.parametrize(("choice", "number"), [("empty_200", 200), ("empty_202", 202), ("empty_204", 204)])
async def test_an_action_is_answered_so(choice: str, number: int, action: str) -> None:
    async with speaking(action_answer=choice) as simulator:
        proposal = await simulator.propose()
        response = await simulator.act(proposal, action)
        assert (response.status_code, response.content) == (number, b"{}" if number == 200 else b"")
        assert await simulator.state(proposal) == ("PENDING" if action == "approve" else "CANCELLED")
        assert "id" in ok(await simulator.create())


async def test_faults_strike_an_empty_answer_too() -> None:
    async with speaking(create_answer="empty_204") as simulator:
        for kind in ("malformed", "html", "drip"):
            await simulator.fault(kind=kind, count=1, seconds=0)
            assert (await simulator.create()).status_code == (204 if kind == "drip" else 200)


# remediation_id


@pytest.mark.parametrize(
    ("wording", "body"),
    [
        ("bare", {"error": "unknown query parameter remediation_id"}),
        ("unnamed", {"error": "Bad Request"}),
        ("named", None),
    ],
)
async def test_remediation_id_can_be_refused(wording: str, body: Json | None) -> None:
    async with Driver({"settings": {"idempotency": "refuse", "dialect": {"refused_id": wording}}}) as simulator:
        response = await simulator.create(key="k")
        if body is None:
            assert "remediation_id" in refused(response, 400, INVALID_ARGUMENT)
        assert response.status_code == 400
        assert body is None or response.json() == body
        assert await listed(simulator) == []
        assert ok(await simulator.create())["state"] == "PENDING"


# Words


@pytest.mark.parametrize("path_ids", ["written", "omitted"])
async def test_an_answer_may_leave_out_the_ids_that_its_path_names(path_ids: str) -> None:
    async with speaking(path_ids=path_ids) as simulator:
        remediation = await simulator.created()
        got = ok(await simulator.http.get(f"{instance_path()}/{remediation['id']}"))
        [of_instance], [of_cluster] = await listed(simulator, NODE), await listed(simulator)
        cluster = await simulator.cluster()
        latest = cluster["gpu_worker_nodes"][0]["latest_remediation"]
        written = path_ids == "written"
        for record in (remediation, got, of_instance):
            assert {"cluster_id", "instance_id"} & set(record) == ({"cluster_id", "instance_id"} if written else set())
            assert record["id"]
        for record in (of_cluster, latest):
            assert ("cluster_id" in record) == written
            assert record["instance_id"] == NODE
        assert ("cluster_id" in cluster) == written
        [listed_cluster] = ok(await simulator.http.get("/v1/compute/clusters"))["clusters"]
        assert listed_cluster["cluster_id"] == "cluster-1"


async def test_uuids_may_come_in_upper_case_and_are_found_in_any() -> None:
    async with speaking(id_case="upper") as simulator:
        proposal = await simulator.propose()
        [shown] = await listed(simulator)
        assert shown["id"] == proposal["id"].upper() != proposal["id"]
        assert shown["instance_id"] == NODE
        assert shown["linked_alerts"][0]["node_remediation_intent_id"] == shown["id"]
        assert (await simulator.get(shown))["id"] == (await simulator.get(proposal))["id"] == shown["id"]
        assert ok(await simulator.act(shown, "reject"))["id"] == shown["id"]


@pytest.mark.parametrize(
    ("choice", "written"),
    [("short", ("VM_ONLY", "AUTOMATED", "PENDING_APPROVAL")), ("lower", ("vm_only", "automated", "pending_approval"))],
)
async def test_enums_may_be_spelled_otherwise(choice: str, written: tuple[str, ...]) -> None:
    async with speaking(enums=choice) as simulator:
        await simulator.propose(mode=VM_ONLY)
        [record] = await listed(simulator, state="PENDING_APPROVAL")
        assert (record["mode"], record["trigger"], record["state"]) == written
        assert record["linked_alerts"][0]["severity"].lower() in ("critical", "warning")
        node = (await simulator.cluster())["gpu_worker_nodes"][0]
        assert node["phase_transitions"][0]["phase"] == "NODE_PHASE_RUNNING"


async def test_field_names_may_be_in_camel_case() -> None:
    async with speaking(names="camel", unset_times="null") as simulator:
        proposal = await simulator.propose()
        for answer in (
            ok(await simulator.list()),
            await simulator.cluster(),
            ok(await simulator.act(proposal, "approve")),
        ):
            names = set(re.findall(r'"(\w+)":', json.dumps(answer)))
            assert not [name for name in names if "_" in name]
            assert {"clusterId", "createTime", "endTime", "linkedAlerts"} <= names


def test_what_people_wrote_into_an_alert_keeps_its_names() -> None:
    body = json.dumps({"linked_alerts": [{"target_vm": "a", "annotations": {"runbook_url": "b"}}]}).encode()
    [get] = [operation for operation in OPERATIONS if operation.name == "get"]
    spoken = json.loads(speak(Answer(body), get, {}, Dialect(names="camel")).body)
    assert spoken == {"linkedAlerts": [{"targetVm": "a", "annotations": {"runbook_url": "b"}}]}


@pytest.mark.parametrize(
    ("choice", "content_type", "said"),
    [
        ("openai", "application/json", '"type": "invalid_request_error", "param": null, "code": "not_found"'),
        ("text", "text/plain; charset=utf-8", "not found"),
        ("html", "text/html; charset=utf-8", "<h1>404 Not Found</h1>"),
    ],
)
async def test_errors_may_be_worded_otherwise(choice: str, content_type: str, said: str) -> None:
    async with speaking(errors=choice) as simulator:
        for path in (f"{instance_path()}/nothing", "/v1/compute/clusters/nothing"):
            response = await simulator.http.get(path)
            assert (response.status_code, response.headers["Content-Type"]) == (404, content_type)
            assert said in response.text
        assert (await simulator.http.get("/v1/nothing")).headers["Content-Type"] == content_type
        await simulator.fault(kind="error", count=1)
        injected = await simulator.list()
        assert (injected.status_code, injected.headers["Content-Type"]) == (503, content_type)
        await simulator.fault(kind="rate_limit", count=1, seconds=7)
        assert (await simulator.list()).headers["Retry-After"] == "7"
        refused(await simulator.http.get("/_simulator/state?limit=x"), 400, INVALID_ARGUMENT)


async def test_an_unserved_method_is_refused_in_the_same_words() -> None:
    async with speaking(errors="status") as simulator:
        refused(await simulator.http.delete(instance_path()), 405, UNIMPLEMENTED)


@pytest.mark.parametrize(
    ("choices", "date"),
    [
        ({}, "Fri, 15 Jan 2027 08:00:00 GMT"),
        ({"date": "absent"}, None),
        ({"date_skew": 90}, "Fri, 15 Jan 2027 08:01:30 GMT"),
        ({"date_skew": -90}, "Fri, 15 Jan 2027 07:58:30 GMT"),
    ],
)
async def test_the_clock_of_the_date_header(choices: Json, date: str | None) -> None:
    async with speaking(**choices) as simulator:
        for path in (CLUSTER, "/v1/nothing"):
            assert (await simulator.http.get(path)).headers.get("Date") == date


# The settings


async def test_by_default_the_api_speaks_as_before(simulator: Driver) -> None:
    assert simulator.app.platform.settings.dialect == Dialect()
    assert Dialect().spoken == {}
    proposal = await simulator.propose()
    response = await simulator.http.get(f"{instance_path()}/{proposal['id']}")
    job = simulator.app.platform.job_by_id(proposal["id"])
    assert response.content == job.answer


async def test_a_choice_is_changed_at_run_time_and_leaves_the_others_alone(simulator: Driver) -> None:
    await simulator.control("PATCH", "/settings", {"dialect": {"unset_times": "null"}, "idempotency": "ignore"})
    await simulator.control("PATCH", "/settings", {"dialect": {"wildcard": 404}})
    settings = await settings_of(simulator)
    dialect = Dialect.model_validate(settings["dialect"])
    assert dialect.spoken == {"unset_times": "null", "wildcard": 404}
    assert settings["idempotency"] == "ignore"
    refused(await simulator.list(), 404, NOT_FOUND)


async def test_a_seed_draws_every_choice_and_can_be_changed_at_run_time(simulator: Driver) -> None:
    for seed in range(20):
        settings = await simulator.control("PATCH", "/settings", {"dialect": seed, "pending": 7})
        drawn = Settings.model_validate({"dialect": seed})
        assert settings == drawn.model_dump() | {"pending": 7}
        assert drawn.dialect == Dialect.random(seed)
    settings = await simulator.control("PATCH", "/settings", {"dialect": {"seed": None}})
    assert settings == Settings(pending=7).model_dump()


@pytest.mark.parametrize(
    "change",
    [
        {"dialect": {"colour": "red"}},
        {"dialect": {"unset_times": "never"}},
        {"dialect": {"get_lag": -1}},
        {"dialect": {"get_lag": 1e9}},
        {"dialect": {"replicas": 0}},
        {"dialect": {"wildcard": 200}},
        {"dialect": "funny"},
        {"dialect": None},
        [],
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(simulator: Driver, change: Any) -> None:
    response = await simulator.http.patch("/_simulator/settings", json=change)
    refused(response, 400, INVALID_ARGUMENT)
    assert await settings_of(simulator) == Settings().model_dump()


def test_what_is_given_beside_a_seed_is_not_drawn() -> None:
    for seed in range(30):
        settings = Settings.model_validate({"idempotency": "conflict", "dialect": {"seed": seed, "list_lag": 7}})
        assert (settings.idempotency, settings.dialect.list_lag) == ("conflict", 7)
        assert settings.dialect == Dialect.random(seed).model_copy(update={"list_lag": 7.0})


def test_the_same_seed_draws_the_same_dialect() -> None:
    assert Dialect.random(7) == Dialect.random(7) == Dialect.model_validate(7)
    assert len({str(Dialect.random(seed)) for seed in range(100)}) == 100


def test_half_the_choices_are_the_default_and_every_value_is_drawn() -> None:
    drawn = [Settings.model_validate({"dialect": seed}) for seed in range(1000)]
    choices = [name for name in Dialect.model_fields if name != "seed"]
    for name in choices:
        field = Dialect.model_fields[name]
        values = {getattr(item.dialect, name) for item in drawn}
        assert values == {field.default, *(NUMBERS.get(name) or get_args(field.annotation))}
    assert {item.idempotency for item in drawn} == set(get_args(Idempotency))
    assert {(item.max_page_size, item.larger_page) for item in drawn} >= {
        (10, "refuse"),
        (1000, "clamp"),
        (100, "clamp"),
    }
    share = sum(len(item.dialect.spoken) for item in drawn) / (len(drawn) * len(choices))
    assert 0.45 < share < 0.55


def test_no_seed_draws_a_dialect_in_which_an_end_cannot_be_read() -> None:
    drawn = [Dialect.random(seed) for seed in range(1000)]
    assert not [item for item in drawn if item.replaced == "all_404" and item.wildcard != "served"]


def test_the_documentation_names_every_choice_and_value() -> None:
    rows = [row for row in (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8").splitlines() if row[:1] == "|"]
    for name, field in Dialect.model_fields.items():
        if name != "seed":
            [row] = [row for row in rows if f"`{name}`" in row.split(" | ")[0]]
            named = set(row.split(" | ")[1].replace(",", "").split())
            assert {f"`{value}`" for value in (field.default, *get_args(field.annotation))} <= named


async def test_the_pages_show_the_dialect_in_force(simulator: Driver) -> None:
    async def shown() -> tuple[str, str]:
        console = (await simulator.http.get("/_simulator/console")).text
        return console, (await simulator.http.get("/reference")).text

    console, reference = await shown()
    assert "dialect" not in console
    await simulator.control("PATCH", "/settings", {"dialect": {"unset_times": "zero", "get_lag": 3}})
    console, reference = await shown()
    for page in (console, reference):
        assert re.search(r"unset_times</\w+>.{0,20}<code>zero", page)
        assert re.search(r"get_lag</\w+>.{0,20}<code>3", page)
    assert "unset_texts" in reference
    assert "unset_texts" not in console


# Whatever is drawn


def everything(simulator: Driver, remediation: Json) -> list[tuple[str, str, Json | None]]:
    """A request for each operation."""
    own = f"{instance_path(remediation['instance_id'])}/{remediation['id']}"
    return [
        ("POST", instance_path(OTHER_NODE), {"mode": VM_ONLY}),
        ("POST", f"{instance_path(OTHER_NODE)}?remediation_id=k", {"mode": VM_ONLY}),
        ("GET", instance_path(), None),
        ("GET", instance_path("-"), None),
        ("GET", f"{instance_path()}?page_size=1&state=RUNNING", None),
        ("GET", own, None),
        ("POST", f"{own}/approve", {"comment": "yes"}),
        ("POST", f"{own}/reject", {}),
        ("POST", f"{own}/cancel", None),
        ("GET", CLUSTER, None),
        ("GET", "/v1/compute/clusters", None),
        ("GET", "/v3/whoami", None),
    ]


def readable(response: httpx.Response) -> None:
    """An answer is well-formed: JSON where it says so, nothing where it has no content."""
    if response.headers.get("Content-Type", "").startswith("application/json"):
        assert isinstance(response.json(), dict)
    elif response.is_success:
        assert (response.status_code, response.content) in ((202, b""), (204, b""))
    else:
        assert response.text


@given(seed=st.integers(min_value=0, max_value=1 << 32))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_each_dialect_answers_each_operation(seed: int) -> None:
    async with Driver({"seed": 1, "settings": {"dialect": seed}}) as simulator:
        dialect = simulator.app.platform.settings
        remediation = await simulator.propose(clears_after=1000)
        await simulator.advance(30)
        answers: dict[tuple[str, str], int] = {}
        for method, path, body in everything(simulator, remediation):
            response = await simulator.http.request(method, path, json=body)
            readable(response)
            answers[method, path] = response.status_code
            assert response.status_code < 500 or (path == instance_path("-") and dialect.dialect.wildcard == 501)
        own = f"{instance_path()}/{remediation['id']}"
        assert answers["GET", own] == answers["GET", CLUSTER] == answers["GET", instance_path()] == 200
        assert answers["POST", f"{own}/approve"] in (200, 202, 204)
        assert answers["POST", instance_path(OTHER_NODE)] in (200, 201, 202, 204)
        # The world under it is the same whatever is spoken.
        await simulator.advance(1000)
        [cluster] = (await simulator.control("GET", "/state"))["clusters"]
        ends = {item["state"] for item in cluster["remediations"]}
        assert ends <= {"CANCELLED", "SUCCEEDED", "FAILED"}
        readable(await simulator.list(OTHER_NODE))
