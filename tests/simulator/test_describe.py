"""`togetherai-check CLUSTER --describe`: what it says of a server is what the server's dialect is, and it says nothing
of anybody."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.describe.asking import MOST_REQUESTS
from pulumi_resource_togetherai.describe.describing import Description, describe
from pulumi_resource_togetherai.describe.finding import NOT_TOLD
from tests.simulator.driver import NODE, OTHER_NODE, REBOOT_VM, VM_ONLY, Driver, instance_path
from tests.simulator.test_check_cli import check
from togetherai_simulator import DEFAULT_API_KEY, InProcessTransport, Simulator, running

THIRD, FOURTH = "cluster-1-node-3", "cluster-1-node-4"
MARKED = "broken [pulumi training/prod node-3 #1 01234567-89abcdef]"

Bend = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Bent(InProcessTransport):
    """Passes answers on as a test wants them."""

    def __init__(self, simulator: Driver, bend: Bend | None) -> None:
        super().__init__(simulator.app)
        self._bend = bend
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = await super().handle_async_request(request)
        await answer.aread()
        return self._bend(request, answer) if self._bend else answer


async def inhabited(simulator: Driver) -> None:
    """A cluster with a replaced VM, some reboots in two states, and a proposal."""
    await simulator.http.post(instance_path(), json={"mode": VM_ONLY, "reason": MARKED})
    await simulator.advance(200)
    for _ in range(3):
        await simulator.http.post(instance_path(OTHER_NODE), json={"mode": REBOOT_VM, "reason": MARKED})
        await simulator.advance(100)
    await simulator.http.post(instance_path(THIRD), json={"mode": REBOOT_VM})
    await simulator.advance(30)
    # Updated first, created last, so that the orders differ.
    await simulator.http.post(instance_path(FOURTH), json={"mode": REBOOT_VM})
    await simulator.advance(45)


async def described(
    settings: dict[str, Any] | None = None, *, bend: Bend | None = None, more: int = 0, empty: bool = False
) -> tuple[Description, list[httpx.Request]]:
    """The description of a simulator with these settings and so many more remediations, and what was asked for it."""
    async with Driver({"seed": 1, "instances": 5, "settings": settings or {}}) as simulator:
        if not empty:
            await inhabited(simulator)
        for _ in range(more):
            await simulator.http.post(instance_path(OTHER_NODE), json={"mode": REBOOT_VM})
        transport = Bent(simulator, bend)
        credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
        async with Client("http://simulator/v1", credential, transport=transport, max_retries=0) as client:
            return await describe(client, "cluster-1"), transport.asked


def told(description: Description) -> dict[str, set[str]]:
    """What was found, by what it is about."""
    found = defaultdict[str, set[str]](set)
    for finding in description.findings:
        found[finding.about].add(finding.told)
    return found


def speaking(**choices: Any) -> dict[str, Any]:
    return {"dialect": choices}


PLAIN = {
    "cluster by its id": "served",
    "list of all instances (`-`)": "served",
    "list of one instance": "served",
    "remediation by its id": "served",
    "remediation that cannot exist": "refused with 404",
    "`has_next`": "always",
    "token of the last page": '""',
    "next page is asked for as": "`page_token`",
    "size of a page is asked for as": "`page_size`",
    "page of 1": "1, more follow",
    "page of 100": "6, the end",
    "page of 1000": "6, the end",
    "filter `state`": "honoured",
    "filter `mode`": "honoured",
    "filter `trigger`": "honoured",
    "several states in one filter": "served as several parameters",
    "order of a list": "newest first",
    "by its id and in the list": "agree",
    "instance's list and the cluster's": "agree",
    "Date header": "sent",
    "unset times": "absent",
    "unset texts": "absent",
    "other unset values": "absent",
    "empty list of remediations": "[]",
    "other empty lists": "absent",
    "names of fields": "snake_case",
    "values of mode": "as in the contract",
    "values of trigger": "as in the contract",
    "values of state": "as in the contract",
    "ids of remediations": "a UUID",
    "ids of instances": "not a UUID",
    "ids of clusters": "not a UUID",
    "ids that the path names": "repeated",
    "form of errors": "JSON: `code`, `message`, `details`",
    "compression, not asked for": "left out",
    "unknown fields of Remediation": "none",
    "unknown values of state": "none",
}


async def test_the_default_is_the_contract():
    description, asked = await described()
    found = told(description)
    assert {about: found[about] for about in PLAIN} == {about: {what} for about, what in PLAIN.items()}
    assert found["paths of a replaced instance"] == {"list: served", "remediation by its id: served"}
    assert found["reasons"] == {"the provider's marker"}
    assert {request.method for request in asked} == {"GET"}
    assert description.requests == len(asked) <= 15


SPOKEN: list[tuple[dict[str, Any], dict[str, str | set[str]]]] = [
    *(
        (speaking(unset_times=word), {"unset times": shown})
        for word, shown in {"null": "null", "empty": '""', "zero": "0001-01-01", "epoch": "1970-01-01"}.items()
    ),
    (speaking(unset_texts="null"), {"unset texts": "null"}),
    (speaking(unset_texts="empty"), {"unset texts": '""'}),
    (speaking(unset_messages="null"), {"other unset values": "null"}),
    (speaking(empty_lists="null"), {"empty list of remediations": "null", "other empty lists": "null"}),
    (speaking(empty_lists="absent"), {"empty list of remediations": "absent", "other empty lists": "absent"}),
    (speaking(has_next="when_true"), {"`has_next`": "only on pages that another one follows"}),
    (speaking(has_next="never"), {"`has_next`": "never"}),
    (speaking(unset_page_token="null"), {"token of the last page": "null"}),
    (speaking(unset_page_token="absent"), {"token of the last page": "absent"}),
    *(
        (speaking(wildcard=status), {"list of all instances (`-`)": f"refused with {status}", "`has_next`": "always"})
        for status in (400, 403, 404, 405, 501)
    ),
    (speaking(filters="ignored"), {f"filter `{name}`": "ignored" for name in ("state", "mode", "trigger")}),
    (speaking(filters="refused"), {f"filter `{name}`": "refused with 400" for name in ("state", "mode", "trigger")}),
    (speaking(order="oldest"), {"order of a list": "oldest first"}),
    (speaking(order="updated"), {"order of a list": "last updated first"}),
    (speaking(order="unordered"), {"order of a list": "none by their times"}),
    (
        speaking(replaced="list_404"),
        {"paths of a replaced instance": {"list: refused with 404", "remediation by its id: served"}},
    ),
    (
        speaking(replaced="all_404"),
        {"paths of a replaced instance": {"list: refused with 404", "remediation by its id: refused with 404"}},
    ),
    (speaking(path_ids="omitted"), {"ids that the path names": "left out"}),
    (speaking(id_case="upper"), {"ids of remediations": "a UUID in upper case"}),
    (
        speaking(enums="short"),
        {"values of mode": "without the prefix", "values of state": "as in the contract"},
    ),
    (
        speaking(enums="lower"),
        {"values of mode": "without the prefix, in lower case", "values of state": "in lower case"},
    ),
    (speaking(names="camel"), {"names of fields": "camelCase"}),
    (speaking(errors="openai"), {"form of errors": "JSON: `error` with `code`, `message`, `type`, `param`"}),
    (speaking(errors="text"), {"form of errors": "plain text"}),
    (speaking(errors="html"), {"form of errors": "HTML"}),
    (speaking(date="absent"), {"Date header": "not sent", "clock": f"{NOT_TOLD}: no answer has a time"}),
    (speaking(get_lag=1000), {"by its id and in the list": "it is listed, and by its id refused with 404"}),
    (speaking(get_lag=40), {"by its id and in the list": "by its id is earlier"}),
    (speaking(list_lag=40), {"by its id and in the list": "by its id is later"}),
]


@pytest.mark.parametrize(("settings", "expected"), SPOKEN, ids=[str(settings["dialect"]) for settings, _ in SPOKEN])
async def test_what_it_says_is_what_the_dialect_is(settings: dict[str, Any], expected: dict[str, str | set[str]]):
    description, asked = await described(settings)
    found = told(description)
    wanted = {about: what if isinstance(what, set) else {what} for about, what in expected.items()}
    assert {about: found[about] for about in wanted} == wanted
    assert len(asked) <= MOST_REQUESTS


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_the_dialect_it_ends_within_its_requests_and_says_what_it_cannot_tell(seed: int):
    description, asked = await described({"dialect": seed})
    assert description.requests == len(asked) <= MOST_REQUESTS
    assert {request.method for request in asked} == {"GET"}
    for finding in description.findings:
        assert (finding.of == 0) == finding.told.startswith(NOT_TOLD)
        assert 0 <= finding.seen <= finding.of


@pytest.mark.parametrize(
    ("largest", "treatment", "expected"),
    [
        (1000, "clamp", {"larger pages": "help", "page of 100": "100, more follow", "page of 1000": "126, the end"}),
        (100, "clamp", {"larger pages": "do not help: there are 100 in one at most"}),
        (10, "clamp", {"larger pages": "do not help: there are 10 in one at most", "page of 100": "10, more follow"}),
        (100, "refuse", {"larger pages": "are refused with 400", "page of 1000": "refused with 400"}),
    ],
)
async def test_it_says_whether_larger_pages_help(largest: int, treatment: str, expected: dict[str, str]):
    description, _ = await described({"max_page_size": largest, "larger_page": treatment}, more=120)
    found = told(description)
    assert {about: found[about] for about in expected} == {about: {what} for about, what in expected.items()}


async def test_records_that_are_ahead_of_the_date_header_are_noticed():
    description, _ = await described(speaking(date_skew=-300))
    [noticed] = told(description)["clock of records"]
    assert 280 < int(noticed.split()[2]) <= 300
    assert "clock of records" not in told((await described())[0])


async def test_a_short_list_does_not_tell_whether_larger_pages_help():
    description, _ = await described()
    assert told(description)["larger pages"] == {f"{NOT_TOLD}: the list has no more than 100"}


async def test_a_cluster_without_remediations_tells_little_and_the_description_says_so():
    description, _ = await described(empty=True)
    found = told(description)
    for about in ("order of a list", "by its id and in the list", "reasons", "values of mode", "`page token`"):
        assert all(one.startswith(NOT_TOLD) for one in found[about])
    assert found["filter `state`"] == {f"{NOT_TOLD}: it is not refused, but nothing is listed that it would leave out"}


def rewritten(change: Callable[[Any], Any]) -> Bend:
    """Changes what answers hold."""

    def bend(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(answer.status_code, json=change(answer.json()))

    return bend


def everywhere(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    """Changes each message."""

    def within(held: Any) -> Any:
        if isinstance(held, list):
            return [within(one) for one in held]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(held, dict):
            return change({name: within(one) for name, one in held.items()})  # pyright: ignore[reportUnknownVariableType]
        return held

    return rewritten(within)


async def test_fields_and_values_that_nobody_knows_are_named():
    def change(fields: dict[str, Any]) -> dict[str, Any]:
        if "reason" in fields:
            return fields | {"severity_score": 3, "state": "PAUSED"}
        return fields

    found = told((await described(bend=everywhere(change)))[0])
    assert found["unknown fields of Remediation"] == {"severity_score"}
    assert found["unknown values of state"] == {"PAUSED"}


async def test_a_server_that_knows_parameters_by_their_other_name_is_described_so():
    def bend(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "page_token" in request.url.params:
            return httpx.Response(400, json={"error": "no such parameter"})
        return answer

    found = told((await described(bend=bend))[0])
    assert found["next page is asked for as"] == {"`page_token` is refused with 400", "`pageToken`"}
    assert "JSON: `error`" in found["form of errors"]


async def test_a_server_that_takes_one_of_several_values_is_found_out():
    states: list[list[str]] = []

    def bend(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        asked = request.url.params.get_list("state")
        states.append(asked)
        return httpx.Response(200, json={"remediations": []}) if len(asked) > 1 else answer

    found = told((await described(bend=bend))[0])
    assert found["several states in one filter"] == {
        "as several parameters not all of them count",
        "served with commas",
    }


async def test_compression_that_nobody_asked_for_is_seen_though_it_cannot_be_read():
    def bend(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        stream = httpx.ByteStream(b"whatever")
        return httpx.Response(answer.status_code, headers={"Content-Encoding": "gzip"}, stream=stream)

    found = told((await described(bend=bend))[0])
    assert found["compression, not asked for"] == {"done all the same"}
    assert found["answers without a JSON object"] == {"there are some"}


async def test_a_server_that_asks_for_a_pause_is_left_alone():
    description, asked = await described(bend=lambda _request, _answer: httpx.Response(429))
    assert len(asked) == 1
    assert told(description)["not everything was asked"] == {"it asks for a pause (429)"}


async def test_a_request_that_fails_in_passing_is_tried_once_more():
    failed: list[str] = []

    def bend(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        path = str(request.url)
        if path not in failed:
            failed.append(path)
            return httpx.Response(503)
        return answer

    description, asked = await described(bend=bend)
    assert len(asked) == MOST_REQUESTS
    assert told(description)["cluster by its id"] == {"served"}
    assert told(description)["not everything was asked"] == {f"not more than {MOST_REQUESTS} requests"}


# Nothing of anybody

SECRET = "zanzibar"


async def test_no_id_name_or_text_is_in_it():
    """Every text that an answer holds is somebody's, unless it is a value of an enum or a time; and so is the name of a
    field that is no name."""

    def change(fields: dict[str, Any]) -> dict[str, Any]:
        kept = ("mode", "trigger", "state", "next_page_token")
        private = {
            name: f"{SECRET}-{held}"
            if isinstance(held, str) and name not in kept and not re.match(r"\d{4}-\d\d-\d\dT", held)
            else held
            for name, held in fields.items()
        }
        if "remediations" not in fields and "code" not in fields:
            private |= {f"{SECRET}_field": 1, f"{SECRET}-{len(fields)}": 1, "zone": f"{SECRET}_field"}
            private |= {f"{SECRET} said": {f"{SECRET}_deeper": f"{SECRET}"}}
        if "state" in fields:
            private |= {"state": f"{SECRET}-state", "requested_by": "ZANZIBAR", "mode": "ZANZIBAR"}
        return private

    for settings in ({}, speaking(errors="openai"), speaking(errors="text"), speaking(names="camel")):
        description, _ = await described(settings, bend=_planted(change))
        text = "\n".join([*description.lines(), description.json()])
        assert SECRET not in text.lower()
        for private in ("cluster-1", NODE, OTHER_NODE, DEFAULT_API_KEY, "simulator", "training"):
            assert private not in text
        assert "one that may be private" in text
        assert "zone" in text


def _planted(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    """Private things wherever a server may write them: in bodies, in errors and in headers."""
    bend = everywhere(change)

    def planted(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        try:
            json.loads(answer.content)
        except ValueError:
            answer = httpx.Response(answer.status_code, text=f"{SECRET} {DEFAULT_API_KEY} simulator")
        else:
            answer = bend(request, answer)
        answer.headers["Server"] = SECRET
        return answer

    return planted


# The command


@pytest.fixture(scope="module")
def simulator():
    with running({"instances": 3}) as process:
        yield process


def test_the_command_prints_the_description_alone(simulator: Simulator):
    code, lines = check("cluster-1", "--describe", address=simulator.address)
    assert code == 0
    assert lines[0].startswith("How this API speaks, as far as ")
    assert not [line for line in lines if "cluster-1" in line or "127.0.0.1" in line or "TOGETHER" in line]
    code, lines = check("cluster-1", "--describe", "--json", address=simulator.address)
    told = json.loads("\n".join(lines))
    assert (code, set(told)) == (0, {"version", "requests", "findings"})
    assert {"about", "told", "seen", "of"} == set(told["findings"][0])
