"""What happens to a request to the API, in this order: journal, faults, key, operation, disk, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from togetherai_simulator.access import Access, check_allowed
from togetherai_simulator.bodies import MAX_BODY
from togetherai_simulator.errors import Refusal, rate_limited, refused_with
from togetherai_simulator.faults import FaultRule, Faults
from togetherai_simulator.journal import Entry, Journal
from togetherai_simulator.operations import Answer, Call, Operation, check_served
from togetherai_simulator.platform import Platform
from togetherai_simulator.spoken import speak, speak_refusal

HTML_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
"""The answer of a broken proxy in front of the service, here with status 200."""


class ConnectionDropped(ConnectionError):
    """The server must close the connection: the client must get no (further) answer."""


class Endpoint:
    """One path of the API with the operations on it."""

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        platform: Platform,
        access: Access,
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._operations = {operation.method: operation for operation in operations}
        self._platform = platform
        self._access = access
        self._faults = faults
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _receive_body(receive) if scope["method"] != "GET" else b""
        entry = self._journal.open(
            self._platform.now, scope["method"], scope["path"], scope["query_string"].decode("latin-1"), body or b""
        )
        try:
            operation = self._operations.get(scope["method"])
            faults = self._faults.draw(operation.name) if operation else []
            entry.fault = "+".join(fault.kind for fault in faults) or None
            answer = await self._struck(operation, scope, body, entry, faults)
            breaking = [fault for fault in faults if fault.kind in ("truncated", "malformed", "html", "drip")]
            await self._send(send, answer, entry, next(iter(breaking), None))
        finally:
            self._journal.close(entry)

    async def _struck(
        self, operation: Operation | None, scope: Scope, body: bytes | None, entry: Entry, faults: list[FaultRule]
    ) -> Answer:
        """The answer, after the faults that strike the request before and after it takes effect."""
        for fault in faults:
            match fault.kind:
                case "latency" if not fault.after:
                    await asyncio.sleep(fault.seconds)
                case "rate_limit":
                    return self._refuse(rate_limited(round(fault.seconds)))
                case "error" if not fault.after:
                    return self._refuse(_injected(fault))
                case "drop_before":
                    raise ConnectionDropped
                case _:
                    pass
        answer = self._perform(operation, scope, body)
        entry.effect = answer.effect
        for fault in faults:
            match fault.kind:
                case "latency" if fault.after:
                    await asyncio.sleep(fault.seconds)
                case "error" if fault.after:
                    return self._refuse(_injected(fault))
                case "drop_after":
                    raise ConnectionDropped
                case _:
                    pass
        return answer

    def _perform(self, operation: Operation | None, scope: Scope, body: bytes | None) -> Answer:
        """Carries the operation out without a pause, so nothing else happens between its checks and its changes."""
        try:
            if operation is None:
                allowed = ", ".join(sorted(self._operations))
                raise Refusal(
                    "UNIMPLEMENTED",
                    f"{scope['method']} is not allowed here, only {allowed}",
                    http_status=405,
                    headers={"Allow": allowed},
                )
            headers = dict[bytes, bytes](scope["headers"])
            key = self._access.authenticate(headers.get(b"authorization"))
            path: dict[str, str] = scope["path_params"]
            check_allowed(key, path.get("cluster_id"), write=operation.method != "GET")
            if body is None:
                raise Refusal("RESOURCE_EXHAUSTED", f"the body is longer than {MAX_BODY} bytes", http_status=413)
            self._platform.catch_up()
            check_served(self._platform, operation, path)
            content_type = headers.get(b"content-type", b"").decode("latin-1")
            call = Call(path, scope["query_string"].decode("latin-1"), content_type, body, key)
            answer = operation.handler(self._platform, call)
            return speak(answer, operation, path, self._platform.settings.dialect)
        except Refusal as refusal:
            return self._refuse(refusal)
        finally:
            self._platform.commit()

    def _refuse(self, refusal: Refusal) -> Answer:
        return speak_refusal(refusal, self._platform.settings.dialect)

    async def _send(self, send: Send, answer: Answer, entry: Entry, breaking: FaultRule | None) -> None:
        status, body, content_type = answer.status, answer.body, answer.content_type
        kind = breaking.kind if breaking else None
        if kind == "malformed":
            body = body[:-1] + b",}"
        elif kind == "html":
            body, content_type = HTML_PAGE, "text/html; charset=utf-8"
        if status == 204 and body:
            # With 204 there would be no place for it.
            status = 200
        headers = {"content-type": content_type} if content_type else {}
        if status != 204:
            headers["content-length"] = str(len(body))
        headers |= date_header(self._platform) | answer.headers
        entry.status = status
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        if kind == "truncated":
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            raise ConnectionDropped
        if breaking is not None and kind == "drip":
            for index in range(len(body)):
                await send({"type": "http.response.body", "body": body[index : index + 1], "more_body": True})
                await asyncio.sleep(breaking.seconds / len(body))
            body = b""
        await send({"type": "http.response.body", "body": body})


async def _receive_body(receive: Receive) -> bytes | None:
    """The request's body; None if it is too long."""
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionDropped
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        # A body that is too long is read to its end anyway; otherwise the client would never read the answer.
        if length <= MAX_BODY:
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if length <= MAX_BODY else None


def _injected(fault: FaultRule) -> Refusal:
    return refused_with(fault.status, f"injected fault: HTTP {fault.status}")


def date_header(platform: Platform) -> dict[str, str]:
    """The Date header, if the dialect in force has one."""
    dialect = platform.settings.dialect
    if dialect.date == "absent":
        return {}
    return {"date": _http_date(int(platform.now.timestamp() + dialect.date_skew))}


@lru_cache(maxsize=8)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
