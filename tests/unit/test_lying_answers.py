"""The client does not believe what came because it came: answers to another question, without end, or beyond reason."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import (
    AnswerContradicts,
    AnswerTooLarge,
    AnswerUnreadable,
    Refused,
    ServerError,
)
from pulumi_resource_togetherai.api.http import LARGEST_ANSWER, LARGEST_ERROR
from pulumi_resource_togetherai.api.pages import MOST_PAGES
from tests.unit.test_client import PLAIN, Api, client, create, get, status

pytestmark = pytest.mark.looptime(resolution=1e-9)  # backing off takes no time: the loop's clock jumps

UNSET = [None, "", "0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC", "1970-01-01T00:00:00.000Z", "null"]
OTHERS = [{"id": "r2"}, {"cluster_id": "c2"}, {"instance_id": "i8"}]


@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("operation", ["get", "approve", "reject", "cancel"])
async def test_a_record_of_something_else_is_named_and_not_used(operation: str, other: dict[str, str]):
    api = Api(httpx.Response(200, json=PLAIN | other | {"state": "SUCCEEDED"}))
    async with client(api) as it:
        with pytest.raises(AnswerContradicts) as caught:
            await getattr(it, f"{operation}_remediation")("c1", "i7", "r1")
    for part in ("r1", "i7", "c1", *other.values(), "The provider does not use this answer"):
        assert part in str(caught.value)
    assert caught.value.maybe_took_effect


@pytest.mark.parametrize("other", OTHERS[1:], ids=str)
async def test_a_create_answered_with_something_else_was_accepted_all_the_same(other: dict[str, str]):
    accepted = await create(Api(httpx.Response(200, json=PLAIN | other)))
    assert (accepted.record, accepted.remediation_id) == (None, None)
    assert next(iter(other.values())) in accepted.problem


async def test_an_answer_that_is_right_the_second_time_is_used():
    api = Api(httpx.Response(200, json=PLAIN | {"id": "r2"}), httpx.Response(200, json=PLAIN))
    assert (await get(api)).id == "r1"


@pytest.mark.parametrize("other", OTHERS[1:], ids=str)
async def test_a_list_of_something_else_is_no_answer(other: dict[str, str]):
    page = {"remediations": [PLAIN, PLAIN | {"id": "r2"} | other], "has_next": False}
    async with client(Api(lambda _: httpx.Response(200, json=page))) as it:
        with pytest.raises(AnswerContradicts):
            await it.list_remediations("c1", "i7")


async def test_another_cluster_than_asked_for_is_no_answer():
    async with client(Api(lambda _: httpx.Response(200, json={"cluster_id": "c2"}))) as it:
        with pytest.raises(AnswerContradicts, match="asked about cluster c1, it answered with c2"):
            await it.get_cluster("c1")


@pytest.mark.parametrize(
    "odd",
    [
        *({"create_time": unset} for unset in UNSET),
        {"end_time": "2999-01-01T00:00:00Z"},
        {"create_time": "2019-12-31T23:59:59Z"},
        {"start_time": "yesterday"},
        {"start_time": {"seconds": "never"}},
        {"create_time": "2026-11-24T10:00:00Z", "end_time": "2026-11-24T09:00:00Z"},
        {"start_time": "2026-11-24T10:00:00Z", "end_time": "2026-11-24T09:00:00Z"},
        {"create_time": "2026-11-24T10:00:00Z", "start_time": "2026-11-24T09:00:00Z"},
    ],
    ids=str,
)
async def test_a_time_that_cannot_be_is_unset_and_hides_nothing_else(odd: dict[str, Any]):
    record = await get(Api(httpx.Response(200, json=PLAIN | {"state": "SUCCEEDED", "reason": "why"} | odd)))
    assert (record.id, record.state, record.reason) == ("r1", "SUCCEEDED", "why")
    assert getattr(record, list(odd)[-1]) is None


@pytest.mark.parametrize("unset", UNSET, ids=repr)
async def test_an_unset_text_list_or_number_is_unset_however_it_is_written(unset: Any):
    texts = {"reason": unset, "instance_name": unset, "error_message": unset, "linked_alerts": unset}
    record = await get(Api(httpx.Response(200, json=PLAIN | texts)))
    assert (record.reason, record.instance_name, record.error_message, record.linked_alerts) == (None, None, None, None)


@pytest.mark.parametrize("lie", ["..", "a/b", "a b", "a\n"], ids=repr)
async def test_an_id_that_cannot_be_is_no_id(lie: str):
    with pytest.raises((AnswerUnreadable, AnswerContradicts)):
        await get(Api(httpx.Response(200, json=PLAIN | {"id": lie})))
    assert (await create(Api(httpx.Response(200, json=PLAIN | {"id": lie})))).record is None


async def test_a_missing_id_is_the_one_asked_about_and_uuids_are_caseless():
    asked = "0A1B2C3D-0000-4000-8000-00000000ABCD"
    bare = {"state": "RUNNING", "id": asked.lower()}
    async with client(Api(lambda _: httpx.Response(200, json=bare))) as it:
        record = await it.get_remediation("c1", "i7", asked)
    assert (record.cluster_id, record.instance_id, record.id) == ("c1", "i7", asked)


async def test_one_odd_node_or_alert_hides_no_other():
    nodes: list[Any] = [
        {"node_id": "n1"},
        "nonsense",
        {"node_id": "n2", "latest_remediation": {"id": []}, "num_gpus": "many"},
    ]
    async with client(Api(lambda _: httpx.Response(200, json={"gpu_worker_nodes": nodes}))) as it:
        cluster = await it.get_cluster("c1")
    assert [node.node_id for node in cluster.gpu_worker_nodes] == ["n1", "n2"]
    alerts: list[Any] = [{"alert_name": "a"}, 5, {"alert_name": "b", "started_at": "noon", "annotation": "odd"}]
    record = await get(Api(httpx.Response(200, json=PLAIN | {"linked_alerts": alerts})))
    assert [alert.alert_name for alert in record.linked_alerts or ()] == ["a", "b"]


async def test_clocks_a_little_apart_and_times_without_a_zone_are_no_lie():
    times = {"create_time": "2026-11-24T10:00:03", "start_time": "2026-11-24T10:00:01Z"}
    record = await get(Api(httpx.Response(200, json=PLAIN | times)))
    assert record.create_time == datetime(2026, 11, 24, 10, 0, 3, tzinfo=UTC)


@pytest.mark.parametrize(("year", "believed"), [(1970, False), (2019, True), (2031, True), (2099, False)])
async def test_a_date_decades_off_is_not_what_ages_are_judged_by(year: int, believed: bool):
    told = datetime(year, 6, 1, tzinfo=UTC)
    api = Api(httpx.Response(200, json=PLAIN, headers={"Date": format_datetime(told, usegmt=True)}))
    async with client(api) as it:
        await it.get_remediation("c1", "i7", "r1")
        assert (abs(it.now() - told) < timedelta(minutes=1)) is (believed or year == 1970)
        assert it.now() < datetime.now(UTC) + timedelta(days=3660)


@pytest.mark.parametrize("ahead", [-2, 2])
async def test_ages_that_decide_are_judged_by_the_earlier_of_the_two_clocks(ahead: int):
    told = datetime.now(UTC) + timedelta(hours=ahead)
    api = Api(httpx.Response(200, json=PLAIN, headers={"Date": format_datetime(told, usegmt=True)}))
    async with client(api) as it:
        await it.get_remediation("c1", "i7", "r1")
        assert abs(it.earliest_now() - min(told, datetime.now(UTC))) < timedelta(minutes=1)


# --- bounded ---


def endless(counted: list[int], *, of: bytes = b" " * 65536) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        while True:
            counted.append(len(of))
            yield of

    return httpx.Response(200, content=body())


@pytest.mark.parametrize("operation", [get, create])
async def test_an_answer_without_end_is_given_up(operation: Callable[[Api], Any]):
    counted, too_long = list[int](), "more than 16 MiB, which is more than the provider reads"
    if operation is create:
        assert too_long in (await operation(Api(lambda _: endless(counted)))).problem
    else:
        with pytest.raises(AnswerTooLarge, match=too_long):
            await operation(Api(lambda _: endless(counted)))
    assert sum(counted) <= LARGEST_ANSWER + 65536


async def test_an_error_without_end_keeps_its_status():
    counted = list[int]()

    def answer(request: httpx.Request) -> httpx.Response:
        body = endless(counted)
        body.status_code = 500
        return body

    with pytest.raises(ServerError, match="500"):
        await get(Api(answer))
    assert sum(counted) <= 4 * (LARGEST_ERROR + 65536)


async def test_a_packed_answer_is_not_unpacked():
    bomb = gzip.compress(b" " * 10**8)
    api = Api(lambda _: httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(AnswerUnreadable, match="sent an answer in the encoding gzip, which nobody asked for"):
        await get(api)
    assert api.requests[0].headers["Accept-Encoding"] == "identity"


async def test_a_body_nested_without_end_is_one_line():
    with pytest.raises(AnswerUnreadable, match="cannot be read"):
        await get(Api(httpx.Response(200, text='{"x":' * 50_000 + "1" + "}" * 50_000)))


@pytest.mark.parametrize("empty", [False, True])
async def test_a_list_whose_pages_never_end_is_given_up(empty: bool):
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page_token", "0")) + 1
        items = [] if empty else [PLAIN | {"id": f"r{number}"}]
        return httpx.Response(200, json={"remediations": items, "has_next": True, "next_page_token": str(number)})

    api = Api(answer)
    async with client(api) as it:
        listed = await it.list_remediations("c1", "i7")
    assert listed.incomplete == f"it goes on after {MOST_PAGES} pages"
    assert len(api.requests) == MOST_PAGES


async def test_one_unreadable_item_hides_no_other_and_is_not_forgotten():
    broken = [
        {"id": "r2", "instance_id": "i7"},
        {"instance_id": "i8", "state": 5},
        "nonsense",
        None,
        PLAIN | {"id": ""},
    ]
    page = {"remediations": [PLAIN, *broken], "has_next": False}
    async with client(Api(lambda _: httpx.Response(200, json=page))) as it:
        listed = await it.list_remediations("c1")
    assert [one.id for one in listed] == ["r1"]
    assert [item.instance_id for item in listed.unreadable] == ["i7", "i8", None, None, "i7"]
    assert len(listed.of("i7").unreadable) == 4
    assert all(item.problem for item in listed.unreadable)


# --- the key ---


async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else():
    api = Api(httpx.Response(307, headers={"Location": "http://elsewhere/tgp-secret"}))
    with pytest.raises(
        Refused, match=r"redirects to .*elsewhere.*, but the API key is sent only to the configured address"
    ) as caught:
        await create(api)
    assert len(api.requests) == 1
    assert "tgp-secret" not in str(caught.value)


async def test_a_service_that_repeats_the_key_does_not_have_it_shown():
    with pytest.raises(Refused) as caught:
        await get(Api(status(400, 3, "the key tgp-secret is odd")))
    assert "the key [the API key] is odd" in str(caught.value)


async def test_a_message_of_a_megabyte_with_escape_sequences_is_a_short_line():
    with pytest.raises(Refused) as caught:
        await get(Api(status(400, 3, "\x1b]0;owned\x07" + "x" * 10**6)))
    assert r"\x1b]0;owned\x07" in str(caught.value)
    assert len(str(caught.value)) < 500


async def test_the_mode_is_what_was_asked_for():
    async with client(Api(httpx.Response(200, json=PLAIN))) as it:
        made = await it.create_remediation("c1", "i7", mode=RemediationMode.REBOOT_VM, reason=None, remediation_id="k")
    assert made.record is not None
    assert json.loads(made.record.model_dump_json())["mode"] == "REMEDIATION_MODE_REBOOT_VM"
