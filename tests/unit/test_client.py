"""The API client: what it sends, what it makes of every kind of answer, and what it sends again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Accepted, Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.errors import (
    AlreadyExists,
    AnswerLost,
    AnswerUnreadable,
    ApiError,
    CredentialRefused,
    NotFound,
    NotReached,
    NotSendable,
    RateLimited,
    Refused,
    ServerError,
    StatusError,
)
from pulumi_resource_togetherai.api.models import Remediation

pytestmark = pytest.mark.looptime(resolution=1e-9)  # backing off takes no time: the loop's clock jumps

Answer = httpx.Response | Exception
PLAIN = {
    "id": "r1",
    "cluster_id": "c1",
    "instance_id": "i7",
    "mode": "REMEDIATION_MODE_REBOOT_VM",
    "trigger": "REMEDIATION_TRIGGER_MANUAL",
    "state": "PENDING",
}


class Api(httpx.AsyncBaseTransport):
    """Answers with what it was given, in turn, the last one again and again; keeps what it was asked."""

    def __init__(self, *answers: Answer | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def client(api: Api, *, max_retries: int = 3) -> Client:
    credential = Credential(SecretStr("tgp-secret"), "the environment variable TOGETHER_API_KEY")
    return Client("http://api/v1", credential, max_retries=max_retries, transport=api)


async def create(api: Api) -> Accepted:
    async with client(api) as it:
        return await it.create_remediation(
            "c1", "i7", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="key"
        )


async def get(api: Api) -> Remediation:
    async with client(api) as it:
        return await it.get_remediation("c1", "i7", "r1")


def status(http: int, code: int = 0, message: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(http, json={"code": code, "message": message, "details": []}, headers=headers)


async def test_a_create_carries_its_key_and_its_reason():
    api = Api(httpx.Response(200, json=PLAIN))
    accepted = await create(api)
    assert accepted.record is not None
    assert accepted.record.state is RemediationState.PENDING
    (request,) = api.requests
    assert request.url.raw_path == b"/v1/compute/clusters/c1/instances/i7/remediations?remediation_id=key"
    assert request.read() == b'{"mode":"REMEDIATION_MODE_REBOOT_VM","reason":"why"}'
    assert request.headers["Authorization"] == "Bearer tgp-secret"


@pytest.mark.parametrize("bad", ["../c2", "a/b", "a b", "a?b=c", "a#b", "a%2Fb"])
async def test_an_odd_id_stays_one_segment_of_the_path(bad: str):
    api = Api(status(404, 5, "no"))
    async with client(api) as it:
        with pytest.raises(NotFound):
            await it.get_remediation("c1", bad, "r1")
    segments = api.requests[0].url.raw_path.split(b"/")
    assert segments[:5] == [b"", b"v1", b"compute", b"clusters", b"c1"]
    assert len(segments) == 9


@pytest.mark.parametrize("bad", ["", ".", ".."])
async def test_a_dot_is_no_id(bad: str):
    api = Api(httpx.Response(200, json=PLAIN))
    async with client(api) as it:
        with pytest.raises(NotSendable, match="not an id"):
            await it.get_remediation("c1", bad, "r1")
    assert not api.requests


@pytest.mark.parametrize(
    ("answer", "kind", "part"),
    [
        (status(400, 9, "cannot cancel"), Refused, "400 FAILED_PRECONDITION: cannot cancel"),
        (status(401, 16, "bad key"), CredentialRefused, "from the environment variable TOGETHER_API_KEY"),
        (status(403, 7, "not yours"), CredentialRefused, "PERMISSION_DENIED"),
        (status(404, 5, "no such"), NotFound, "NOT_FOUND: no such"),
        (status(409, 6, "exists"), AlreadyExists, "ALREADY_EXISTS"),
        (status(429, 8, "slow down"), RateLimited, "RESOURCE_EXHAUSTED"),
        (status(408, 4, "slow"), ServerError, "DEADLINE_EXCEEDED"),
        (httpx.Response(502, text="<html>Bad Gateway</html>"), ServerError, "502: Bad Gateway (an answer that is not"),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), Refused, "302"),
        (httpx.Response(200, text='{"id": "r1"'), AnswerUnreadable, "a body that cannot be read"),
        (httpx.Response(200, text="<html>hello</html>"), AnswerUnreadable, "a body that cannot be read"),
        (httpx.Response(200, json={"id": "r1"}), AnswerUnreadable, "state"),
        (status(501, 12, "no such method"), Refused, "501 UNIMPLEMENTED: no such method"),
        (httpx.Response(405, json={"error": {"message": "no", "code": "bad"}}), Refused, "405: no"),
        (httpx.Response(302), Refused, "redirects to nowhere"),
        (httpx.ConnectError("refused"), NotReached, "cannot reach http://api/v1 (refused)"),
        (httpx.ConnectTimeout(""), NotReached, "cannot reach http://api/v1 (timeout)"),
        (httpx.ReadTimeout(""), AnswerLost, "did not answer in time"),
        (httpx.RemoteProtocolError("closed"), AnswerLost, "the connection to http://api/v1 broke (closed)"),
    ],
)
async def test_every_bad_answer_becomes_an_error_that_says_so(answer: Answer, kind: type[ApiError], part: str):
    with pytest.raises(kind) as caught:
        await get(Api(answer))
    assert type(caught.value) is kind
    assert part in str(caught.value)
    assert "tgp-secret" not in str(caught.value)


TRANSIENT: list[Answer] = [
    status(408, 4),
    status(429, 8),
    status(500, 13),
    status(503, 14),
    httpx.ReadTimeout("late"),
    httpx.ReadError("lost"),
    httpx.ConnectError("refused"),
    httpx.Response(200, text="{"),
]


@pytest.mark.parametrize("answer", TRANSIENT, ids=repr)
async def test_a_read_is_repeated_after_every_transient_error(answer: Answer):
    api = Api(answer, answer, httpx.Response(200, json=PLAIN))
    assert (await get(api)).id == "r1"
    assert len(api.requests) == 3


@pytest.mark.parametrize("answer", TRANSIENT, ids=repr)
async def test_a_create_is_repeated_only_if_the_first_one_provably_did_nothing(answer: Answer):
    api = Api(answer, httpx.Response(200, json=PLAIN))
    did_nothing = isinstance(answer, httpx.ConnectError) or (
        isinstance(answer, httpx.Response) and answer.status_code == 429
    )
    if did_nothing:
        await create(api)
        first, second = api.requests
        assert first.url == second.url
    elif isinstance(answer, httpx.Response) and answer.status_code == 200:
        assert "cannot be read" in (await create(api)).problem
        assert len(api.requests) == 1
    else:
        with pytest.raises(ApiError) as caught:
            await create(api)
        assert caught.value.maybe_took_effect
        assert len(api.requests) == 1


@pytest.mark.parametrize("http", [400, 401, 403, 404, 409])
async def test_a_refusal_is_final(http: int):
    api = Api(status(http))
    with pytest.raises(ApiError):
        await get(api)
    assert len(api.requests) == 1


async def test_repeating_ends():
    api = Api(status(503, 14, "down"))
    with pytest.raises(ServerError, match="down"):
        await get(api)
    assert len(api.requests) == 4


@pytest.mark.parametrize("header", ["7", "Mon, 23 Nov 2099 12:00:00 GMT"])
async def test_retry_after_is_honoured_up_to_a_bound(header: str):
    api = Api(status(429, 8, "slow", **{"Retry-After": header}), httpx.Response(200, json=PLAIN))
    started = asyncio.get_running_loop().time()
    if header == "7":
        await get(api)
        assert asyncio.get_running_loop().time() - started >= 7
    else:
        with pytest.raises(RateLimited):
            await get(api)
        assert len(api.requests) == 1


async def test_an_answer_that_drips_in_is_given_up():
    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    api = Api(httpx.Response(200, content=drip()))
    it = Client("http://api/v1", Credential(SecretStr("k"), "x"), request_timeout=30, max_retries=0, transport=api)
    async with it:
        with pytest.raises(AnswerLost):
            await it.get_remediation("c1", "i7", "r1")


def paged(parameter: str) -> Callable[[httpx.Request], httpx.Response]:
    """A server with three pages that knows the page token by one name only."""

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get(parameter, "0"))
        items: list[dict[str, Any]] = [
            PLAIN | {"id": f"r{page}{n}", "create_time": f"2026-11-0{page + 1}T00:00:0{n}Z"} for n in range(2)
        ]
        has_next = page < 2
        return httpx.Response(
            200,
            json={"remediations": items, "has_next": has_next, "next_page_token": str(page + 1) if has_next else ""},
        )

    return answer


@pytest.mark.parametrize("parameter", ["page_token", "pageToken"])
async def test_all_pages_are_listed_newest_first_in_either_spelling(parameter: str):
    async with client(Api(paged(parameter))) as it:
        listed = await it.list_remediations("c1", "i7")
    assert [remediation.id for remediation in listed] == ["r21", "r20", "r11", "r10", "r01", "r00"]


async def test_a_server_that_repeats_a_page_for_ever_is_not_followed_for_ever():
    page = {"remediations": [PLAIN], "has_next": True, "next_page_token": "again"}
    api = Api(lambda _: httpx.Response(200, json=page))
    async with client(api) as it:
        assert [remediation.id for remediation in await it.list_remediations("c1")] == ["r1"]
    assert len(api.requests) <= 4


async def test_an_ignored_filter_is_applied_here_and_a_refused_one_is_left_out():
    items = [PLAIN | {"id": "a", "state": "RUNNING"}, PLAIN | {"id": "b", "state": "FAILED"}]

    def refuses(request: httpx.Request) -> httpx.Response:
        if "state" in request.url.params:
            return status(400, 3, "no such parameter")
        return httpx.Response(200, json={"remediations": items, "has_next": False})

    for api in (Api(lambda _: httpx.Response(200, json={"remediations": items, "has_next": False})), Api(refuses)):
        async with client(api) as it:
            listed = await it.list_remediations("c1", states=[RemediationState.RUNNING])
        assert [remediation.id for remediation in listed] == ["a"]


async def test_what_a_newer_server_sends_is_kept():
    newer = PLAIN | {"state": "DEFROSTING", "mode": "REMEDIATION_MODE_DEFROST", "temperature": 4}
    remediation = await get(Api(httpx.Response(200, json=newer)))
    assert remediation.state == "DEFROSTING"
    assert not remediation.terminal
    assert remediation.model_dump(mode="json")["temperature"] == 4


async def test_an_unknown_state_with_an_end_time_has_ended():
    ended = PLAIN | {"state": "DEFROSTED", "end_time": "2026-11-23T03:00:00.123456789Z"}
    assert (await get(Api(httpx.Response(200, json=ended)))).terminal


async def test_time_is_the_servers():
    told = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
    api = Api(httpx.Response(200, json=PLAIN, headers={"Date": format_datetime(told, usegmt=True)}))
    async with client(api) as it:
        await it.get_remediation("c1", "i7", "r1")
        assert 0 <= (it.now() - told).total_seconds() < 60


@pytest.mark.parametrize(
    ("answer", "record", "known_id"),
    [
        (httpx.Response(200, json=PLAIN), "r1", "r1"),
        (httpx.Response(201, json={"id": "r1"}), None, "r1"),
        (httpx.Response(201, json={"remediation_id": "r1"}), None, "r1"),
        (httpx.Response(201, json="r1"), None, "r1"),
        (httpx.Response(202), None, None),
        (httpx.Response(204), None, None),
        (httpx.Response(202, json={}), None, None),
    ],
    ids=str,
)
async def test_an_accepted_create_shows_as_much_as_its_answer(
    answer: httpx.Response, record: str | None, known_id: str | None
):
    accepted = await create(Api(answer))
    assert (accepted.record and accepted.record.id, accepted.remediation_id, accepted.problem) == (record, known_id, "")


REFUSALS = [
    status(400, 3, "remediation_id: no such parameter"),
    httpx.Response(422, json={"detail": "extra fields not permitted"}),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
async def test_a_server_that_refuses_the_id_is_asked_without_it_from_then_on(refusal: httpx.Response):
    def answer(request: httpx.Request) -> httpx.Response:
        return refusal if "remediation_id" in request.url.params else httpx.Response(200, json=PLAIN)

    api = Api(answer)
    async with client(api) as it:
        for _ in range(2):
            made = await it.create_remediation(
                "c1", "i7", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="key"
            )
            assert made.record is not None
        assert it.ids_refused
    assert ["remediation_id" in request.url.params for request in api.requests] == [True, False, False]


async def test_a_refusal_not_about_the_id_is_told_as_it_is():
    api = Api(status(400, 9, "the node is gone"))
    with pytest.raises(Refused, match="the node is gone"):
        await create(api)
    assert len(api.requests) == 1
    api = Api(status(400, 3, "mode: not allowed"))
    with pytest.raises(Refused, match="mode: not allowed"):
        await create(api)
    assert len(api.requests) == 2


ODD_HEADERS = [
    {"Date": "Thu, 01 Jan 99999 00:00:00 GMT"},
    {"Date": "31 Dec 9999 23:59:59 -2359"},
    {"Date": "yesterday"},
    {"Retry-After": "Wed, 25 Nov 2026 12:00:00"},
    {"Retry-After": "nan"},
    {"Retry-After": "-inf"},
    {"Retry-After": "soon"},
    {"Content-Encoding": "gzip"},
    {"Location": "\u20ac"},
    {"Set-Cookie": "a=b"},
]


@pytest.mark.parametrize("headers", ODD_HEADERS, ids=str)
@pytest.mark.parametrize("http", [302, 401, 404, 429, 503])
async def test_an_odd_header_takes_nothing_from_the_status(http: int, headers: dict[str, str]):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    api = Api(lambda _: httpx.Response(http, headers=raw, stream=httpx.ByteStream(b"\x1f\x8b")))
    with pytest.raises(StatusError) as caught:
        await get(api)
    assert caught.value.http_status == http


async def test_no_cookie_is_kept():
    api = Api(lambda _: httpx.Response(200, json=PLAIN, headers={"Set-Cookie": "session=1; Path=/"}))
    async with client(api) as it:
        for _ in range(3):
            await it.get_remediation("c1", "i7", "r1")
    assert not any("Cookie" in request.headers for request in api.requests)


async def test_a_busy_server_that_says_when_to_come_back_is_heard():
    api = Api(status(503, 14, "busy", **{"Retry-After": "60"}), httpx.Response(200, json=PLAIN))
    started = asyncio.get_running_loop().time()
    await get(api)
    assert asyncio.get_running_loop().time() - started >= 60
