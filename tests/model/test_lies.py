"""A server that lies: whatever it answers, nothing runs twice, nothing passes for a success that is none, and every
command ends in time."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.model.test_preview import PLAIN
from tests.model.world import Network, World
from togetherai_simulator.app import App

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")

Json = dict[str, Any]
Lie = Callable[[random.Random, httpx.Response, Json], httpx.Response]
LIES: dict[str, Lie] = {}
LIMIT = 20 * 60.0
"""Simulated seconds after which a command counts as never ending: its timeout is five minutes, and what it has begun by
then has a grace."""
ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202e\r"


def lie(tell: Lie) -> Lie:
    LIES[tell.__name__] = tell
    return tell


def answer(status: int, body: Any, headers: httpx.Headers | None = None, **more: str) -> httpx.Response:
    kept = {name: value for name, value in httpx.Headers(headers).items() if not name.startswith("content-")}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, headers=kept | more, content=content)


def every_record(body: Json, change: Json) -> Json:
    """The body with a change in each remediation of it."""
    if "remediations" in body:
        return body | {"remediations": [record | change for record in body["remediations"]]}
    return body | change if "state" in body else body


@lie
def another_id(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(was.status_code, every_record(body, {"id": "evil", "state": "SUCCEEDED"}), was.headers)


@lie
def another_instance(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(was.status_code, every_record(body, {"instance_id": "evil", "state": "SUCCEEDED"}), was.headers)


@lie
def another_cluster(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(was.status_code, every_record(body, {"cluster_id": "evil", "state": "SUCCEEDED"}), was.headers)


@lie
def a_state_that_goes_backwards(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    if body.get("state") not in ("SUCCEEDED", "FAILED", "CANCELLED"):
        return was
    return answer(was.status_code, body | {"state": "RUNNING"}, was.headers)


@lie
def an_end_before_its_beginning(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    times = {"create_time": "2027-01-15T09:00:00Z", "end_time": "2027-01-15T08:00:00Z"}
    return answer(was.status_code, every_record(body, times), was.headers)


@lie
def times_centuries_off(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    time = chance.choice(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"])
    return answer(was.status_code, every_record(body, {"end_time": time}), was.headers)


@lie
def a_date_decades_off(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    date = chance.choice(["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT", "yesterday"])
    return answer(was.status_code, body, was.headers, date=date)


@lie
def an_item_that_cannot_be_read(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    if "remediations" not in body:
        return answer(was.status_code, {"id": body.get("id")}, was.headers)
    broken = chance.choice([{"id": "x"}, "nonsense", None, {"state": 5}])
    return answer(was.status_code, body | {"remediations": [*body["remediations"], broken]}, was.headers)


@lie
def pages_without_end(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    if "remediations" not in body:
        return was
    more = {"has_next": True, "next_page_token": str(chance.random())}
    records = cast(list[Json], body["remediations"])
    fresh = [records[0] | {"id": str(chance.random()), "state": "FAILED", "reason": ""}] if records else []
    return answer(was.status_code, body | more | {"remediations": [*records, *fresh]}, was.headers)


@lie
def an_answer_too_long(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(was.status_code, b" " * (17 * 2**20), was.headers)


@lie
def an_answer_packed_unasked(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    packed = httpx.ByteStream(gzip.compress(json.dumps(body).encode()))
    return httpx.Response(was.status_code, stream=packed, headers={"content-encoding": "gzip"})


@lie
def an_error_with_escape_sequences(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(chance.choice([400, 409, 418, 500, 503]), {"code": 3, "message": ESCAPES * 1000}, was.headers)


@lie
def texts_with_escape_sequences(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    texts = {
        "requested_by": ESCAPES,
        "error_message": ESCAPES * 1000,
        "review_comment": ESCAPES,
        "instance_name": ESCAPES,
    }
    return answer(was.status_code, every_record(body, texts), was.headers)


@lie
def a_redirect(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(chance.choice([301, 302, 307, 308]), {}, was.headers, location="http://evil.test/")


@lie
def something_else_altogether(chance: random.Random, was: httpx.Response, body: Json) -> httpx.Response:
    return answer(
        was.status_code, chance.choice([b"", b"[]", b"null", b"42", b'"x"', b"\xff\xfe", b"{" * 9000]), was.headers
    )


class Liar(Network):
    """The way to the API, on which answers are changed."""

    def __init__(self, app: App, chance: random.Random, kinds: list[str], part: float) -> None:
        super().__init__(app)
        self._chance = chance
        self._kinds = kinds
        self._part = part
        self.told = Counter[str]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        was = await super().handle_async_request(request)
        await was.aread()
        if self._chance.random() >= self._part:
            return was
        kind = self._chance.choice(self._kinds)
        self.told[kind] += 1
        return LIES[kind](self._chance, was, json.loads(was.content))


def tried(seed: int, kinds: list[str], *, reading: str, keeps: bool, part: float, outcome: str) -> Counter[str]:
    """Three runs against a liar and one against the truth. Returns the lies that were told."""
    random.seed(seed)
    world = World(reading=reading, keeps_unfinished=keeps, seed=seed)
    world.network = liar = Liar(world.app, random.Random(seed), kinds, part)
    world.control("PUT", f"/instances/cluster-1/{PLAIN['instanceId']}/behaviour", {"outcome": outcome})
    try:
        for _ in range(3):
            started = world.loop.time()
            errors = world.up({"fix": PLAIN})
            assert world.loop.time() - started < LIMIT
            told = [*errors, *world.told.lines]
            assert sum(world.effective_posts().values()) <= 1, told
            for line in errors:
                assert not set("\x1b\x07\u202e\r") & set(line), line
                assert len(line) < 7000
            held = world.stack.get("fix")
            if held is not None and not held.unfinished:
                (record,) = world.records()
                assert (record.state, held.resource.outputs["remediationId"]) == ("SUCCEEDED", record.id), told
        world.network = Network(world.app)
        errors = world.up({"fix": PLAIN})
        assert sum(world.effective_posts().values()) == 1
        assert bool(errors) == (outcome == "fail"), errors
        (record,) = world.records()
        if outcome == "succeed":
            assert world.stack["fix"].resource.outputs["remediationId"] == record.id
        return liar.told
    finally:
        world.close()


@pytest.mark.parametrize("kind", LIES)
@pytest.mark.parametrize("keeps", [True, False], ids=["plugin", "dynamic"])
def test_a_server_that_lies_all_the_time_in_one_way(kind: str, keeps: bool):
    for seed, outcome in enumerate(["succeed", "fail"]):
        tried(seed, [kind], reading="id", keeps=keeps, part=1.0 if keeps else 0.6, outcome=outcome)


@settings(
    max_examples=100,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10**6),
    kinds=st.lists(st.sampled_from(sorted(LIES)), min_size=1, max_size=6, unique=True),
    reading=st.sampled_from(["id", "existing", "conflict", "ignore", "refuse"]),
    keeps=st.booleans(),
    part=st.sampled_from([0.1, 0.3, 0.7]),
    outcome=st.sampled_from(["succeed", "succeed", "fail"]),
)
def test_a_server_that_lies_now_and_then_in_many_ways(
    seed: int, kinds: list[str], reading: str, keeps: bool, part: float, outcome: str
):
    tried(seed, kinds, reading=reading, keeps=keeps, part=part, outcome=outcome)
