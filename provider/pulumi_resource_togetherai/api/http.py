"""Sends one request: limits it, repeats it where that is safe, and reads its answer or turns it into an error."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.api.believable import believable_now, problem
from pulumi_resource_togetherai.api.errors import (
    GRPC_CODES,
    AnswerContradicts,
    AnswerLost,
    AnswerTooLarge,
    AnswerUnreadable,
    ApiError,
    CredentialRefused,
    NotReached,
    RateLimited,
    Withheld,
    status_error_type,
)
from pulumi_resource_togetherai.api.models import ApiModel, RpcStatus
from pulumi_resource_togetherai.api.retry import LONGEST_RETRY_AFTER, retrying
from pulumi_resource_togetherai.harmless import quoted
from pulumi_resource_togetherai.telemetry.request import Exchange, telling

AT_ONCE = 16
"""How many requests about one cluster may be under way at once; more wait for their turn. A cluster that does not
answer therefore delays only requests about itself."""
LARGEST_ANSWER = 16 * 2**20
"""The longest answer that the client reads, in bytes. A page of 1000 remediations has some 550,000."""

Answer = TypeVar("Answer", bound=ApiModel)
Params = dict[str, str | int | list[str]]


@dataclass(frozen=True)
class Credential:
    """An API key and where it came from, so that an error can name the place and never the key."""

    api_key: SecretStr
    source: str


@dataclass(frozen=True)
class Request(Generic[Answer]):
    """One request, and what its answer has to be."""

    operation: str
    """What the request is for, as error messages name it."""
    method: str
    path: str
    answer: type[Answer]
    wrong: Callable[[Answer], str]
    """Returns what is wrong with an answer that can be read; empty if nothing is."""
    params: Params | None = None
    body: dict[str, Any] | None = None
    starts: bool = False
    """Whether it may start a remediation."""


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
        without_proxy: bool,
    ) -> None:
        """`request_timeout` is in seconds, per try. `transport` replaces the network. `without_proxy`: whether to
        ignore the environment's proxies, which could read what is sent unencrypted."""
        self._credential = credential
        self._max_retries = max_retries
        self._base_url = base_url
        self._request_timeout = request_timeout
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=request_timeout,
            transport=transport,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE),
            trust_env=not without_proxy,
            follow_redirects=False,
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
        """The time on the server's clock, as far as its answers show it and within reason (see `believable_now`). So a
        wrong clock on this machine makes no age wrong."""
        ours = datetime.now(UTC)
        if self._server_time is None:
            return ours
        told, at = self._server_time
        return believable_now(told + timedelta(seconds=asyncio.get_running_loop().time() - at), ours)

    async def send(self, request: Request[Answer]) -> Answer:
        """Sends a request, repeats it where that is safe, and reads its answer."""
        async for attempt in retrying(is_read=request.method == "GET", max_retries=self._max_retries):
            with attempt:
                return await self._in_turn(request, resends=attempt.retry_state.attempt_number - 1)
        raise AssertionError("the retry loop ends by returning or raising")

    async def _in_turn(self, request: Request[Answer], *, resends: int) -> Answer:
        """Sends one request once its cluster has room for it and the server no longer asks to wait. `resends`: how
        many tries came before."""
        cluster_id = request.path.split("/")[3]
        async with self._turns[cluster_id]:
            await asyncio.sleep(self._resume_at - asyncio.get_running_loop().time())
            if request.starts and self._starts_no_more:
                raise Withheld(request.operation, "not sent, because the run was interrupted")
            try:
                with telling(request.method, self._base_url, request.path, resends=resends) as exchange:
                    return await self._send_once(request, exchange)
            except RateLimited as error:
                asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
                self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + asked)
                raise

    async def _send_once(self, request: Request[Answer], exchange: Exchange) -> Answer:
        operation = request.operation
        try:
            # httpx limits each read, this timeout the whole answer: a slow body must not hold the caller up forever.
            async with (
                asyncio.timeout(self._request_timeout),
                self._client.stream(request.method, request.path, params=request.params, json=request.body) as response,
            ):
                exchange.status = response.status_code
                content = await self._read(operation, response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotReached(operation, f"cannot reach {self._base_url} ({str(error) or 'timeout'})") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise AnswerLost(operation, f"{self._base_url} did not answer in time") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise AnswerLost(operation, f"the connection to {self._base_url} broke ({error})") from error
        except httpx.InvalidURL as error:
            raise NotReached(operation, f"{self._base_url} is not a usable address ({error})") from error
        self._note_server_time(response)
        if response.status_code >= 300:
            raise self._error(operation, response, content)
        try:
            answer = request.answer.model_validate_json(content)
        except (ValidationError, RecursionError) as error:
            raise AnswerUnreadable(
                operation,
                f"{self._base_url} answered {response.status_code} with a body that cannot be read ({problem(error)})",
            ) from error
        if contradiction := request.wrong(answer):
            raise AnswerContradicts(operation, f"{self._base_url} gave an answer that cannot be right: {contradiction}")
        return answer

    async def _read(self, operation: str, response: httpx.Response) -> bytes:
        """The body. Raises an error if it is compressed or too long."""
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise AnswerUnreadable(
                operation, f"{self._base_url} sent an answer in the encoding {quoted(encoding)}, which nobody asked for"
            )
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > LARGEST_ANSWER:
                raise AnswerTooLarge(
                    operation,
                    f"{self._base_url} answered with more than {LARGEST_ANSWER // 2**20} MiB, which is more than the "
                    "provider reads",
                )
        return bytes(content)

    def _note_server_time(self, response: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        told = told if told.tzinfo else told.replace(tzinfo=UTC)
        self._server_time = (told, asyncio.get_running_loop().time())
        self.clock_ahead = (told - datetime.now(UTC)).total_seconds()

    def _error(self, operation: str, response: httpx.Response, content: bytes) -> ApiError:
        kind = status_error_type(response.status_code)
        try:
            status = RpcStatus.model_validate_json(content)
            code, message = GRPC_CODES.get(status.code, ""), quoted(self._without_key(status.message))
        except (ValidationError, RecursionError):
            code, message = "", ""
        if response.is_redirect:
            message = (
                f"{self._base_url} redirects to {quoted(self._without_key(response.headers['Location']))}, but the API "
                "key is sent only to the configured address"
            )
        reason = quoted(response.reason_phrase)
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

    def _without_key(self, text: str) -> str:
        """The text without the API key: some services repeat the key that they refuse."""
        return text.replace(self._credential.api_key.get_secret_value(), "[the API key]")


def _retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds; the header holds seconds or a date."""
    header = response.headers.get("Retry-After")
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
