"""An async client of the remediation API: one method per operation, typed answers, typed errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from pulumi_resource_togetherai.api.asked import ALL_INSTANCES, Asked, Contradiction, Unusable, problem, same_id
from pulumi_resource_togetherai.api.enums import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from pulumi_resource_togetherai.api.errors import AnswerContradicts, ApiError, NotSendable, Refused
from pulumi_resource_togetherai.api.http import AT_ONCE, Credential, Http, Look, Params, Request
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, ClusterList, Remediation
from pulumi_resource_togetherai.api.network import Network
from pulumi_resource_togetherai.api.pages import MOST_PAGES, Pages, Query
from pulumi_resource_togetherai.api.plausible import USABLE_ID
from pulumi_resource_togetherai.sanitize import quoted

__all__ = ["ALL_INSTANCES", "AT_ONCE", "Accepted", "Client", "Credential", "Look", "Params"]


@dataclass(frozen=True)
class Accepted:
    """What the API answered to a POST that it accepted (2xx): a remediation exists, whatever the answer shows of it."""

    record: Remediation | None = None
    """The remediation, if the answer shows it."""
    remediation_id: str | None = None
    """Its id, if the answer shows that much."""
    problem: str = ""
    """Why the answer cannot be used; empty if it is one that a server may well give."""
    of_another: bool = False
    """Whether the answer is about something else than was asked for."""


class Client:
    """The remediation API of one account.

    The client repeats a read after a transient error, and a write only if it provably did nothing (see `retry`). Every
    method raises a subclass of `ApiError`.
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
        """`base_url` ends in /v1. `request_timeout` is in seconds, per try. `transport` replaces the network. Raises
        NetworkSettingError if the environment names a proxy or certificates that cannot be used."""
        self._http = Http(
            base_url,
            credential,
            request_timeout=request_timeout,
            max_retries=max_retries,
            transport=transport,
        )
        self._pages = Pages(self._http)
        self.ids_refused = ""
        """Why the API refuses `remediation_id`; empty as far as it is known to take it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    def start_no_more(self) -> None:
        """From now on the client raises Withheld instead of sending a request that may start a remediation, even if
        that request already waits for its turn or its next try."""
        self._http.start_no_more()

    @property
    def network(self) -> Network:
        """Through which proxy the requests go, and whose certificates count."""
        return self._http.network

    def now(self) -> datetime:
        """The time on the server's clock, as far as its answers show it and within reason (see `plausible_clock`)."""
        return self._http.now()

    def earliest_now(self) -> datetime:
        """The earlier of the server's time and this machine's: by it an end seems more recent than it is, which starts
        nothing."""
        return min(self._http.now(), datetime.now(UTC))

    def clock_ahead(self) -> float | None:
        """By how many seconds the server's clock was ahead of this machine's when it last answered; None before."""
        return self._http.clock_ahead

    async def look(self, cluster_id: str, *below: str, params: Params | None = None) -> Look:
        """GET of a cluster, or of what is `below` it in the path: sent once, and answered as it came, error or not."""
        path = "/".join(map(_segment, (cluster_id, *below)))
        return await self._http.look(f"/compute/clusters/{path}", params or {})

    def sent(self, cluster_id: str) -> int:
        """How many requests were sent about a cluster."""
        return self._http.sent[_segment(cluster_id)]

    async def create_remediation(
        self, cluster_id: str, instance_id: str, *, mode: RemediationMode, reason: str | None, remediation_id: str
    ) -> Accepted:
        """POST .../remediations: starts a remediation. An error with `maybe_took_effect` may hide a success.

        The vendor's newest client sends no `remediation_id` any more, so a server may refuse it (400). Then the request
        did nothing, and this and every later one is sent without it; see `ids_refused`.
        """
        if self.ids_refused:
            return await self._create(cluster_id, instance_id, mode, reason, None)
        try:
            return await self._create(cluster_id, instance_id, mode, reason, remediation_id)
        except Refused as refusal:
            if not refusal.of_a_parameter:
                raise
            accepted = await self._create(cluster_id, instance_id, mode, reason, None)
            self.ids_refused = refusal.message
            return accepted

    async def _create(
        self,
        cluster_id: str,
        instance_id: str,
        mode: RemediationMode,
        reason: str | None,
        remediation_id: str | None,
    ) -> Accepted:
        asked = Asked(cluster_id, instance_id, mode=mode)
        request = Request(
            "create remediation",
            "POST",
            f"{_instance_path(cluster_id, instance_id)}/remediations",
            lambda body, _: _accepted(body, asked),
            params={"remediation_id": remediation_id} if remediation_id else {},
            body={"mode": mode.value} | ({"reason": reason} if reason else {}),
            starts=True,
        )
        try:
            return await self._http.send(request)
        except ApiError as error:
            if not error.accepted:
                raise
            return Accepted(problem=error.message, of_another=isinstance(error, AnswerContradicts))

    async def get_remediation(self, cluster_id: str, instance_id: str, remediation_id: str) -> Remediation:
        """GET .../remediations/{remediation_id}."""
        path = _remediation_path(cluster_id, instance_id, remediation_id)
        asked = Asked(cluster_id, instance_id, remediation_id)
        return await self._http.send(Request("get remediation", "GET", path, lambda body, _: asked.read(body)))

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
        return await self._act("approve", cluster_id, instance_id, remediation_id, body, starts=True)

    async def reject_remediation(
        self, cluster_id: str, instance_id: str, remediation_id: str, *, comment: str | None = None
    ) -> Remediation:
        """POST .../reject: ends a proposed remediation as CANCELLED."""
        body = {"comment": comment} if comment else {}
        return await self._act("reject", cluster_id, instance_id, remediation_id, body)

    async def cancel_remediation(self, cluster_id: str, instance_id: str, remediation_id: str) -> Remediation:
        """POST .../cancel: works in PENDING_APPROVAL and PENDING."""
        return await self._act("cancel", cluster_id, instance_id, remediation_id)

    async def _act(
        self,
        action: str,
        cluster_id: str,
        instance_id: str,
        remediation_id: str,
        body: dict[str, str] | None = None,
        *,
        starts: bool = False,
    ) -> Remediation:
        """POST .../remediations/{remediation_id}/{action}."""
        path = f"{_remediation_path(cluster_id, instance_id, remediation_id)}/{action}"
        asked = Asked(cluster_id, instance_id, remediation_id)
        request = Request(
            f"{action} remediation", "POST", path, lambda answer, _: asked.read(answer), body=body, starts=starts
        )
        return await self._http.send(request)

    async def get_cluster(self, cluster_id: str) -> Cluster:
        """GET /compute/clusters/{cluster_id}: the cluster and its GPU worker nodes."""

        def read(body: Any, _: int) -> Cluster:
            if not isinstance(body, Mapping):
                raise Unusable("it is not a cluster")
            try:
                cluster = Cluster.model_validate({"cluster_id": cluster_id} | cast(dict[str, Any], body))
            except (ValidationError, RecursionError) as error:
                raise Unusable(problem(error)) from error
            if not same_id(cluster.cluster_id, cluster_id):
                raise Contradiction(f"asked about cluster {cluster_id}, it answered with {quoted(cluster.cluster_id)}")
            return cluster

        path = f"/compute/clusters/{_segment(cluster_id)}"
        return await self._http.send(Request("get cluster", "GET", path, read))

    async def list_clusters(self) -> list[Cluster]:
        """GET /compute/clusters: the clusters that the API key may see. The API has no pages for them."""

        def read(body: Any, _: int) -> list[Cluster]:
            if not isinstance(body, Mapping):
                raise Unusable("it is not a list of clusters")
            try:
                return ClusterList.model_validate(dict(cast(Mapping[str, Any], body))).clusters
            except (ValidationError, RecursionError) as error:
                raise Unusable(problem(error)) from error

        return await self._http.send(Request("list clusters", "GET", "/compute/clusters", read))

    async def list_remediations(
        self,
        cluster_id: str,
        instance_id: str = ALL_INSTANCES,
        *,
        states: Sequence[RemediationState] = (),
        modes: Sequence[RemediationMode] = (),
        triggers: Sequence[RemediationTrigger] = (),
        most_pages: int = MOST_PAGES,
        complete: bool = True,
    ) -> Listed:
        """GET .../remediations, every page, newest first; of one instance, or of the whole cluster.

        It is not known whether the server honors a filter, so the client filters the answer as well. If the server
        refuses the filters, the client asks for the list without them. `most_pages`: how many pages the answer is
        worth; a list that has more is cut off. `complete`: whether what the list lacks counts as not being there.
        """
        filters: Params = {
            name: [value.value for value in values]
            for name, values in (("state", states), ("mode", modes), ("trigger", triggers))
            if values
        }
        try:
            listed = await self._all_pages(cluster_id, instance_id, filters, most_pages=most_pages, complete=complete)
        except Refused:
            if not filters:
                raise
            listed = await self._all_pages(cluster_id, instance_id, {}, most_pages=most_pages, complete=complete)
        wanted = (
            remediation
            for remediation in listed
            if (not states or remediation.state in states)
            and (not modes or remediation.mode in modes)
            and (not triggers or remediation.trigger in triggers)
        )
        oldest = datetime.min.replace(tzinfo=UTC)
        newest_first = sorted(wanted, key=lambda remediation: remediation.create_time or oldest, reverse=True)
        return Listed(newest_first, listed.unreadable, cut_off=listed.cut_off)

    async def list_active_remediations(self, cluster_id: str, *, most_pages: int = MOST_PAGES) -> Listed:
        """GET .../remediations of the whole cluster by state: those that have not ended, as far as the server honors
        the filter. Raises Refused if it refuses it."""
        active: Params = {"state": [state.value for state in ACTIVE_STATES]}
        return await self._all_pages(cluster_id, ALL_INSTANCES, active, most_pages=most_pages)

    async def list_ended_remediations(self, cluster_id: str, wanted: Set[str], *, most_pages: int) -> Listed:
        """GET .../remediations of the whole cluster by state: those that have ended. Stops once all ids in `wanted`
        have come. If the list begins with the newest, that is soon, however long the history."""
        ended: Params = {"state": [state.value for state in sorted(TERMINAL_STATES)]}
        return await self._all_pages(cluster_id, ALL_INSTANCES, ended, until=wanted, most_pages=most_pages)

    async def _all_pages(
        self,
        cluster_id: str,
        instance_id: str,
        filters: Params,
        *,
        most_pages: int,
        until: Set[str] | None = None,
        complete: bool = False,
    ) -> Listed:
        query = Query(
            f"{_instance_path(cluster_id, instance_id)}/remediations",
            Asked(cluster_id, None if instance_id == ALL_INSTANCES else instance_id),
            filters,
            until,
            most_pages,
            complete,
        )
        return await self._pages.read(query)


def _accepted(body: Any, asked: Asked) -> Accepted:
    """What a POST was answered: the record, its id in some form, or nothing. Raises Contradiction."""
    if body is None or body in ({}, [], ""):
        return Accepted()
    try:
        record = asked.read(body)
    except Contradiction:
        raise
    except Unusable as error:
        fields = cast(Mapping[str, Any], body) if isinstance(body, Mapping) else {"id": body}
        said = next((fields[name] for name in ("id", "remediation_id", "remediationId") if fields.get(name)), None)
        usable = isinstance(said, str) and USABLE_ID.fullmatch(said)
        return Accepted(remediation_id=str(said)) if usable else Accepted(problem=str(error))
    return Accepted(record, record.id)


def _instance_path(cluster_id: str, instance_id: str) -> str:
    return f"/compute/clusters/{_segment(cluster_id)}/instances/{_segment(instance_id)}"


def _remediation_path(cluster_id: str, instance_id: str, remediation_id: str) -> str:
    return f"{_instance_path(cluster_id, instance_id)}/remediations/{_segment(remediation_id)}"


def _segment(identifier: str) -> str:
    """An id as one path segment, so that no id can name another path."""
    if identifier in ("", ".", ".."):
        raise NotSendable("look up", f'"{identifier}" is not an id')
    return quote(identifier, safe="")
