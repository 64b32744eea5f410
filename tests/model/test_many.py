"""Many remediations at once: what they cost, and that none of them waits for another without need."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from copy import copy
from datetime import datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import AT_ONCE, Client, Credential
from pulumi_resource_togetherai.clusters.estimate import Estimates
from pulumi_resource_togetherai.clusters.report import HEARTBEAT
from pulumi_resource_togetherai.clusters.ways import LEFT_ALONE
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.results import Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.model.world import NOON, Telling
from tests.simulated import course_of
from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, in_process, simulate

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps


class Network(InProcessTransport):
    """The way to the API; it can bend what is asked."""

    bend: Callable[[httpx.Request], httpx.Request | httpx.Response] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        bent = self.bend(request) if self.bend else request
        return bent if isinstance(bent, httpx.Response) else await super().handle_async_request(bent)


class Line(Telling):
    """One resource's line."""

    def __init__(self) -> None:
        super().__init__()
        self.passing: list[str] = []

    async def status(self, text: str) -> None:
        """Keeps a passing line apart from those that stay."""
        self.passing.append(text)


class Fleet:
    """Two clusters of nodes, and one provider process."""

    def __init__(self, *, nodes: int, config: dict[str, Any], settings: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        scenario = {"clusters": 2, "instances": nodes, "settings": {"pending": 10, "running": 290} | settings}
        app = simulate(scenario, clock=Clock(lambda: NOON + loop.time()))
        self.simulator = in_process(app)
        self._app = app
        self.others: list[Fleet] = []
        self.lines: dict[str, Line] = {}
        self._start(config)

    def _start(self, config: dict[str, Any]) -> None:
        self.network = Network(self._app)
        credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
        client = Client("http://simulator/v1", credential, request_timeout=30, max_retries=3, transport=self.network)
        self.notes: list[str] = []
        self.session = Session(ProviderConfig.model_validate(config), client, note=self.notes.append)
        self.resources = RemediationResource(self.session, keeps_unfinished=True)

    def another_process(self, config: dict[str, Any]) -> Fleet:
        """Another provider process for the same clusters, which knows nothing of this one."""
        other = copy(self)
        other._start(config)
        self.others.append(other)
        return other

    async def create(self, node: int, cluster: int = 1, **inputs: Any) -> Resource:
        """Creates a remediation of a node, as an engine asks for it."""
        urn, declared = self.declared(node, cluster, **inputs)
        return await self.resources.create(urn, declared, self.lines.setdefault(urn, Line()))

    def declared(self, node: int, cluster: int = 1, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """The URN and the inputs of a remediation of a node."""
        where = {"clusterId": f"cluster-{cluster}", "instanceId": f"cluster-{cluster}-node-{node}"}
        urn = f"urn:pulumi:prod::training::togetherai:index:Remediation::{where['instanceId']}"
        return urn, self.resources.check(urn, where | {"mode": "VM_ONLY"} | inputs).inputs

    def line(self, node: int, cluster: int = 1) -> Line:
        """What was told about a node."""
        return self.lines[self.declared(node, cluster)[0]]

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Tells the simulator something, or asks it."""
        return self.simulator.control(method, path, body)

    async def somebody_starts(self, node: int) -> None:
        """Another user's remediation."""
        self.simulator.create(f"cluster-1-node-{node}")

    async def asked(self) -> Counter[str]:
        """How often what was asked: POST, GET of one, LIST of one instance, of the cluster, GET of the cluster."""
        return Counter(map(kind, await self.control("GET", "/requests")))

    async def most_at_once(self, *, begun: bool = False) -> int:
        """How many remediations of cluster-1 were active at the same moment, at the most; or had `begun`."""
        return max((active for _, active in await self._course("start_time" if begun else "create_time")), default=0)

    async def longest_beyond(self, limit: int) -> float:
        """For how many seconds on end more than `limit` remediations of cluster-1 were active, at the most."""
        longest, since = 0.0, None
        for moment, active in await self._course("create_time"):
            if active <= limit:
                longest = max(longest, (moment - since).total_seconds() if since else 0.0)
                since = None
            elif since is None:
                since = moment
        return longest

    async def _course(self, begin: str) -> list[tuple[datetime, int]]:
        """How many were active from which moment on."""
        return course_of(self.simulator.remediations(), begin)


def kind(entry: dict[str, Any]) -> str:
    """What a request of the journal was for."""
    parts = entry["path"].removeprefix("/v1/compute/clusters/").split("/")
    if entry["method"] == "POST":
        return "post"
    if len(parts) == 1:
        return "get cluster"
    if len(parts) == 5:
        return "get"
    if parts[2] != "-":
        return "list instance"
    if "state=" not in entry["query"]:
        return "list all"
    return "list active" if "RUNNING" in entry["query"] else "list ended"


Make = Callable[..., Fleet]


@pytest.fixture
async def fleet() -> AsyncGenerator[Make]:
    """Makes a fleet; what is left of its tasks at the end is a defect."""
    made = list[Fleet]()

    def make(*, nodes: int = 8, config: dict[str, Any] | None = None, settings: dict[str, Any] | None = None) -> Fleet:
        made.append(Fleet(nodes=nodes, config=config or {}, settings=settings or {}))
        return made[-1]

    yield make
    for each in made:
        for process in (each, *each.others):
            await process.session.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def all_of(work: Sequence[Coroutine[Any, Any, Resource]]) -> list[Resource | BaseException]:
    """Does it all at once."""
    return await asyncio.gather(*work, return_exceptions=True)


def states(ended: list[Resource | BaseException]) -> Counter[str]:
    """How they ended."""
    return Counter(one.outputs["state"] if isinstance(one, Resource) else str(one) for one in ended)


async def test_many_waits_cost_one_list_per_interval_and_no_request_each(fleet: Make):
    here = fleet(nodes=100)
    started = asyncio.get_running_loop().time()
    assert states(await all_of([here.create(node) for node in range(1, 101)])) == {"SUCCEEDED": 100}
    assert asyncio.get_running_loop().time() - started < 300 + 7.5
    asked = await here.asked()
    assert asked["post"] == 100
    assert asked["get"] <= 3
    assert asked["list instance"] <= 3
    assert asked["list all"] <= 4
    assert 1.5 * 300 / 5 < asked["list active"] <= 2 * 300 / 5 * 1.1 + 5  # twice as often, as soon as that is cheap
    assert asked["list ended"] <= 2
    assert asked.total() <= 0.1 * 100 * 300 / 5, "a tenth of what as many loops would send"


async def test_waits_that_share_no_list_ask_no_more_often_than_loops(fleet: Make):
    here = fleet(nodes=50, settings={"running": 110})
    here.network.bend = refusing(404)
    assert states(await all_of([here.create(node) for node in range(1, 51)])) == {"SUCCEEDED": 50}
    assert (await here.asked())["get"] <= 50 * (120 / 5 * 1.1 + 4)


PAGES = {
    "fewer": {},
    "refused": {"larger_page": "refuse"},
    "larger": {"max_page_size": 1000},
}


@pytest.mark.parametrize("server", PAGES)
async def test_the_polls_of_many_waits_have_no_more_pages_than_the_server_makes_them(fleet: Make, server: str):
    nodes, polls = 250, 2 * 300 / 5 * 1.1 + 5  # twice as often
    here = fleet(nodes=nodes, settings=PAGES[server])

    async def begin(node: int) -> Resource:
        await asyncio.sleep(node * 0.08)  # as the engine begins them, so that they do not end all at once either
        return await here.create(node)

    assert states(await all_of([begin(node) for node in range(1, nodes + 1)])) == {"SUCCEEDED": nodes}
    asked = await here.asked()
    assert asked["post"] == nodes
    joining = nodes * 0.08  # while they begin there is a poll a second, so that each is looked at soon
    assert asked["list active"] <= (polls + joining * 0.8) * (1 if server == "larger" else 3) + 3
    ending = 2 * nodes * 0.08 / 5 + 2  # so many polls find that some have ended
    assert asked["list ended"] <= ending * 1.5, "those that have just ended come first, before all that ended long ago"
    assert asked["get"] <= 3
    refused = [entry for entry in await here.control("GET", "/requests") if entry["status"] == 400]
    assert len(refused) == (1 if server == "refused" else 0)


async def test_what_has_just_ended_is_found_without_reading_a_long_history(fleet: Make):
    here = fleet(nodes=8, settings={"pending": 1, "running": 20})
    for _ in range(20):
        await asyncio.gather(*map(here.somebody_starts, range(1, 9)))
        await asyncio.sleep(30)
    await here.control("DELETE", "/requests")
    assert states(await all_of([here.create(node) for node in range(1, 9)])) == {"SUCCEEDED": 8}
    assert (await here.asked())["list ended"] == 1


async def test_one_wait_asks_for_one_remediation_and_quickly_at_first(fleet: Make):
    here = fleet(settings={"pending": 0, "running": 0.5})
    started = asyncio.get_running_loop().time()
    await here.create(1)
    assert asyncio.get_running_loop().time() - started < 2.5
    # Before the POST it looks which instances the node had before, after it who else is there, and in the end which
    # instance has replaced the old one.
    assert await here.asked() == {"list instance": 2, "post": 1, "get cluster": 2}


@pytest.mark.parametrize("by_name", [False, True])
async def test_what_nodes_were_before_costs_no_request_for_each(fleet: Make, by_name: bool):
    nodes = 60
    before = fleet(nodes=nodes, settings={"running": 20})
    assert states(await all_of([before.create(node) for node in range(1, nodes + 1)])) == {"SUCCEEDED": nodes}
    here = before.another_process({})
    already = await here.asked()

    async def begin(node: int) -> Resource:
        await asyncio.sleep(node * 0.08)  # as the engine begins them
        urn, declared = here.declared(node, mode="REBOOT_VM", reason="again")
        named = {"node": f"cluster-1-host-{node}"} if by_name else {"instanceId": f"cluster-1-node-{node}-r2"}
        del declared["instanceId"]
        return await here.resources.create(urn, declared | named, Line())

    assert states(await all_of([begin(node) for node in range(1, nodes + 1)])) == {"SUCCEEDED": nodes}
    asked = await here.asked() - already
    assert asked["get cluster"] == 1
    assert asked["list all"] <= 1
    assert asked["list instance"] <= nodes
    assert asked["list active"] <= 1.2 * (nodes * 0.08 + 2 * 30 / 5) + 5


async def test_waits_that_are_given_up_leave_nothing_behind(fleet: Make):
    here = fleet()
    gone = asyncio.ensure_future(here.create(1))
    ended = all_of([here.create(2, timeout="30s"), here.create(3, timeout="40s")])
    await asyncio.sleep(20)
    gone.cancel()
    assert [one.problem for one in await ended if isinstance(one, Resource) and "timed out" in str(one.problem)] != []
    assert len(asyncio.all_tasks()) == 1


async def test_a_dead_cluster_does_not_slow_another(fleet: Make):
    here = fleet(nodes=40, settings={"running": 50})

    healthy = here.network.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        if "/clusters/cluster-2/" in request.url.path and request.method == "POST":
            await asyncio.sleep(1000)
        return await healthy(request)

    here.network.handle_async_request = handle
    lost = [asyncio.ensure_future(here.create(node, 2)) for node in range(1, 41)]
    started = asyncio.get_running_loop().time()
    assert states(await all_of([here.create(node) for node in range(1, 41)])) == {"SUCCEEDED": 40}
    assert asyncio.get_running_loop().time() - started < 60 + 7.5
    here.session.interrupt()
    assert all(isinstance(error, OperationError) for error in await asyncio.gather(*lost, return_exceptions=True))


def refusing(status: int) -> Callable[[httpx.Request], httpx.Request | httpx.Response]:
    """A server without lists of a whole cluster."""
    return lambda request: (
        httpx.Response(status, json={"code": 5, "message": "no such list"})
        if "/instances/-/" in request.url.path
        else request
    )


def unfiltered(request: httpx.Request) -> httpx.Request:
    """A server that ignores the filter by state."""
    url = request.url
    for name in ("state", "states"):
        url = url.copy_remove_param(name)
    return httpx.Request(request.method, url, headers=request.headers, content=request.content)


@pytest.mark.parametrize("status", [403, 404, 400, 405, 501])
async def test_where_a_list_is_refused_each_is_polled_and_the_list_retried(fleet: Make, status: int):
    here = fleet(settings={"running": 50})
    await here.create(8)  # there is a history
    here.network.bend = refusing(status)
    first = [here.create(node, mode="REBOOT_VM") for node in range(1, 7)]
    assert states(await all_of(first)) == {"SUCCEEDED": 6}
    assert sum("not asking for the active remediations" in note for note in here.notes) == 1
    asked = await here.asked()
    assert asked["get"] > 6 * 60 / 5 * 0.8
    here.network.bend = None
    await asyncio.sleep(LEFT_ALONE)
    again = [here.create(node, mode="REBOOT_VM", triggers={"again": "1"}) for node in range(1, 7)]
    assert states(await all_of(again)) == {"SUCCEEDED": 6}
    later = await here.asked() - asked
    assert later["list active"] > 50 / 5 * 0.8
    assert later["get"] <= 6


async def test_a_list_with_ended_ones_among_the_active_serves_as_well(fleet: Make):
    here = fleet(settings={"running": 50})
    await here.create(8)  # there is a history
    here.network.bend = unfiltered
    before = await here.asked()
    assert states(await all_of([here.create(node) for node in range(1, 7)])) == {"SUCCEEDED": 6}
    asked = await here.asked() - before
    assert asked["get"] <= 6
    assert asked["list all"] + asked["list active"] <= 60 / 5 * 1.1 + 8


async def test_a_list_that_takes_more_pages_than_there_are_waits_is_left_alone(fleet: Make):
    here = fleet(settings={"running": 50, "max_page_size": 2})
    for _ in range(4):
        await asyncio.gather(*map(here.somebody_starts, range(1, 9)))
        await asyncio.sleep(90)
    here.network.bend = unfiltered
    assert states(await all_of([here.create(node) for node in range(1, 5)])) == {"SUCCEEDED": 4}
    assert sum("it goes on after 4 pages" in note for note in here.notes) >= 1


async def test_a_list_that_hides_what_is_active_is_not_believed(fleet: Make):
    here = fleet(settings={"running": 100})

    def empty(request: httpx.Request) -> httpx.Request | httpx.Response:
        return httpx.Response(200, json={"remediations": []}) if "state=" in str(request.url) else request

    here.network.bend = empty
    assert states(await all_of([here.create(node) for node in range(1, 7)])) == {"SUCCEEDED": 6}
    assert sum("it lacks 6 of 6 that are active" in note for note in here.notes) == 1


async def test_a_server_that_asks_for_quiet_is_left_in_peace_by_all(fleet: Make):
    here = fleet()
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, 6)]))
    await asyncio.sleep(100)
    await here.control("POST", "/faults", {"kind": "rate_limit", "operation": "list", "seconds": 60, "count": 1})
    await asyncio.sleep(10)
    late = asyncio.ensure_future(here.create(6))
    await asyncio.sleep(40)
    entries = await here.control("GET", "/requests")
    limited = next(entry for entry in entries if entry["status"] == 429)
    after = [entry for entry in entries if entry["seq"] > limited["seq"]]
    assert after == []
    await work
    assert (await late).outputs["state"] == "SUCCEEDED"


async def test_an_outage_is_waited_out_by_everybody(fleet: Make):
    here = fleet(settings={"running": 100})
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, 6)]))
    await asyncio.sleep(30)
    await here.control("POST", "/faults", {"kind": "drop_before", "operation": "list"})
    await asyncio.sleep(300)
    assert not work.done()
    assert any("the API does not answer; still waiting" in text for text in here.line(3).passing)
    await here.control("DELETE", "/faults")
    assert states(await work) == {"SUCCEEDED": 5}


async def test_a_preview_of_many_costs_a_constant_number_of_requests(fleet: Make):
    costs = list[Counter[str]]()
    for nodes in (20, 100):
        here = fleet(nodes=nodes)
        for node in range(1, nodes + 1):  # one after another: the worst case
            urn, declared = here.declared(node)
            line = Line()
            await here.resources.preview_create(urn, declared, line)
            assert "will start a VM_ONLY remediation" in line.lines[0]
        costs.append(await here.asked())
    assert costs[0] == costs[1] == {"get cluster": 1, "list instance": 3, "list all": 1}


async def test_a_refresh_of_many_costs_few_requests(fleet: Make):
    here = fleet(nodes=60, settings={"running": 20})
    made = await all_of([here.create(node) for node in range(1, 61)])
    await here.control("DELETE", "/requests")

    async def read(resource: Resource) -> Resource:
        found = await here.resources.read("urn:pulumi:prod::training::t::r", resource.id, None, Line())
        assert found is not None
        return found

    found = await all_of([read(one) for one in made if isinstance(one, Resource)])
    assert states(found) == {"SUCCEEDED": 60}
    assert (await here.asked()).total() <= 12


# --- what the waiting line says of how long it takes ---


async def one_rack(here: Fleet, nodes: int = 30, *, at_once: int = 3) -> None:
    """Repairs nodes, some at a time."""
    slots = asyncio.Semaphore(at_once)

    async def repair(node: int) -> Resource:
        async with slots:
            return await here.create(node)

    assert states(await all_of([repair(node) for node in range(1, nodes + 1)])) == {"SUCCEEDED": nodes}


def estimates(line: Line) -> list[str]:
    """What was said of how long it takes."""
    return [found[0] for text in line.passing if (found := re.search(r"9 in 10 .*", text))]


@pytest.mark.parametrize("at_once", [1, 3])
async def test_after_ten_ends_of_a_rack_the_next_one_says_how_long_it_takes(fleet: Make, at_once: int):
    here = fleet(nodes=20)
    await one_rack(here, 20, at_once=at_once)
    assert [node for node in range(1, 11) if estimates(here.line(node))] == []
    expected = re.compile(r"9 in 10 of this cluster's VM_ONLY end within 5m \((\d+) seen\)")
    for node in range(10 + at_once, 21):
        found = expected.fullmatch(estimates(here.line(node))[0])
        assert found is not None
        assert 10 <= int(found[1]) < node


def not_at_all(*_: object) -> None:
    """Learns nothing."""


async def test_what_is_said_of_how_long_it_takes_costs_no_request(fleet: Make, monkeypatch: pytest.MonkeyPatch):
    asked = list[list[str]]()
    for learns in (True, False):
        if not learns:
            monkeypatch.setattr(Estimates, "note", not_at_all)
        random.seed(5)  # the polls come at the same moments
        here = fleet(nodes=30)
        await one_rack(here)
        assert bool(estimates(here.line(30))) == learns
        asked.append([kind(entry) for entry in await here.control("GET", "/requests")])
    assert asked[0] == asked[1]
    assert len(asked[0]) > 200


async def test_many_that_begin_together_learn_from_the_history_that_they_look_at_anyway(fleet: Make):
    here = fleet(nodes=20)
    await one_rack(here, 10)
    later = here.another_process({})
    later.lines = {}
    assert states(await all_of([later.create(node) for node in range(11, 21)])) == {"SUCCEEDED": 10}
    assert all("(10 seen)" in estimates(later.line(node))[0] for node in range(11, 21))


async def test_of_many_that_begin_together_the_quickest_do_not_speak_for_the_others(fleet: Make):
    here = fleet(nodes=30)
    for node in range(1, 31):
        path = f"/instances/cluster-1/cluster-1-node-{node}/behaviour"
        await here.control("PUT", path, {"running": 60 * node})
    await all_of([here.create(node) for node in range(1, 31)])
    told = [text for node in range(1, 31) for text in estimates(here.line(node))]
    assert told
    assert {text.partition(" (")[0] for text in told} == {"9 in 10 of this cluster's VM_ONLY end within 27m10s"}


# --- maxConcurrentPerCluster ---

TWO = {"maxConcurrentPerCluster": 2}


async def test_no_more_run_at_once_than_allowed_and_in_the_order_asked_for(fleet: Make):
    here = fleet(config=TWO)
    assert states(await all_of([here.create(node) for node in range(1, 8)])) == {"SUCCEEDED": 7}
    assert await here.most_at_once() == 2
    posts = [entry["path"] for entry in await here.control("GET", "/requests") if entry["effect"] == "created"]
    assert [path.split("/")[6] for path in posts] == [f"cluster-1-node-{node}" for node in range(1, 8)]
    holders = r"node-1 \(\w+ \w+, \S+ of .*\), node-2 \(\w+ \w+, \S+ of .*\)"
    told = [text for text in here.line(3).passing if " for a slot: " in text]
    assert re.fullmatch(rf"waiting \w+ for a slot: {holders}; 2 of 2 in use in cluster cluster-1", told[1])
    assert len(told) > 300 / HEARTBEAT  # it says so again each minute, since a wait without a word looks like a fault
    turn = r"waiting for its turn after \d others: at most 2 may run at once in cluster cluster-1"
    assert re.fullmatch(turn, here.line(4).passing[0])


async def test_the_next_starts_as_soon_as_one_has_ended(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    first = asyncio.ensure_future(here.create(1))
    await asyncio.sleep(1)
    second = asyncio.ensure_future(here.create(2))
    await first
    ended = asyncio.get_running_loop().time()
    await second
    started = [entry["time"] for entry in await here.control("GET", "/requests") if entry["effect"] == "created"][1]
    assert datetime.fromisoformat(started).timestamp() - NOON - ended < 0.5


async def test_clusters_do_not_wait_for_each_other(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    started = asyncio.get_running_loop().time()
    await all_of([here.create(1, 1), here.create(1, 2)])
    assert asyncio.get_running_loop().time() - started < 310


async def test_what_others_started_counts_and_what_is_only_proposed_does_not(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    await here.control("POST", "/instances/cluster-1/cluster-1-node-5/propose", {"fault": "xid"})
    await here.somebody_starts(4)
    started = asyncio.get_running_loop().time()
    assert (await here.create(1)).outputs["state"] == "SUCCEEDED"
    assert asyncio.get_running_loop().time() - started >= 600
    assert await here.most_at_once() == 2  # the proposal, and one after the other


async def test_one_that_nobody_waits_for_counts_too(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    await asyncio.sleep(100)
    assert (await here.create(1, wait=False)).outputs["state"] == "PENDING"
    assert (await here.create(2, wait=False)).outputs["state"] == "PENDING"
    assert await here.most_at_once() == 1


async def test_an_interruption_reaches_those_that_queue_and_nothing_of_theirs_was_posted(fleet: Make):
    here = fleet(config=TWO)
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, 6)]))
    await asyncio.sleep(100)
    here.session.interrupt()
    ended = await work
    assert [isinstance(one, Resource) for one in ended] == [True, True, False, False, False]
    assert str(ended[2]) == (
        "no remediation of instance cluster-1-node-3 of cluster cluster-1 was started: it was waiting for its turn: "
        "interrupted"
    )
    assert (await here.asked())["post"] == 2


async def test_after_an_interruption_nothing_is_started_that_was_not_on_its_way(fleet: Make):
    here = fleet(nodes=40)
    healthy = here.network.handle_async_request

    async def slow(request: httpx.Request) -> httpx.Response:
        answer = await healthy(request)
        await asyncio.sleep(3 if request.method == "POST" else 0)
        return answer

    here.network.handle_async_request = slow
    work = asyncio.ensure_future(all_of([here.create(node) for node in range(1, 41)]))
    await asyncio.sleep(2)
    here.session.interrupt()
    ended = await work
    assert (await here.asked())["post"] == AT_ONCE
    assert sum(isinstance(one, Resource) for one in ended) == AT_ONCE
    assert sum("not sent, because the run was interrupted" in str(one) for one in ended) == 40 - AT_ONCE


async def test_a_timeout_reaches_those_that_queue(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    first, second = await all_of([here.create(1), here.create(2, timeout="60s")])
    assert isinstance(first, Resource)
    assert "it was waiting for its turn: timed out" in str(second)
    assert (await here.asked())["post"] == 1


async def test_one_whose_post_fails_makes_room(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    await here.control("POST", "/faults", {"kind": "error", "operation": "create", "status": 403, "count": 1})
    first, second = await all_of([here.create(1), here.create(2)])
    assert "was started: create remediation: 403" in str(first)
    assert isinstance(second, Resource)


async def test_after_its_turn_came_it_looks_again(fleet: Make):
    here = fleet(config=TWO)
    await here.somebody_starts(6)
    work = asyncio.ensure_future(all_of([here.create(1), here.create(2)]))
    await asyncio.sleep(200)
    await here.somebody_starts(2)
    _, second = await work
    assert "is being repaired already" in str(second)
    assert (await here.asked())["post"] == 3


async def test_an_api_that_does_not_say_what_is_active_starts_nothing(fleet: Make):
    here = fleet(config=TWO)
    here.network.bend = refusing(403)
    with pytest.raises(OperationError, match=r"no remediation of .* was started: it was waiting for its turn: .*403"):
        await here.create(1)
    assert (await here.asked())["post"] == 0


async def test_approvals_wait_for_their_turn_too(fleet: Make):
    here = fleet(config={"maxConcurrentPerCluster": 1})
    proposal = await here.control("POST", "/instances/cluster-1/cluster-1-node-5/propose", {"fault": "xid"})
    running = asyncio.ensure_future(here.create(1))
    await asyncio.sleep(50)
    reviews, line = ReviewResource(here.session, keeps_unfinished=True), Line()
    where = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-5", "remediationId": proposal["id"]}
    review = await reviews.create("urn:pulumi:prod::training::t::r", where | {"decision": "APPROVE"}, line)
    assert running.done()
    assert review.outputs["state"] == "SUCCEEDED"
    assert any("for a slot: node-1 (RUNNING" in text for text in line.passing)


# --- one node ---


def named(here: Fleet, name: str, node: int, **inputs: Any) -> tuple[str, dict[str, Any]]:
    """The URN and the inputs of a resource of the program, by a name of its own."""
    urn, declared = here.declared(node, **inputs)
    return f"{urn.rpartition('::')[0]}::{name}", declared


async def test_two_resources_of_one_process_for_one_node_start_one_and_tell_the_other(fleet: Make):
    here = fleet()
    first, second = (named(here, name, 1) for name in ("a", "b"))
    work = [here.resources.create(*each, Line()) for each in (first, second)]
    done, refused = await all_of(work)
    assert isinstance(done, Resource)
    assert done.outputs["remediationId"] in str(refused)
    assert "is being repaired already" in str(refused)
    assert (await here.asked())["post"] == 1


async def test_the_second_of_one_process_adopts_the_first_ones_if_it_says_so(fleet: Make):
    here = fleet()
    work = [here.resources.create(*named(here, name, 1, ifActive="ADOPT"), Line()) for name in ("a", "b")]
    done = await all_of(work)
    assert states(done) == {"SUCCEEDED": 2}
    assert sorted(one.outputs["adopted"] for one in done if isinstance(one, Resource)) == [False, True]
    assert (await here.asked())["post"] == 1


async def test_a_slow_answer_about_one_node_holds_up_no_other(fleet: Make):
    here = fleet(settings={"pending": 1, "running": 10})
    await here.control("POST", "/faults", {"kind": "latency", "operation": "create", "seconds": 25, "count": 1})
    slow = asyncio.ensure_future(here.create(1))
    await asyncio.sleep(1)
    waiting = asyncio.ensure_future(here.resources.create(*named(here, "b", 1), line := Line()))
    started = asyncio.get_running_loop().time()
    await here.create(2)
    assert asyncio.get_running_loop().time() - started < 20
    assert "waiting for another resource of this program that repairs instance cluster-1-node-1" in line.passing
    await slow
    with pytest.raises(OperationError):
        await waiting


async def test_a_wait_for_another_resource_of_the_program_can_be_interrupted(fleet: Make):
    here = fleet()
    await here.control("POST", "/faults", {"kind": "latency", "operation": "create", "seconds": 25, "count": 1})
    first = asyncio.ensure_future(here.create(1))
    await asyncio.sleep(1)
    second = asyncio.ensure_future(here.resources.create(*named(here, "b", 1), Line()))
    await asyncio.sleep(1)
    here.session.interrupt()
    with pytest.raises(OperationError, match="another resource of this program was about to repair the node: inter"):
        await second
    await asyncio.gather(first, return_exceptions=True)


async def test_what_has_not_had_its_turn_at_ctrl_c_speaks_of_no_other_resource(fleet: Make):
    here = fleet()
    here.session.interrupt()
    with pytest.raises(OperationError, match=r"cluster cluster-1 was started: interrupted$"):
        await here.create(1)


async def test_an_approval_and_a_create_of_one_node_are_decided_one_after_another(fleet: Make):
    here = fleet()
    proposal = await here.control("POST", "/instances/cluster-1/cluster-1-node-1/propose", {"fault": "xid"})
    where = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-1", "remediationId": proposal["id"]}
    reviews = ReviewResource(here.session, keeps_unfinished=True)
    creating = here.resources.create(*named(here, "a", 1, ifActive="CREATE"), Line())
    approving = reviews.create("urn:pulumi:prod::training::t::r", where | {"decision": "APPROVE"}, Line())
    created, refused = await all_of([creating, approving])
    assert isinstance(created, Resource)
    assert "cannot be approved while its node is being repaired" in str(refused)
    assert created.outputs["remediationId"] in str(refused)


async def test_a_preview_names_two_resources_of_one_node_and_fails_where_up_will_refuse(fleet: Make):
    here = fleet()

    async def preview(name: str, **inputs: Any) -> list[str]:
        line = Line()
        await here.resources.preview_create(*named(here, name, 1, **inputs), line)
        return line.lines

    assert len(await preview("a")) == 1
    assert len(await preview("a")) == 1, "a resource is no rival of itself"
    with pytest.raises(OperationError, match=r'two resources .* of instance cluster-1-node-1 .*: "a" and "b"'):
        await preview("b")
    warned = await preview("c", ifActive="ADOPT")
    assert any('"a" and "c"' in text and text.startswith("warning: ") for text in warned)


# --- maxConcurrentPerCluster across processes ---


async def test_two_processes_together_hold_no_more_than_the_limit(fleet: Make):
    here = fleet(nodes=8, config=TWO, settings={"pending": 30, "running": 60})
    there = here.another_process(TWO)
    ended = await all_of([*map(here.create, range(1, 5)), *map(there.create, range(5, 9))])
    assert states(ended) == {"SUCCEEDED": 8}
    assert await here.most_at_once(begun=True) == 2
    assert await here.longest_beyond(2) <= 10
    posts = (await here.asked())["post"]
    assert 8 <= posts <= 40
    said = [text for one in (here, there) for line in one.lines.values() for text in line.passing]
    withdrawn = sum("was withdrawn, because" in text and "other nodes came first" in text for text in said)
    assert withdrawn == posts - 8
