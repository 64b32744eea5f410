"""An async client of the remediation API: one method per operation, typed answers, typed errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from pulumi_resource_togetherai.api.believable import beyond_reason, other_than_asked
from pulumi_resource_togetherai.api.enums import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from pulumi_resource_togetherai.api.errors import Refused
from pulumi_resource_togetherai.api.http import AT_ONCE, Credential, Http, Params, Request
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.api.pages import Pages, Query
from pulumi_resource_togetherai.harmless import quoted

__all__ = ["ALL_INSTANCES", "AT_ONCE", "Client", "Credential"]

ALL_INSTANCES = "-"
"""In place of an instance id: every instance of the cluster."""


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
        without_proxy: bool = False,
    ) -> None:
        """`base_url` ends in /v1. `request_timeout` is in seconds, per try. `transport` replaces the network.
        `without_proxy`: whether to ignore the environment's proxies, which could read what is sent unencrypted."""
        self._http = Http(
            base_url,
            credential,
            request_timeout=request_timeout,
            max_retries=max_retries,
            transport=transport,
            without_proxy=without_proxy,
        )
        self._pages = Pages(self._http)

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

    def now(self) -> datetime:
        """The time on the server's clock, as far as its answers show it and within reason (see `believable_now`)."""
        return self._http.now()

    def clock_ahead(self) -> float | None:
        """By how many seconds the server's clock was ahead of this machine's when it last answered; None before."""
        return self._http.clock_ahead

    async def create_remediation(
        self, cluster_id: str, instance_id: str, *, mode: RemediationMode, reason: str | None, remediation_id: str
    ) -> Remediation:
        """POST .../remediations: starts a remediation. An error with `maybe_took_effect` may hide a success."""
        request = Request(
            "create remediation",
            "POST",
            f"{_instance_path(cluster_id, instance_id)}/remediations",
            Remediation,
            _about(cluster_id, instance_id),
            params={"remediation_id": remediation_id},
            body={"mode": mode.value} | ({"reason": reason} if reason else {}),
            starts=True,
        )
        return await self._http.send(request)

    async def get_remediation(self, cluster_id: str, instance_id: str, remediation_id: str) -> Remediation:
        """GET .../remediations/{remediation_id}."""
        path = _remediation_path(cluster_id, instance_id, remediation_id)
        about = _about(cluster_id, instance_id, remediation_id)
        return await self._http.send(Request("get remediation", "GET", path, Remediation, about))

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
        about = _about(cluster_id, instance_id, remediation_id)
        request = Request(f"{action} remediation", "POST", path, Remediation, about, body=body, starts=starts)
        return await self._http.send(request)

    async def get_cluster(self, cluster_id: str) -> Cluster:
        """GET /compute/clusters/{cluster_id}: the cluster and its GPU worker nodes."""

        def wrong(cluster: Cluster) -> str:
            asked = cluster.cluster_id == cluster_id
            return "" if asked else f"asked about cluster {cluster_id}, it answered with {quoted(cluster.cluster_id)}"

        path = f"/compute/clusters/{_segment(cluster_id)}"
        return await self._http.send(Request("get cluster", "GET", path, Cluster, wrong))

    async def list_remediations(
        self,
        cluster_id: str,
        instance_id: str = ALL_INSTANCES,
        *,
        states: Sequence[RemediationState] = (),
        modes: Sequence[RemediationMode] = (),
        triggers: Sequence[RemediationTrigger] = (),
    ) -> Listed:
        """GET .../remediations, every page, newest first; of one instance, or of the whole cluster.

        It is not known whether the server honors a filter, so the client filters the answer as well. If the server
        refuses the filters, the client asks for the list without them.
        """
        filters: Params = {
            name: [value.value for value in values]
            for name, values in (("state", states), ("mode", modes), ("trigger", triggers))
            if values
        }
        try:
            listed = await self._all_pages(cluster_id, instance_id, filters)
        except Refused:
            if not filters:
                raise
            listed = await self._all_pages(cluster_id, instance_id, {})
        wanted = (
            remediation
            for remediation in listed
            if (not states or remediation.state in states)
            and (not modes or remediation.mode in modes)
            and (not triggers or remediation.trigger in triggers)
        )
        oldest = datetime.min.replace(tzinfo=UTC)
        newest_first = sorted(wanted, key=lambda remediation: remediation.create_time or oldest, reverse=True)
        return Listed(newest_first, listed.unreadable)

    async def list_active_remediations(self, cluster_id: str) -> Listed:
        """GET .../remediations of the whole cluster: those that have not ended. Also raises Refused if the server
        ignores the filter, because its answer would grow with the cluster's history."""
        active: Params = {"state": [state.value for state in ACTIVE_STATES]}
        listed = await self._all_pages(cluster_id, ALL_INSTANCES, active)
        if any(remediation.terminal for remediation in listed):
            raise Refused("list remediations", "the server does not filter by state", http_status=200)
        return listed

    async def list_ended_remediations(self, cluster_id: str, wanted: Set[str]) -> Listed:
        """GET .../remediations of the whole cluster: those that have ended. Stops once all ids in `wanted` have come.
        If the list begins with the newest, that is soon, however long the history. If it does not, the client may have
        to read it to its end."""
        ended: Params = {"state": [state.value for state in sorted(TERMINAL_STATES)]}
        return await self._all_pages(cluster_id, ALL_INSTANCES, ended, until=wanted)

    async def _all_pages(
        self, cluster_id: str, instance_id: str, filters: Params, *, until: Set[str] | None = None
    ) -> Listed:
        one = None if instance_id == ALL_INSTANCES else instance_id
        query = Query(
            path=f"{_instance_path(cluster_id, instance_id)}/remediations",
            filters=filters,
            wrong=lambda record: other_than_asked(record, cluster_id, one, None),
            until=until,
        )
        return await self._pages.read(query)


def _about(cluster_id: str, instance_id: str | None, remediation_id: str | None = None) -> Callable[[Remediation], str]:
    """A function that returns what is wrong with a record that answers a question about these ids."""
    return lambda record: other_than_asked(record, cluster_id, instance_id, remediation_id) or beyond_reason(record)


def _instance_path(cluster_id: str, instance_id: str) -> str:
    return f"/compute/clusters/{_segment(cluster_id)}/instances/{_segment(instance_id)}"


def _remediation_path(cluster_id: str, instance_id: str, remediation_id: str) -> str:
    return f"{_instance_path(cluster_id, instance_id)}/remediations/{_segment(remediation_id)}"


def _segment(identifier: str) -> str:
    """An id as one path segment, so that no id can name another path."""
    if identifier in ("", ".", ".."):
        raise ValueError(f"{identifier!r} is not an id")
    return quote(identifier, safe="")
