"""The published contract, served by Prism: answers that fit the schema to the letter, and are about something else.

Prism invents every id, time and page token anew: whoever believes an answer because it can be read takes a stranger's
repair for a success, and follows a list without end.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import AnswerContradicts, ApiError
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.functions.function import GET_REMEDIATION, GET_REMEDIATIONS
from pulumi_resource_togetherai.operation.results import Recorded
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.contract.test_openapi import PUBLISHED
from tests.model.world import Telling

VERSION = "5.16.0"
TOOLS = Path(__file__).parents[2] / ".tools" / "prism"
URN = "urn:pulumi:prod::training::togetherai:index:Remediation::fix"
NODE = {"clusterId": "cluster-1", "instanceId": "cluster-1-node-1"}
OURS = NODE | {"mode": "REBOOT_VM", "timeout": "4s"}
RECORD = {
    "remediationId": "r1",
    "state": "PENDING",
    "mode": "REMEDIATION_MODE_REBOOT_VM",
    "trigger": "REMEDIATION_TRIGGER_MANUAL",
    "attempt": 1,
}

pytestmark = [
    pytest.mark.skipif(not PUBLISHED.exists(), reason="the published OpenAPI document is not beside this repository"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on PATH to get Prism with"),
]


@pytest.fixture(scope="module")
def prism() -> Generator[str]:
    """Its address."""
    command = TOOLS / "node_modules" / ".bin" / "prism"
    if not command.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", f"@stoplight/prism-cli@{VERSION}"]
        subprocess.run([*install, "--prefix", str(TOOLS)], check=True, capture_output=True, timeout=300)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["mock", "--dynamic", "--host", "127.0.0.1", "--port", str(port), str(PUBLISHED)]
    process = subprocess.Popen([str(command), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        gives_up = time.monotonic() + 60
        while time.monotonic() < gives_up:
            try:
                httpx.get(address)
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


class Counting(httpx.AsyncHTTPTransport):
    """The network; counts what is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Counter[str]()
        self.posts = 0
        """How many POSTs took effect, as it says. One that it refuses with 422 is sent again without the key."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked[f"{request.method} {request.url.path.rpartition('/')[2]}"] += 1
        response = await super().handle_async_request(request)
        self.posts += request.method == "POST" and response.is_success
        return response


NOT_BELIEVED = re.compile(r"gave an answer that cannot be right: .*(r1|cluster-1| its )|can(not)? be read\b.*\bits ")
"""About something else than asked, or beyond reason: which of them a record is, Prism leaves to chance."""
Operation = Callable[[Session, Telling], Awaitable[Any]]
OPERATIONS: dict[str, Operation] = {
    "create": lambda session, told: resource(session).create(URN, OURS, told),
    "create beside others": lambda session, told: resource(session).create(URN, OURS | {"ifActive": "CREATE"}, told),
    "import": lambda session, told: resource(session).read(URN, "cluster-1/cluster-1-node-1/r1", None, told),
    "refresh": lambda session, told: resource(session).read(URN, "cluster-1/cluster-1-node-1/r1", recorded(), told),
    "update": lambda session, told: resource(session).update(URN, recorded(), OURS, told),
    "delete": lambda session, told: resource(session).delete(URN, recorded(), told),
    "approve": lambda session, told: review(session, "APPROVE", told),
    "reject": lambda session, told: review(session, "REJECT", told),
}


def resource(session: Session) -> RemediationResource:
    return RemediationResource(session, keeps_unfinished=True)


def recorded() -> Recorded:
    return Recorded(OURS, OURS | RECORD)


def review(session: Session, decision: str, told: Telling) -> Awaitable[Any]:
    declared = NODE | {"remediationId": "r1", "decision": decision}
    return ReviewResource(session, keeps_unfinished=True).create(URN, declared, told)


def asking(prism: str) -> tuple[Client, Counting]:
    transport = Counting()
    credential = Credential(SecretStr("any-key"), "the test")
    return Client(prism, credential, request_timeout=5, max_retries=1, transport=transport), transport


@pytest.mark.parametrize("name", OPERATIONS)
async def test_nothing_that_it_says_is_believed(prism: str, name: str):
    client, transport = asking(prism)
    session, told = (
        Session(ProviderConfig.model_validate({"pollInterval": "100ms", "maxRetries": 1}), client),
        Telling(),
    )
    try:
        with pytest.raises(OperationError) as caught:
            await OPERATIONS[name](session, told)
    finally:
        await session.close()
    # An empty list it may invent as well: then the POST is right, and its answer is a stranger's.
    assert transport.posts <= ("create" in name)
    if not any(asked.startswith("POST") for asked in transport.asked):
        assert NOT_BELIEVED.search(str(caught.value)), str(caught.value)
    assert transport.asked.total() <= 10


@pytest.mark.parametrize("function", [GET_REMEDIATION, GET_REMEDIATIONS], ids=lambda function: function.name)
async def test_a_lookup_shows_no_strangers_record(prism: str, function: Any):
    client, _ = asking(prism)
    arguments = NODE | ({"remediationId": "r1"} if function is GET_REMEDIATION else {})
    said = ""
    try:
        found = await function.answer(ProviderConfig(), arguments, client)
    except OperationError as error:
        said, found = str(error), None
    assert NOT_BELIEVED.search(said) if found is None else found.remediations == []


@pytest.mark.parametrize("operation", ["approve", "reject", "cancel"])
async def test_the_answer_to_a_write_is_no_record_of_ours(prism: str, operation: str):
    client, _ = asking(prism)
    async with client:
        with pytest.raises(AnswerContradicts, match="gave an answer that cannot be right"):
            await getattr(client, f"{operation}_remediation")("cluster-1", "cluster-1-node-1", "r1")


async def test_the_answer_to_a_create_is_no_record_of_ours(prism: str):
    client, _ = asking(prism)
    async with client:
        with pytest.raises(ApiError):  # Prism answers some with an error of its own
            await client.create_remediation(
                "cluster-1", "cluster-1-node-1", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="k"
            )
