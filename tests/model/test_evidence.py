"""Whatever bytes come back, and whatever versions of the truth in whatever order: the client answers or says why not,
an end is never taken back, no success is made up, and nothing is started twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import httpcore
import httpx
import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Accepted, Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.view import Ref, View
from pulumi_resource_togetherai.config import ProviderConfig
from tests.model.test_preview import PLAIN
from tests.model.world import NODE, Network, World
from togetherai_simulator.app import App

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")

Json = dict[str, Any]
T = TypeVar("T")
EXAMPLES = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def in_no_time(work: Coroutine[Any, Any, T]) -> T:
    """Does something on a loop whose clock jumps."""
    loop = looptime.new_event_loop(resolution=1e-9)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


# --- any bytes ---

FIELDS = [*Remediation.model_fields, *Cluster.model_fields, "remediations", "has_next", "next_page_token", "error"]
HEADERS = ["Date", "Retry-After", "Content-Encoding", "Content-Type", "Content-Length", "Location", "Set-Cookie"]
RECORD = {
    "id": "r1",
    "cluster_id": "c1",
    "instance_id": "i1",
    "mode": "REMEDIATION_MODE_REBOOT_VM",
    "trigger": "REMEDIATION_TRIGGER_MANUAL",
    "state": "RUNNING",
}
TIMES = st.sampled_from(
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-24T10:00:00", "2026-11-24T10:00:00-23:59", "1e99", "-0"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | TIMES
    | st.builds(dict[str, Any])
    | st.builds(list[Any]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=4),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4).map(lambda odd: RECORD | odd)
PAGES = st.fixed_dictionaries({"remediations": st.lists(RECORDS | VALUES, max_size=3) | VALUES}).flatmap(
    lambda page: st.dictionaries(st.sampled_from(["has_next", "next_page_token"]), VALUES).map(lambda more: page | more)
)
BODIES = st.binary(max_size=40) | (VALUES | RECORDS | PAGES).map(lambda body: json.dumps(body).encode())
ODD_TEXTS = [
    b"gzip",
    b"nan",
    b"-1",
    b"1e999",
    b"Fri, 31 Dec 9999 23:59:59 GMT",
    b"Mon, 01 Jan 0001 00:00:00 GMT",
    b"//[",
]
ODD_HEADERS = st.tuples(st.sampled_from([*HEADERS[:4], "Location"]).map(str.encode), st.sampled_from(ODD_TEXTS))
ANY_HEADERS = st.tuples(st.sampled_from(HEADERS).map(str.encode) | st.binary(max_size=5), st.binary(max_size=12))


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """What comes back on a connection."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    status = draw(st.sampled_from([200, 200, 200, 201, 202, 204, 301, 400, 401, 404, 409, 429, 500, 503]))
    body = draw(BODIES)
    headers = draw(st.lists(ODD_HEADERS | ANY_HEADERS, max_size=4))
    lines = [b"HTTP/1.1 %d %s" % (status, draw(st.sampled_from([b"OK", b"", b"\xff"])))]
    lines += [b"%s: %s" % header for header in headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


class Wire(httpx.AsyncHTTPTransport):
    """Connections on which the same bytes come back whatever is asked."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        backend = httpcore.AsyncMockBackend([answer])
        self._pool = httpcore.AsyncConnectionPool(network_backend=backend)


ASKING: dict[str, Callable[[Client], Coroutine[Any, Any, Any]]] = {
    "get": lambda it: it.get_remediation("c1", "i1", "r1"),
    "list": lambda it: it.list_remediations("c1", "i1", most_pages=3),
    "list all": lambda it: it.list_active_remediations("c1", most_pages=3),
    "create": lambda it: it.create_remediation(
        "c1", "i1", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="r1"
    ),
    "cancel": lambda it: it.cancel_remediation("c1", "i1", "r1"),
    "cluster": lambda it: it.get_cluster("c1"),
}


@settings(EXAMPLES, max_examples=400)
@given(answer=answers(), operation=st.sampled_from(sorted(ASKING)))
def test_any_answer_is_usable_or_an_error_of_the_api(answer: bytes, operation: str):
    async def ask() -> Any:
        credential = Credential(SecretStr("tgp-secret"), "the test")
        it = Client("http://api/v1", credential, max_retries=1, request_timeout=5, transport=Wire(answer))
        async with it:
            try:
                return await ASKING[operation](it)
            except ApiError as error:
                return error
            finally:
                await asyncio.sleep(1)
                assert it.now().tzinfo is not None

    found = in_no_time(ask())
    if isinstance(found, ApiError):
        assert len(str(found)) < 2000
        assert "tgp-secret" not in str(found)
        return
    records: Any = found.record if isinstance(found, Accepted) else found
    for record in cast(list[Any], records if isinstance(records, list) else [records]):
        if isinstance(record, Remediation):
            assert record.cluster_id == "c1"
            assert operation == "list all" or record.instance_id == "i1"
            assert operation not in ("get", "cancel") or record.id == "r1"
            assert max(time.utcoffset() or timedelta() for time in _times(record)) == timedelta()


def _times(record: Remediation) -> list[datetime]:
    values = (getattr(record, name) for name in Remediation.model_fields)
    return [datetime.now(UTC), *(value for value in values if isinstance(value, datetime))]


# --- any versions of the truth, in any order ---

COURSES = [
    ["PENDING", "RUNNING", "SUCCEEDED"],
    ["PENDING", "RUNNING", "FAILED"],
    ["PENDING_APPROVAL", "PENDING", "QUARANTINING", "RUNNING", "SUCCEEDED"],
    ["PENDING", "CANCELLED"],
    ["PENDING_APPROVAL", "AUTO_RESOLVED"],
    ["PENDING", "DEFROSTING", "RUNNING"],
]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def versions(number: int, course: list[str]) -> list[Json]:
    """A remediation as it was at each moment of its life."""
    first = RECORD | {"id": f"r{number}", "instance_id": f"i{number % 2}", "create_time": NOON.isoformat()}
    told = list[Json]()
    for minute, state in enumerate(course):
        time = (NOON + timedelta(minutes=minute)).isoformat()
        ended = state in ("SUCCEEDED", "FAILED", "CANCELLED", "AUTO_RESOLVED")
        told.append(first | {"state": state, "update_time": time} | ({"end_time": time} if ended else {}))
    return told


ODD_VALUES: list[Json] = [{"end_time": "0001-01-01T00:00:00Z"}, {"update_time": None}, {"create_time": ""}]
ELSEWHERE: list[Json] = [{"instance_id": "i9"}, {"cluster_id": "c9"}]
ANOTHER_MODE: Json = {"mode": "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT"}
"""A lie of anything but a proposal, whose mode may change."""
END = {"state": "SUCCEEDED", "end_time": NOON.isoformat()}


class Replicas(httpx.AsyncBaseTransport):
    """A service whose every answer is of some moment: any version of each remediation, or none; now and then it is cut
    off, refused, or a lie."""

    def __init__(self, chance: random.Random, lives: list[list[Json]]) -> None:
        self._chance = chance
        self._lives = lives
        self.shown = defaultdict[str, set[str]](set)
        """The states that were shown without a lie, by id."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.removeprefix("/v1/compute/clusters/").split("/")
        instance, wanted = parts[2], parts[4] if len(parts) == 5 else None
        chance = self._chance
        if chance.random() < 0.1:
            return httpx.Response(chance.choice([400, 404, 501]), text="no")
        seen = list[Json]()
        for life in self._lives:
            record = chance.choice([None, *life])
            if record is None or instance not in ("-", record["instance_id"]) or wanted not in (None, record["id"]):
                continue
            if chance.random() < 0.1:
                proposed = life[0]["state"] == "PENDING_APPROVAL"
                seen.append(record | chance.choice(ELSEWHERE if proposed else [*ELSEWHERE, ANOTHER_MODE]) | END)
            else:
                self.shown[record["id"]].add(record["state"])
                seen.append(record | chance.choice([{}, *ODD_VALUES]))
        if wanted is not None:
            return httpx.Response(200, json=seen[0]) if seen else httpx.Response(404, json={"code": 5})
        chance.shuffle(seen)
        more = chance.choice([{}, {"has_next": False}, {"has_next": True}, {"next_page_token": "x"}])
        return httpx.Response(200, json={"remediations": seen} | more)


Question = Callable[[View, Remediation], Coroutine[Any, Any, Any]]
QUESTIONS: dict[str, Question] = {
    "remediation": lambda view, one: view.remediation(one),
    "preview": lambda view, one: view.remediation(Ref.of(one), preview=True),
    "preview of a node": lambda view, one: view.node(one.instance_id, preview=True),
    "glance": lambda view, one: view.glance(one),
    "ended": lambda view, one: view.ended(one),
    "confirmed": lambda view, one: view.confirmed(one),
    "standing": lambda view, one: view.record_with_active(one),
    "node": lambda view, one: view.node(one.instance_id),
    "active": lambda view, one: view.active(),
    "active before": lambda view, one: view.active(since=0.0),
    "poll": lambda view, one: view.poll_active(3),
    "everything": lambda view, one: view.everything(),
}


@settings(EXAMPLES, max_examples=300)
@given(
    seed=st.integers(0, 10**6),
    courses=st.lists(st.sampled_from(COURSES), min_size=1, max_size=5),
    asked=st.lists(st.lists(st.sampled_from(sorted(QUESTIONS)), min_size=1, max_size=6), min_size=1, max_size=12),
)
def test_the_view_takes_no_end_back_and_makes_none_up(seed: int, courses: list[list[str]], asked: list[list[str]]):
    chance = random.Random(seed)
    lives = [versions(number, course) for number, course in enumerate(courses)]
    service, ends = Replicas(chance, lives), dict[str, str]()
    known = [Remediation.model_validate(life[0]) for life in lives]

    async def ask(view: View, question: str, one: Remediation) -> tuple[str, list[Remediation]]:
        try:
            found = await QUESTIONS[question](view, one)
        except ApiError:
            return question, []
        first = found[0] if question == "standing" else found
        records = cast(list[Remediation], first) if isinstance(first, list) else [first]
        return question, [record for record in records if record is not None]

    async def course() -> None:
        client = Client("http://api/v1", Credential(SecretStr("k"), "the test"), max_retries=0, transport=service)
        async with client:
            view = View(client, ProviderConfig(), "c1", lambda _: None)
            for record in known:
                view.believed(record)
                service.shown[record.id].add(record.state.value)
            for questions in asked:
                ones = [chance.choice(known) for _ in questions]
                earlier = dict(ends)
                for question, found in await asyncio.gather(*map(ask, [view] * len(ones), questions, ones)):
                    for record in found:
                        assert record.state.value in service.shown[record.id]
                        assert (record.cluster_id, record.mode) == ("c1", RemediationMode.REBOOT_VM)
                        assert record.instance_id == known[int(record.id[1:])].instance_id
                        assert earlier.get(record.id, record.state) == record.state
                        if record.terminal:
                            assert "active" not in question
                            assert question != "poll"
                            assert ends.setdefault(record.id, record.state.value) == record.state
                await asyncio.sleep(chance.choice([0, 5, 301]))

    in_no_time(course())


# --- the same under a whole `pulumi up` ---


class PartialLists(Network):
    """The way to the API, on which lists lose some of what they hold; they say that they are cut off then."""

    def __init__(self, app: App, chance: random.Random, part: float) -> None:
        super().__init__(app)
        self._chance = chance
        self._part = part

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if not request.url.path.endswith("/remediations") or request.method != "GET" or answer.status_code != 200:
            return answer
        body = json.loads(await answer.aread())
        if self._chance.random() >= self._part:
            return httpx.Response(200, json=body)
        left = [record for record in body["remediations"] if self._chance.random() < 0.5]
        return httpx.Response(200, json=body | {"remediations": left, "has_next": True, "next_page_token": None})


@settings(EXAMPLES, max_examples=200)
@given(
    seed=st.integers(0, 10**6),
    reading=st.sampled_from(["id", "existing", "conflict", "ignore", "refuse"]),
    keeps=st.booleans(),
    lag=st.sampled_from([0, 5, 40, 100]),
    replicas=st.sampled_from([1, 1, 3]),
    answer=st.sampled_from(["record_200", "id_201", "empty_202"]),
    part=st.sampled_from([0.0, 0.1, 0.5]),
    lost=st.sampled_from([None, None, None, "drop_before", "drop_after", "malformed"]),
    course=st.fixed_dictionaries(
        {"outcome": st.sampled_from(["succeed", "succeed", "fail", "hold"]), "running": st.sampled_from([0, 60])}
    ),
    steps=st.lists(st.sampled_from(["up", "up", "refresh", "not waiting"]), min_size=1, max_size=4),
)
def test_stale_reordered_and_partial_answers_start_nothing_twice_and_make_no_success_up(
    seed: int,
    reading: str,
    keeps: bool,
    lag: int,
    replicas: int,
    answer: str,
    part: float,
    lost: str | None,
    course: Json,
    steps: list[str],
):
    random.seed(seed)
    dialect = {"get_lag": lag, "list_lag": lag, "replicas": replicas, "create_answer": answer}
    world = World(reading=reading, keeps_unfinished=keeps, seed=seed, settings={"dialect": dialect})
    world.network = PartialLists(world.app, random.Random(seed), part)
    world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", course)
    if lost:
        world.control("POST", "/faults", {"kind": lost, "operation": "create", "probability": 0.5})
    kept = False
    try:
        for step in steps:
            errors = world.refresh() if step == "refresh" else world.up({"fix": PLAIN | {"wait": step == "up"}})
            told, jobs, held = [*errors, *world.told.lines], there(world), world.stack.get("fix")
            assert len(jobs) <= 1, told
            if course["outcome"] == "succeed" and not lost and not part:  # on a list that is cut off nothing is started
                assert not errors
            if held is not None and not held.unfinished:
                (truth,) = jobs
                outputs = held.resource.outputs
                assert outputs["remediationId"] == truth.id, told
                assert outputs["state"] in ("PENDING", "RUNNING", truth.state), told
            elif keeps and step == "refresh":
                assert held is not None or not jobs or not kept, "it is there, and was dropped"
            kept = held is not None
            world.wait(lag)
    finally:
        world.close()


def there(world: World) -> list[Remediation]:
    """The truth."""
    world.app.platform.catch_up()
    return [job.remediation for job in world.app.platform.jobs("cluster-1")]
