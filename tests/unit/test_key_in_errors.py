"""Whatever part of an answer repeats the API key, the error that speaks of the answer does not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import ApiError

pytestmark = pytest.mark.looptime(resolution=1e-9)  # backing off takes no time: the loop's clock jumps

KEY = "tgp-marked-7c1e90b2d4"
RECORD = {
    "id": "r1",
    "cluster_id": "c1",
    "instance_id": "i7",
    "mode": "REMEDIATION_MODE_REBOOT_VM",
    "trigger": "REMEDIATION_TRIGGER_MANUAL",
    "state": "PENDING",
}
WITH_KEY = f"no: Bearer {KEY} is not valid"


def refused(status: int = 403, message: str = WITH_KEY, **more: Any) -> httpx.Response:
    return httpx.Response(status, content=json.dumps({"code": 7, "message": message}).encode(), **more)


def phrased(status: int, body: bytes = b"") -> httpx.Response:
    return httpx.Response(status, content=body, extensions={"reason_phrase": WITH_KEY.encode()})


ANSWERS: dict[str, Callable[[], httpx.Response | Exception]] = {
    "message": refused,
    "message that is cut off": lambda: refused(message="x" * 290 + KEY),
    "reason phrase": lambda: phrased(403, b"<html>"),
    "reason phrase of a server error": lambda: phrased(502),
    "Content-Encoding": lambda: httpx.Response(200, content=b"{}", headers={"Content-Encoding": KEY}),
    "Location": lambda: httpx.Response(302, headers={"Location": f"https://elsewhere.test/?key={KEY}"}),
    "id": lambda: httpx.Response(200, json=RECORD | {"id": KEY}),
    "cluster_id": lambda: httpx.Response(200, json=RECORD | {"cluster_id": KEY}),
    "instance_id": lambda: httpx.Response(200, json=RECORD | {"instance_id": KEY}),
    "mode": lambda: httpx.Response(200, json=RECORD | {"mode": {KEY: 1}}),
    "time": lambda: httpx.Response(200, json=RECORD | {"create_time": KEY}),
    "field": lambda: httpx.Response(200, json=RECORD | {"linked_alerts": {KEY: KEY}}),
    "body": lambda: httpx.Response(200, content=f'{{"{KEY}'.encode()),
    "broken connection": lambda: httpx.ReadError(WITH_KEY),
    "connection that was not made": lambda: httpx.ConnectError(WITH_KEY),
}


async def get(client: Client) -> object:
    return await client.get_remediation("c1", "i7", "r1")


async def list_all(client: Client) -> object:
    return await client.list_remediations("c1", "i7")


async def create(client: Client) -> object:
    return await client.create_remediation(
        "c1", "i7", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="r1"
    )


@pytest.mark.parametrize("part", ANSWERS)
@pytest.mark.parametrize("operation", [get, list_all, create])
async def test_the_key_is_in_no_error(part: str, operation: Callable[[Client], Awaitable[object]]):
    class Api(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = ANSWERS[part]()
            if isinstance(answer, Exception):
                raise answer
            return answer

    credential = Credential(SecretStr(KEY), "the environment variable TOGETHER_API_KEY")
    async with Client("https://api.test/v1", credential, transport=Api(), max_retries=0) as client:
        told = ApiError("get remediation", "nothing went wrong")
        try:
            await operation(client)
        except ApiError as error:
            told = error
    for text in (str(told), told.message, repr(told)):
        assert KEY not in text
