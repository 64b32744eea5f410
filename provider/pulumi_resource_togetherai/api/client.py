"""An async client of the remediation API: one method per operation, typed answers, typed errors."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr, ValidationError

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.api.enums import TERMINAL_STATES, RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.errors import (
    GRPC_CODES,
    AnswerLost,
    AnswerUnreadable,
    ApiError,
    CredentialRefused,
    NotReached,
    RateLimited,
    Refused,
    Withheld,
    status_error_type,
)
from pulumi_resource_togetherai.api.models import ApiModel, Cluster, Remediation, RemediationPage, RpcStatus
from pulumi_resource_togetherai.api.retry import LONGEST_RETRY_AFTER, retrying

ALL_INSTANCES = "-"
"""In place of an instance id: every instance of the cluster."""
PAGE_SIZE = 100
"""Remediations asked for per page; the server may give fewer."""
AT_ONCE = 16
"""Requests about one cluster that may be under way at once; more wait for their turn. A cluster that does not answer
holds up its own only."""

Answer = TypeVar("Answer", bound=ApiModel)
Params = dict[str, str | int | list[str]]


@dataclass(frozen=True)
class Credential:
    """An API key and where it came from, so that an error can name the place and never the key."""

    api_key: SecretStr
    source: str


class Client:
    """The remediation API of one account.

    Reads are repeated on transient errors; writes only when they provably did nothing (see `retry`). Every method
    raises a subclass of `ApiError`.
    """

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        *,
        request_timeout: float = 30.0,
        max_retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`base_url` ends in /v1. `request_timeout` is in seconds, per try. `transport` replaces the network."""
        self._credential = credential
        self._max_retries = max_retries
        self._base_url = base_url
        self._request_timeout = request_timeout
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=request_timeout,
            transport=transport,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE),
            headers={
                "Authorization": f"Bearer {credential.api_key.get_secret_value()}",
                "User-Agent": f"pulumi-togetherai/{__version__}",
            },
        )
        self._server_time: tuple[datetime, float] | None = None
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._resume_at = 0.0
        """Until when, on the event loop's clock, the server has asked for quiet."""
        self._starts_no_more = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def start_no_more(self) -> None:
        """From now on raises Withheld instead of sending what starts a remediation, also where that waits for its turn
        or its next try."""
        self._starts_no_more = True

    def now(self) -> datetime:
        """The time on the server's clock, as far as its answers told; so a wrong clock here misjudges no age."""
        if self._server_time is None:
            return datetime.now(UTC)
        told, at = self._server_time
        return told + timedelta(seconds=asyncio.get_running_loop().time() - at)

    async def create_remediation(
        self, cluster_id: str, instance_id: str, *, mode: RemediationMode, reason: str | None, remediation_id: str
    ) -> Remediation:
        """POST .../remediations: starts a remediation. An error with `maybe_took_effect` may hide a success."""
        body = {"mode": mode.value} | ({"reason": reason} if reason else {})
        return await self._send(
            "create remediation",
            "POST",
            f"{_instance_path(cluster_id, instance_id)}/remediations",
            Remediation,
            params={"remediation_id": remediation_id},
            body=body,
            starts=True,
        )

    async def get_remediation(self, cluster_id: str, instance_id: str, remediation_id: str) -> Remediation:
        """GET .../remediations/{remediation_id}."""
        path = _remediation_path(cluster_id, instance_id, remediation_id)
        return await self._send("get remediation", "GET", path, Remediation)

    async def approve_remediation(
        self,
        cluster_id: str,
        instance_id: str,
        remediation_id: str,
        *,
        comment: str | None = None,
        mode: RemediationMode | None = None,
    ) -> Remediation:
        """POST .../approve: starts a proposed remediation, in another `mode` if given."""
        body = ({"comment": comment} if comment else {}) | ({"mode": mode.value} if mode else {})
        path = f"{_remediation_path(cluster_id, instance_id, remediation_id)}/approve"
        return await self._send("approve remediation", "POST", path, Remediation, body=body, starts=True)

    async def reject_remediation(
        self, cluster_id: str, instance_id: str, remediation_id: str, *, comment: str | None = None
    ) -> Remediation:
        """POST .../reject: ends a proposed remediation as CANCELLED."""
        path = f"{_remediation_path(cluster_id, instance_id, remediation_id)}/reject"
        body = {"comment": comment} if comment else {}
        return await self._send("reject remediation", "POST", path, Remediation, body=body)

    async def cancel_remediation(self, cluster_id: str, instance_id: str, remediation_id: str) -> Remediation:
        """POST .../cancel: works in PENDING_APPROVAL and PENDING."""
        path = f"{_remediation_path(cluster_id, instance_id, remediation_id)}/cancel"
        return await self._send("cancel remediation", "POST", path, Remediation)

    async def get_cluster(self, cluster_id: str) -> Cluster:
        """GET /compute/clusters/{cluster_id}: the cluster and its GPU worker nodes."""
        return await self._send("get cluster", "GET", f"/compute/clusters/{_segment(cluster_id)}", Cluster)

    async def list_remediations(
        self,
        cluster_id: str,
        instance_id: str = ALL_INSTANCES,
        *,
        states: Sequence[RemediationState] = (),
        modes: Sequence[RemediationMode] = (),
        triggers: Sequence[RemediationTrigger] = (),
    ) -> list[Remediation]:
        """GET .../remediations, every page, newest first; of one instance, or of the whole cluster.

        Whether the server honours a filter is not known, so what comes back is filtered here too, and the list is
        asked for without filters when the server refuses them.
        """
        filters: Params = {
            name: [value.value for value in values]
            for name, values in (("state", states), ("mode", modes), ("trigger", triggers))
            if values
        }
        path = f"{_instance_path(cluster_id, instance_id)}/remediations"
        try:
            listed = await self._all_pages(path, filters)
        except Refused:
            if not filters:
                raise
            listed = await self._all_pages(path, {})
        wanted = (
            remediation
            for remediation in listed
            if (instance_id == ALL_INSTANCES or remediation.instance_id == instance_id)
            and (not states or remediation.state in states)
            and (not modes or remediation.mode in modes)
            and (not triggers or remediation.trigger in triggers)
        )
        oldest = datetime.min.replace(tzinfo=UTC)
        return sorted(wanted, key=lambda remediation: remediation.create_time or oldest, reverse=True)

    async def list_active_remediations(self, cluster_id: str) -> list[Remediation]:
        """GET .../remediations of the whole cluster, those that have not ended. Raises Refused also when the server
        ignores the filter: its answer would grow with the cluster's history."""
        states = [state.value for state in RemediationState if state not in TERMINAL_STATES]
        path = f"{_instance_path(cluster_id, ALL_INSTANCES)}/remediations"
        listed = await self._all_pages(path, {"state": states})
        if any(remediation.terminal for remediation in listed):
            raise Refused("list remediations", "the server does not filter by state", http_status=200)
        return listed

    async def _all_pages(self, path: str, filters: Params) -> list[Remediation]:
        """Follows the page tokens. The server may know a parameter by its snake_case or its camelCase name only:
        a page that repeats what was seen is asked for once more under the other name."""
        seen: dict[str, Remediation] = {}
        token: str | None = None
        while True:
            page, fresh, repeats = RemediationPage(), dict[str, Remediation](), False
            for name in ("page_token", "pageToken"):
                params: Params = {"page_size": PAGE_SIZE, **filters} | ({name: token} if token else {})
                page = await self._send("list remediations", "GET", path, RemediationPage, params=params)
                fresh = {item.id: item for item in page.remediations if item.id not in seen}
                repeats = bool(page.remediations) and not fresh
                if not token or not repeats:
                    break
            seen |= fresh
            if repeats or not page.has_next or not page.next_page_token or page.next_page_token == token:
                return list(seen.values())
            token = page.next_page_token

    async def _send(
        self,
        operation: str,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        params: Params | None = None,
        body: dict[str, Any] | None = None,
        starts: bool = False,
    ) -> Answer:
        """`starts`: whether the request may start a remediation."""
        async for attempt in retrying(is_read=method == "GET", max_retries=self._max_retries):
            with attempt:
                return await self._in_turn(operation, method, path, answer, params=params, body=body, starts=starts)
        raise AssertionError("the retry loop ends by returning or raising")

    async def _in_turn(
        self,
        operation: str,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        params: Params | None,
        body: dict[str, Any] | None,
        starts: bool,
    ) -> Answer:
        """Sends one request when its cluster has room for it and the server has not asked for quiet."""
        cluster_id = path.split("/")[3]
        async with self._turns[cluster_id]:
            await asyncio.sleep(self._resume_at - asyncio.get_running_loop().time())
            if starts and self._starts_no_more:
                raise Withheld(operation, "not sent, because the run was interrupted")
            try:
                return await self._send_once(operation, method, path, answer, params=params, body=body)
            except RateLimited as error:
                asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
                self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + asked)
                raise

    async def _send_once(
        self,
        operation: str,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        params: Params | None,
        body: dict[str, Any] | None,
    ) -> Answer:
        try:
            # httpx bounds each read, this the whole answer: a body that drips in may not hold the caller for ever.
            async with asyncio.timeout(self._request_timeout):
                response = await self._http.request(method, path, params=params, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotReached(operation, f"cannot reach {self._base_url} ({str(error) or 'timeout'})") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise AnswerLost(operation, f"{self._base_url} did not answer in time") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise AnswerLost(operation, f"the connection to {self._base_url} broke ({error})") from error
        except httpx.InvalidURL as error:
            raise NotReached(operation, f"{self._base_url} is no usable address ({error})") from error
        self._note_server_time(response)
        if response.status_code >= 300:
            raise self._error(operation, response)
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            problem = f"{where}: {first['msg']}" if where else first["msg"]
            raise AnswerUnreadable(
                operation,
                f"{self._base_url} answered {response.status_code} with a body that cannot be read ({problem})",
            ) from error

    def _note_server_time(self, response: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        self._server_time = (told, asyncio.get_running_loop().time())

    def _error(self, operation: str, response: httpx.Response) -> ApiError:
        kind = status_error_type(response.status_code)
        try:
            status = RpcStatus.model_validate_json(response.content)
            code, message = GRPC_CODES.get(status.code, ""), status.message.strip()
        except ValidationError:
            code, message = "", ""
        message = message or f"{response.reason_phrase} (an answer that is not the API's)".lstrip()
        if kind is CredentialRefused:
            message = f"{message}. The API key used is the one from {self._credential.source}"
        return kind(
            operation,
            f"{response.status_code} {code}: {message}" if code else f"{response.status_code}: {message}",
            http_status=response.status_code,
            code=code,
            retry_after=_retry_after(response),
        )


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


def _instance_path(cluster_id: str, instance_id: str) -> str:
    return f"/compute/clusters/{_segment(cluster_id)}/instances/{_segment(instance_id)}"


def _remediation_path(cluster_id: str, instance_id: str, remediation_id: str) -> str:
    return f"{_instance_path(cluster_id, instance_id)}/remediations/{_segment(remediation_id)}"


def _segment(identifier: str) -> str:
    """An id as one path segment, so that no id can name another path."""
    if identifier in ("", ".", ".."):
        raise ValueError(f"{identifier!r} is not an id")
    return quote(identifier, safe="")
