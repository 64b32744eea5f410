"""Sends one request: limits it, repeats it where that is safe, and reads its answer or turns it into an error.

This is the one boundary of errors: whatever goes wrong while a request is sent or its answer read, headers included,
leaves as an `ApiError` that says whether the request may have taken effect.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import isfinite
from typing import Any, Generic, TypeVar, cast

import httpx
import pydantic_core
from pydantic import SecretStr

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.api.asked import Contradiction, Unusable
from pulumi_resource_togetherai.api.errors import (
    GRPC_CODES,
    AnswerContradicts,
    AnswerLost,
    AnswerTooLarge,
    AnswerUnreadable,
    ApiError,
    CredentialRefused,
    NotSendable,
    StatusError,
    Withheld,
    status_error_type,
)
from pulumi_resource_togetherai.api.network import Network, network
from pulumi_resource_togetherai.api.plausible import LATEST, plausible_clock
from pulumi_resource_togetherai.api.retry import LONGEST_RETRY_AFTER, retrying
from pulumi_resource_togetherai.api.sending import Sending
from pulumi_resource_togetherai.api.unreached import not_reached
from pulumi_resource_togetherai.sanitize import quoted
from pulumi_resource_togetherai.telemetry.request import Exchange, instrumented

AT_ONCE = 16
"""How many requests about one cluster may be under way at once; more wait for their turn. A cluster that does not
answer therefore delays only requests about itself."""
LARGEST_ANSWER = 16 * 2**20
"""The longest answer that the client reads, in bytes. A page of 1000 remediations has some 550,000."""
LARGEST_ERROR = 2**16
"""How much of an error's body the client reads, in bytes."""

_NEVER_LEFT = (httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures of the way to the API, before the request."""

Answer = TypeVar("Answer")
Params = dict[str, str | int | list[str]]


@dataclass(frozen=True)
class Credential:
    """An API key and where it came from, so that an error can name the place and never the key."""

    api_key: SecretStr
    source: str


@dataclass(frozen=True)
class Request(Generic[Answer]):
    """One request, and how its answer is read."""

    operation: str
    """What the request is for, as error messages name it."""
    method: str
    path: str
    read: Callable[[Any, int], Answer]
    """Reads a body (None if there is none) of so many bytes. Raises Unusable."""
    params: Params | None = None
    body: dict[str, Any] | None = None
    starts: bool = False
    """Whether it may start a remediation."""


@dataclass(frozen=True)
class Look:
    """An answer as it came, whatever its status says."""

    status: int
    headers: Mapping[str, str]
    """By name, in any case."""
    content: bytes
    """The body, of an error's only the beginning; empty if it is compressed."""

    @property
    def encoding(self) -> str:
        """How the body is compressed; empty if it is not."""
        return _encoding(self.headers)

    @property
    def served(self) -> bool:
        """Whether the API did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """What the body holds; None for an empty one. Raises Unusable."""
        return _parsed(self.content)


class Http:
    """The connections to one API for one account. Every method raises a subclass of `ApiError`."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        *,
        request_timeout: float,
        max_retries: int,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        """`request_timeout` is in seconds, per try. `transport` replaces the network. Raises NetworkSettingError."""
        self.network = Network() if transport else network(base_url)
        """Through which proxy the requests go, and whose certificates count."""
        self._credential = credential
        self._max_retries = max_retries
        self._base_url = base_url
        self._request_timeout = request_timeout
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=request_timeout,
            transport=transport,
            proxy=_proxy(self.network),
            verify=self.network.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # one that trusts nobody
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # the API key is all that identifies us
            headers={
                "Authorization": f"Bearer {credential.api_key.get_secret_value()}",
                "User-Agent": f"pulumi-togetherai/{__version__}",
                # A few compressed bytes can unpack to gigabytes. Uncompressed ones can be counted as they arrive.
                "Accept-Encoding": "identity",
            },
        )
        self._server_time: tuple[datetime, float] | None = None
        self.clock_ahead: float | None = None
        """By how many seconds the server's clock was ahead of this machine's when it last sent its time."""
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self.sent = Counter[str]()
        """How many requests were sent about each cluster, by its id as it is in paths."""
        self._resume_at = 0.0
        """Until when, on the event loop's clock, the server has asked the client to send nothing."""
        self._starts_no_more = False

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def start_no_more(self) -> None:
        """From now on `send` raises Withheld instead of sending a request that may start a remediation, even if that
        request already waits for its turn or its next try."""
        self._starts_no_more = True

    def now(self) -> datetime:
        """The time on the server's clock, as far as its answers show it and within reason (see `plausible_clock`). So a
        wrong clock on this machine makes no age wrong."""
        ours = datetime.now(UTC)
        if self._server_time is None:
            return ours
        server_time, at = self._server_time
        return plausible_clock(server_time + timedelta(seconds=asyncio.get_running_loop().time() - at), ours)

    async def send(self, request: Request[Answer]) -> Answer:
        """Sends a request, repeats it where that is safe, and reads its answer."""
        async for attempt in retrying(is_read=request.method == "GET", max_retries=self._max_retries):
            with attempt:
                return await self._in_turn(request, resends=attempt.retry_state.attempt_number - 1)
        raise AssertionError("the retry loop ends by returning or raising")

    async def look(self, path: str, params: Params) -> Look:
        """Sends a GET once, and returns what was answered: for those who ask how the API speaks."""
        request = Request("look", "GET", path, lambda body, _: body, params=params)
        with instrumented("GET", self._base_url, path, resends=0) as exchange:
            return await self._send_once(request, exchange, _as_it_came)

    async def _in_turn(self, request: Request[Answer], *, resends: int) -> Answer:
        """Sends one request once its cluster has room for it and the server no longer asks to wait. `resends`: how
        many tries came before."""
        cluster_id = "".join(request.path.split("/")[3:4])  # none in the list of all clusters
        async with self._turns[cluster_id]:
            await asyncio.sleep(self._resume_at - asyncio.get_running_loop().time())
            if request.starts and self._starts_no_more:
                raise Withheld(request.operation, "not sent, because the run was interrupted")
            self.sent[cluster_id] += 1
            try:
                with instrumented(request.method, self._base_url, request.path, resends=resends) as exchange:
                    return await self._send_once(request, exchange, partial(self._judged, request))
            except StatusError as error:
                asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER) if error.transient else 0.0
                self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + asked)
                raise

    async def _send_once(
        self, request: Request[Any], exchange: Exchange, interpret: Callable[[httpx.Response, bytes], Answer]
    ) -> Answer:
        try:
            return interpret(*await self._exchanged(request, exchange))
        except ApiError as error:
            failure = error
        except Exception as error:
            failure = self._unusable(request.operation, error)
            failure.__cause__ = error
        failure.accepted = exchange.status is not None and 200 <= exchange.status < 300
        raise failure.without(self._key)

    async def _exchanged(self, request: Request[Any], exchange: Exchange) -> tuple[httpx.Response, bytes]:
        operation, sending = request.operation, Sending()
        try:
            sent = self._client.build_request(
                request.method, request.path, params=request.params, json=request.body, extensions={"trace": sending}
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise NotSendable(operation, f"{self._base_url} is not a usable address ({error})") from error
        try:
            # httpx limits each read, this timeout the whole answer: a slow body must not hold the caller up forever.
            async with asyncio.timeout(self._request_timeout):
                response = await self._client.send(sent, stream=True)
                try:
                    exchange.status = response.status_code
                    content = await self._read(operation, response)
                finally:
                    await response.aclose()
        except ApiError:
            raise
        except Exception as error:
            raise self._failure(operation, error, sending) from error
        self._note_server_time(response)
        return response, content

    def _failure(self, operation: str, error: Exception, sending: Sending) -> ApiError:
        """Why an exchange failed, and whether the request may have taken effect."""
        if sending.has_not_left or isinstance(error, _NEVER_LEFT):
            return not_reached(operation, self._base_url, self.network, error)
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return AnswerLost(operation, f"{self._to} did not answer in time")
        if isinstance(error, httpx.TransportError | httpx.DecodingError):
            return AnswerLost(operation, f"the connection to {self._to} broke ({error})")
        if isinstance(error, httpx.InvalidURL):
            return NotSendable(operation, f"{self._base_url} is not a usable address ({error})")
        return self._unusable(operation, error)

    def _unusable(self, operation: str, error: Exception) -> ApiError:
        """A defect of a library, or of an answer that nobody thought of."""
        why = f"{type(error).__name__}: {quoted(str(error))}"
        return AnswerUnreadable(operation, f"the answer of {self._to} cannot be used ({why})")

    @property
    def _to(self) -> str:
        """Where requests go, in words."""
        return f"{self._base_url} through the proxy {self.network.proxy}" if self.network.proxy else self._base_url

    def _judged(self, request: Request[Answer], response: httpx.Response, content: bytes) -> Answer:
        """What was asked for. Raises ApiError if the answer is something else."""
        operation = request.operation
        if response.status_code >= 300:
            raise self._error(operation, response, content)
        if encoding := _encoding(response.headers):
            shown = quoted(self._without_key(encoding))
            raise AnswerUnreadable(
                operation, f"{self._base_url} sent an answer in the encoding {shown}, which nobody asked for"
            )
        try:
            return request.read(_parsed(content), len(content))
        except Contradiction as error:
            raise AnswerContradicts(
                operation, f"{self._base_url} gave an answer that cannot be right: {error}"
            ) from error
        except Unusable as error:
            raise AnswerUnreadable(
                operation, f"{self._base_url} answered {response.status_code} with a body that cannot be read ({error})"
            ) from error

    async def _read(self, operation: str, response: httpx.Response) -> bytes:
        """The body. Of an error's as much as is needed, since its status says the most; of a compressed one nothing.
        Raises an error if an answer is too long."""
        failed = response.status_code >= 300
        if _encoding(response.headers):
            return b""
        content = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                content += chunk
                if failed and len(content) >= LARGEST_ERROR:
                    break
                if len(content) > LARGEST_ANSWER:
                    raise AnswerTooLarge(
                        operation,
                        f"{self._base_url} answered with more than {LARGEST_ANSWER // 2**20} MiB, which is more than "
                        "the provider reads",
                    )
        except httpx.TransportError:
            if not failed:
                raise
        return bytes(content)

    def _note_server_time(self, response: httpx.Response) -> None:
        date = _time(response.headers.get("Date"))
        if date is not None:
            self._server_time = (date, asyncio.get_running_loop().time())
            self.clock_ahead = (date - datetime.now(UTC)).total_seconds()

    def _error(self, operation: str, response: httpx.Response, content: bytes) -> ApiError:
        kind = status_error_type(response.status_code)
        code, message = _explained(self._without_key(content.decode("utf-8", "replace")))
        if response.is_redirect:
            to = quoted(self._without_key(response.headers.get("Location", "nowhere")))
            message = f"{self._base_url} redirects to {to}, but the API key is sent only to the configured address"
        reason = quoted(self._without_key(response.reason_phrase))
        if self.network.proxy and self._base_url.startswith("http:"):
            if response.status_code == 407:
                refused = httpx.ProxyError(f"407 {reason}")
                return not_reached(operation, self._base_url, self.network, refused)
            if response.status_code in (502, 503, 504):
                reason = f"{reason}; it may come from the proxy {self.network.proxy}"
        message = message or f"{reason} (an answer that is not the API's)".lstrip()
        if kind is CredentialRefused:
            message = f"{message}. The API key came from {self._credential.source}"
        return kind(
            operation,
            f"{response.status_code} {code}: {message}" if code else f"{response.status_code}: {message}",
            http_status=response.status_code,
            code=code,
            retry_after=_retry_after(response),
        )

    @property
    def _key(self) -> str:
        return self._credential.api_key.get_secret_value()

    def _without_key(self, text: str) -> str:
        """The text without the API key, before it is cut off in the middle of it."""
        return text.replace(self._key, "[the API key]")


def _proxy(network: Network) -> httpx.Proxy | None:
    """The proxy as httpx wants it. Older ones know socks5 only, and mean socks5h: the proxy looks the name up."""
    proxy = network.proxy
    if proxy is None:
        return None
    url = proxy.url.replace("socks5h:", "socks5:")
    logging.getLogger("httpcore.socks").setLevel(logging.INFO)  # to those who debug it would show the password
    return httpx.Proxy(url, auth=proxy.user, ssl_context=network.tls if url.startswith("https:") else None)


def _as_it_came(response: httpx.Response, content: bytes) -> Look:
    return Look(response.status_code, response.headers, content)


def _encoding(headers: Mapping[str, str]) -> str:
    """How a body is compressed; empty if it is not."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


def _parsed(content: bytes) -> Any:
    """The JSON of a body; None for an empty one. Raises Unusable."""
    if not content.strip():
        return None
    try:
        return pydantic_core.from_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise Unusable(f"it is not JSON: {quoted(str(error))}") from error


def _explained(text: str) -> tuple[str, str]:
    """The code and the message of an error's body: google.rpc.Status, or one of the other shapes that gateways and web
    frameworks give errors. Both empty if it has none of them."""
    try:
        body = _parsed(text.encode())
    except Unusable:
        return "", ""
    for _ in range(2):  # {"error": {...}} wraps what others send plainly
        if not isinstance(body, Mapping):
            break
        said = cast(Mapping[str, Any], body)
        code, inner = said.get("code"), said.get("error")
        name = GRPC_CODES.get(code, "") if isinstance(code, int) else ""
        if isinstance(code, str) and code.upper() in GRPC_CODES.values():
            name = code.upper()
        message = next((said[key] for key in ("message", "detail", "title", "error") if _is_text(said.get(key))), "")
        if message or not isinstance(inner, Mapping):
            return name, quoted(message)
        body = cast(Mapping[str, Any], inner)
    return "", ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _time(header: str | None) -> datetime | None:
    """The time that a header tells; None if it tells none, or one so late that nothing can be added to it."""
    if header is None:
        return None
    try:
        date = parsedate_to_datetime(header)
        date = (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date < LATEST else None


def _retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds; the header holds seconds or a date."""
    header = response.headers.get("Retry-After")
    if header is None:
        return None
    try:
        asked = float(header)
    except ValueError:
        date = _time(header)
        asked = (date - datetime.now(UTC)).total_seconds() if date else float("nan")
    return max(0.0, asked) if isfinite(asked) else None
