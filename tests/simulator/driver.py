"""Drives a simulator in-process: time stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import httpx

from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, simulate
from togetherai_simulator.app import App
from togetherai_simulator.store import Store

NOON = 1_800_000_000.0
"""When the tests begin, in seconds since the epoch."""
NODE = "cluster-1-node-1"
OTHER_NODE = "cluster-1-node-2"
VM_ONLY = "REMEDIATION_MODE_VM_ONLY"
HOST_AWARE = "REMEDIATION_MODE_HOST_AWARE"
REBOOT_VM = "REMEDIATION_MODE_REBOOT_VM"

Json = dict[str, Any]
Query = list[tuple[str, str | int | float | bool | None]] | Mapping[str, str | int | list[str]]


def instance_path(instance: str = NODE, cluster: str = "cluster-1") -> str:
    return f"/v1/compute/clusters/{cluster}/instances/{instance}/remediations"


class Driver:
    """A simulator and a client of it. The methods named after operations return the answer as it came."""

    def __init__(self, scenario: Mapping[str, Any] | None = None, *, store: Store | None = None) -> None:
        self.app: App = simulate(scenario, clock=Clock(lambda: NOON), store=store)
        self.http = httpx.AsyncClient(
            transport=InProcessTransport(self.app),
            base_url="http://simulator",
            headers={"Authorization": f"Bearer {DEFAULT_API_KEY}"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def create(
        self,
        instance: str = NODE,
        *,
        mode: str = VM_ONLY,
        reason: str = "broken",
        key: str | None = None,
        cluster: str = "cluster-1",
    ) -> httpx.Response:
        params = {} if key is None else {"remediation_id": key}
        return await self.http.post(
            instance_path(instance, cluster), params=params, json={"mode": mode, "reason": reason}
        )

    async def created(self, instance: str = NODE, *, mode: str = VM_ONLY, key: str | None = None) -> Json:
        return ok(await self.create(instance, mode=mode, key=key))

    async def get(self, remediation: Json) -> Json:
        return ok(await self.http.get(f"{instance_path(remediation['instance_id'])}/{remediation['id']}"))

    async def state(self, remediation: Json) -> str:
        return (await self.get(remediation))["state"]

    async def act(self, remediation: Json, action: str, body: Json | None = None) -> httpx.Response:
        path = f"{instance_path(remediation['instance_id'])}/{remediation['id']}/{action}"
        return await self.http.post(path, json=body)

    async def list(self, instance: str = "-", query: Query | None = None) -> httpx.Response:
        return await self.http.get(instance_path(instance), params=query)

    async def cluster(self) -> Json:
        return ok(await self.http.get("/v1/compute/clusters/cluster-1"))

    async def instances(self) -> list[str]:
        return [node["instance_id"] for node in (await self.cluster())["gpu_worker_nodes"]]

    async def control(self, method: str, path: str, body: Json | None = None) -> Any:
        return ok(await self.http.request(method, f"/_simulator{path}", json=body))

    async def advance(self, seconds: float) -> None:
        await self.control("POST", "/advance", {"seconds": seconds})

    async def propose(self, instance: str = NODE, **details: Any) -> Json:
        return await self.control("POST", f"/instances/cluster-1/{instance}/propose", details)

    async def behave(self, instance: str = NODE, **behaviour: Any) -> None:
        await self.control("PUT", f"/instances/cluster-1/{instance}/behaviour", behaviour)

    async def fault(self, **rule: Any) -> None:
        await self.control("POST", "/faults", rule)

    async def journal(self) -> list[Json]:
        return await self.control("GET", "/requests")


def ok(response: httpx.Response) -> Any:
    """The answer's content, once it is sure that it is no error."""
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response, http_status: int, code: int) -> str:
    """The message of an error, once it is sure that it is this error, worded as google.rpc.Status."""
    assert response.status_code == http_status, response.text
    body = response.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == code
    assert isinstance(body["details"], list)
    return body["message"]


INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED = 3, 5, 6, 7
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = 8, 9, 12, 14, 16
