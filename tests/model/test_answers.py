"""Answers that are cut off, odd, or about something else: none ends a wait, none passes for a success, and none has a
remediation started twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import httpx
import pytest

from pulumi_resource_togetherai.operation.results import Recorded, Resource
from tests.model import test_many
from tests.model.test_many import Fleet, Line, Make, all_of, kind, states

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps
fleet = test_many.fleet

Json = dict[str, Any]
Change = Callable[[httpx.Request, Json], Json | httpx.Response]


def bend(here: Fleet, change: Change) -> None:
    """Has the answers to this process's reads changed on their way."""
    straight = here.network.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await straight(request)
        if request.method != "GET" or answer.status_code != 200:
            return answer
        changed = change(request, json.loads(await answer.aread()))
        return changed if isinstance(changed, httpx.Response) else httpx.Response(200, json=changed)

    here.network.handle_async_request = handle


def records_bent(change: Callable[[Json], Any]) -> Callable[[httpx.Request, Json], Json]:
    """A change of each remediation, in lists and by itself."""

    def bent(_: httpx.Request, body: Json) -> Json:
        if "remediations" in body:
            return body | {"remediations": [change(record) for record in cast(list[Json], body["remediations"])]}
        return change(body) if "mode" in body else body

    return bent


async def cut_off(here: Fleet, *nodes: int) -> None:
    """A run that is killed while it waits."""
    run = asyncio.gather(*map(here.create, nodes))
    await asyncio.sleep(20)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def created(here: Fleet) -> Counter[int]:
    """How many remediations were started, by node."""
    entries = await here.control("GET", "/requests")
    return Counter(int(one["path"].split("/")[6].split("-")[3]) for one in entries if one["effect"] == "created")


# --- lists that lack something ---


@pytest.mark.parametrize("odd", [{"state": 5}, {"instance_id": "cluster-1-node-5"}, "nonsense"], ids=str)
async def test_after_a_cut_off_run_an_unreadable_record_elsewhere_causes_no_post(fleet: Make, odd: Any):
    here = fleet(settings={"idempotency": "ignore", "max_page_size": 1})
    await cut_off(here, 1, 2, 3, 4)
    await here.somebody_starts(5)
    there = here.another_process({})

    def unreadable(record: Json) -> Any:
        if record["instance_id"] != "cluster-1-node-5":
            return record
        return record | odd if "state" in odd else odd

    bend(there, records_bent(unreadable))
    assert states(await all_of([there.create(node) for node in range(1, 5)])) == {"SUCCEEDED": 4}
    assert await created(here) == Counter([1, 2, 3, 4, 5])


async def test_a_remediation_that_slips_between_two_pages_is_not_started_again(fleet: Make):
    here = fleet(settings={"idempotency": "ignore", "max_page_size": 1, "dialect": {"page_tokens": "offset"}})
    await cut_off(here, 1)
    proposal = await here.control("POST", "/instances/cluster-1/cluster-1-node-1/propose", {"fault": "xid"})
    await here.control("POST", f"/remediations/{proposal['id']}/state", {"state": "CANCELLED"})
    there = here.another_process({})
    straight, lists = there.network.handle_async_request, list[str]()

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await straight(request)
        if request.url.path.endswith("/remediations") and request.method == "GET":
            lists.append(str(request.url))
            if len(lists) == 1:  # the history expires, and what was on the second page is on the first one now
                await here.control("POST", f"/remediations/{proposal['id']}/expire")
        return answer

    there.network.handle_async_request = handle
    assert states(await all_of([there.create(1)])) == {"SUCCEEDED": 1}
    assert "page_token=" in lists[1]
    assert await created(here) == Counter([1])


async def test_a_history_of_more_pages_than_are_read_fails_nobody(fleet: Make):
    here = fleet(settings={"max_page_size": 1, "pending": 1, "running": 10})
    for _ in range(130):
        await asyncio.gather(*(here.somebody_starts(node) for node in (7, 8, 7, 8)))
    await asyncio.sleep(60)
    assert states(await all_of([here.create(node) for node in range(1, 7)])) == {"SUCCEEDED": 6}


# --- paths that vanish with a replaced VM ---


async def test_when_a_replaced_vm_vanishes_its_end_is_found_in_long_lists(fleet: Make):
    here = fleet(settings={"dialect": {"replaced": "all_404", "order": "oldest"}, "max_page_size": 2})
    for node in (7, 8):
        await here.control("PUT", f"/instances/cluster-1/cluster-1-node-{node}/behaviour", {"pending": 1, "running": 9})
        for _ in range(9):
            await here.somebody_starts(node)
            await asyncio.sleep(20)
    assert states(await all_of([here.create(node) for node in range(1, 7)])) == {"SUCCEEDED": 6}


@pytest.mark.parametrize("many", [1, 6])
async def test_when_a_replaced_vm_vanishes_a_refused_list_is_asked_for_again(fleet: Make, many: int):
    here = fleet(settings={"dialect": {"replaced": "all_404"}})
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, many + 1)]))
    await asyncio.sleep(290)
    until = asyncio.get_running_loop().time() + 30
    here.network.bend = lambda request: (
        httpx.Response(404, html="<html>404 Not Found</html>")
        if "/instances/-/" in request.url.path and asyncio.get_running_loop().time() < until
        else request
    )
    assert states(await work) == {"SUCCEEDED": many}


async def test_a_refresh_asks_again_in_a_way_that_was_refused_before_it_drops_anything(fleet: Make):
    here = fleet(settings={"dialect": {"replaced": "all_404"}})
    made = await here.create(1, wait=False)
    await asyncio.sleep(400)
    refused = [httpx.Response(404, html="<html>404 Not Found</html>")]
    here.network.bend = lambda request: refused.pop() if refused and "/instances/-/" in request.url.path else request
    there = Recorded(made.inputs, made.outputs)
    found = await here.resources.read(here.declared(1)[0], made.id, there, Line())
    assert not refused
    assert found is not None
    assert found.outputs["state"] == "SUCCEEDED"


# --- answers about something else ---


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
async def test_a_record_with_our_id_and_another_instance_is_none_of_ours(fleet: Make, state: str):
    here = fleet()
    work = asyncio.ensure_future(all_of([here.create(node) for node in (1, 2)]))
    await asyncio.sleep(5)

    def moved(record: Json) -> Json:
        return record | {"instance_id": "cluster-1-node-8", "state": state, "update_time": "2027-01-15T08:00:20Z"}

    straight, other = here.network.handle_async_request, dict[str, Json]()

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await straight(request)
        if "/instances/-/" in request.url.path:
            body = json.loads(await answer.aread())
            other.update({record["id"]: moved(record) for record in body["remediations"]})
            return httpx.Response(200, json=body | {"remediations": [moved(record) for record in body["remediations"]]})
        if "/cluster-1-node-8/" in request.url.path:
            return httpx.Response(200, json=other[request.url.path.rpartition("/")[2]] | {"state": "SUCCEEDED"})
        return answer

    here.network.handle_async_request = handle
    await asyncio.sleep(200)
    assert not work.done()
    ended = await work
    assert states(ended) == {"SUCCEEDED": 2}
    assert [one.id.split("/")[1] for one in ended if isinstance(one, Resource)] == [
        "cluster-1-node-1",
        "cluster-1-node-2",
    ]


@pytest.mark.parametrize("many", [1, 3])
async def test_a_reboot_that_succeeded_as_an_eviction_is_no_success(fleet: Make, many: int):
    here = fleet()
    await asyncio.gather(*(here.create(node, mode="REBOOT_VM", wait=False) for node in range(1, many + 1)))
    evicted = {
        "mode": "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT",
        "state": "SUCCEEDED",
        "end_time": "2027-01-15T08:00:20Z",
    }
    waits = [here.create(node, mode="REBOOT_VM", timeout="200s") for node in range(1, many + 1)]
    work = asyncio.ensure_future(all_of(waits))
    await asyncio.sleep(5)
    bend(here, records_bent(lambda record: record | evicted))
    for one in await work:
        assert isinstance(one, Resource)
        assert "timed out" in str(one.problem)
        assert one.outputs["mode"] == "REMEDIATION_MODE_REBOOT_VM"


# --- odd answers while many wait ---

ODD: dict[str, Callable[[list[Json]], httpx.Response]] = {
    "Retry-After without a zone": lambda _: httpx.Response(503, headers={"Retry-After": "Fri, 15 Jan 2027 08:00:30"}),
    "a Date that overflows": lambda records: httpx.Response(
        200, headers={"Date": "Fri, 31 Dec 9999 23:59:59 GMT"}, json={"remediations": records}
    ),
    "3xx without Location": lambda _: httpx.Response(302),
    "an instance named ..": lambda records: httpx.Response(
        200, json={"remediations": [record | {"instance_id": ".."} for record in records[:5]] + records[5:]}
    ),
    "some are lacking": lambda records: httpx.Response(200, json={"remediations": records[5:]}),
    "an HTML 404": lambda _: httpx.Response(404, html="<html>404 Not Found</html>"),
    "an ended one": lambda records: httpx.Response(
        200,
        json={"remediations": [*records, records[0] | {"id": "r", "state": "FAILED", "end_time": "2027-01-15T08:00Z"}]},
    ),
}
"""How a list is answered once, given what it should hold."""


@pytest.mark.parametrize("odd", [[name] for name in ODD] + [["an instance named ..", "some are lacking"]], ids=str)
async def test_odd_answers_to_a_poll_end_no_wait_and_cost_nothing_later(fleet: Make, odd: list[str]):
    nodes = 100
    here = fleet(nodes=nodes)
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, nodes + 1)]))
    await asyncio.sleep(30)
    await here.control("DELETE", "/requests")
    answers = [ODD[name] for name in reversed(odd)]

    def at_first(request: httpx.Request, body: Json) -> Json | httpx.Response:
        return answers.pop()(body["remediations"]) if answers and "/instances/-/" in request.url.path else body

    bend(here, at_first)
    assert states(await work) == {"SUCCEEDED": nodes}
    assert not answers
    asked = Counter(map(kind, await here.control("GET", "/requests")))
    assert asked.total() <= 2 * nodes + 50, asked


async def test_lists_of_the_cluster_that_hide_everything_are_left_alone(fleet: Make):
    here = fleet(nodes=20)
    here.network.bend = lambda request: (
        httpx.Response(200, json={"remediations": []}) if "/instances/-/" in request.url.path else request
    )
    lists = 0
    straight = here.network.handle_async_request

    async def counting(request: httpx.Request) -> httpx.Response:
        nonlocal lists
        lists += "/instances/-/" in request.url.path
        return await straight(request)

    here.network.handle_async_request = counting
    assert states(await all_of([here.create(node) for node in range(1, 21)])) == {"SUCCEEDED": 20}
    assert lists <= 20


@pytest.mark.parametrize(
    "odd",
    [
        {"gpu_worker_nodes": [5]},
        {"gpu_worker_nodes": [{"node_id": "n9", "latest_remediation": {"state": 5}, "phase_transitions": "none"}]},
        {"gpu_worker_nodes": [{"latest_remediation": {"linked_alerts": [{"started_at": "noon"}, 5]}}], "status": 7},
    ],
    ids=str,
)
async def test_what_cannot_be_read_of_a_cluster_hides_no_node(fleet: Make, odd: Json):
    here = fleet()

    def among_others(_: httpx.Request, body: Json) -> Json:
        return body | odd | {"gpu_worker_nodes": [*odd["gpu_worker_nodes"], *body.get("gpu_worker_nodes", [])]}

    bend(here, among_others)
    urn, declared = here.declared(1)
    await here.resources.preview_create(urn, declared, line := Line())
    assert "will start a VM_ONLY remediation" in line.lines[0]
    assert not any(text.startswith("warning: ") for text in line.lines)


# --- the first look for rivals ---


async def test_whoever_joins_others_that_wait_looks_for_rivals_within_a_fifth_of_the_interval(fleet: Make):
    here = fleet(config={"pollInterval": "60s"}, settings={"running": 2000})
    waits = [asyncio.ensure_future(all_of([here.create(node) for node in range(1, 6)]))]
    await asyncio.sleep(300)
    for joining in (6, 7, 8):
        await here.control("DELETE", "/requests")
        waits.append(asyncio.ensure_future(all_of([here.create(joining)])))
        await asyncio.sleep(97)
        kinds = [(kind(entry), entry["time"]) for entry in await here.control("GET", "/requests")]
        posted, looked = (
            datetime.fromisoformat(next(time for which, time in kinds if which == wanted))
            for wanted in ("post", "list active")
        )
        assert 0 < (looked - posted).total_seconds() <= 60 / 5
    assert sum([states(await wait) for wait in waits], Counter[str]()) == {"SUCCEEDED": 8}
