"""A world to test the lifecycle in: the simulated API in process, an engine that does what Pulumi's does, and a clock
that jumps."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import looptime
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.report import HEARTBEAT
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.results import Recorded, Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, Scenario, in_process, simulate

T = TypeVar("T")
NOON = 1_800_000_000.0
NODE = "cluster-1-node-1"
OTHER_KEY = "somebody-else"


class Killed(BaseException):
    """The process was killed: nothing catches this."""


class Network(InProcessTransport):
    """The way to the API, on which the process can be killed: before its n-th request arrives, or after."""

    kill_at: tuple[int, bool] | None = None
    """Which request, counted from 1, and whether it still takes effect."""

    pace: Callable[[], float] | None = None
    """How long, in seconds, a request takes on its way, and its answer: here others get between."""
    bend: Callable[[httpx.Response], httpx.Response] | None = None
    """What becomes of an answer on its way."""
    _dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.pace is None:
            return await self._pass(request)
        await asyncio.sleep(self.pace())
        if self._dead:
            raise Killed
        try:
            answer = await self._pass(request)
        except Killed:
            self._dead = True
            raise
        await asyncio.sleep(self.pace())
        if self.bend is None:
            return answer
        await answer.aread()
        return self.bend(answer)

    async def _pass(self, request: httpx.Request) -> httpx.Response:
        if self.kill_at is not None:
            left, takes_effect = self.kill_at
            self.kill_at = (left - 1, takes_effect)
            if left == 1:
                self.kill_at = None
                if takes_effect:
                    await super().handle_async_request(request)
                raise Killed
        return await super().handle_async_request(request)


class Telling:
    """Keeps what the user was told."""

    heartbeat = HEARTBEAT

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def status(self, text: str) -> None:
        """Passing lines are not kept."""

    async def info(self, text: str) -> None:
        """Keeps a line."""
        self.lines.append(text)

    async def warning(self, text: str) -> None:
        """Keeps a line."""
        self.lines.append(f"warning: {text}")


@dataclass
class Held:
    """A resource as the stack holds it."""

    resource: Resource
    unfinished: bool = False
    deleted: bool = False
    """Deleted to be replaced, by a replacement that was not created."""

    @property
    def remediation(self) -> str:
        """The id of its remediation as the platform has it: a dialect may write it in another case."""
        return self.resource.outputs["remediationId"].lower()

    @property
    def recorded(self) -> Recorded:
        """What the engine gives back to the provider."""
        return Recorded(self.resource.inputs, self.resource.outputs)


class World:
    """One stack with one program, on one simulated platform."""

    def __init__(
        self,
        *,
        reading: str | None = "id",
        keeps_unfinished: bool = True,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
        dialect: int | None = None,
        stack: str = "prod",
        beside: World | None = None,
    ) -> None:
        """`reading`: of `remediation_id`; None for what the dialect draws. `dialect`: the seed of the one that the API
        speaks; None for the contract's. `beside`: another stack, whose platform and time it shares."""
        self.loop = beside.loop if beside else looptime.new_event_loop(resolution=1e-9, noop_cycles=0)
        spoken = {} if dialect is None else {"dialect": {"seed": dialect}}
        chosen = ({"idempotency": reading} if reading else {}) | spoken | (settings or {})
        scenario = Scenario.model_validate({"seed": seed, "settings": chosen})
        self.app = beside.app if beside else simulate(scenario, clock=Clock(lambda: NOON + self.loop.time()))
        lags = scenario.settings.dialect
        self.lag = beside.lag if beside else max(lags.get_lag, lags.list_lag, lags.cluster_lag)
        """How far, in seconds, what the API answers is behind what happened. A new process cannot know of anything
        younger: docs/reliability.md says for how long that is assumed."""
        self.name = stack
        self._shares = beside is not None
        self.network = Network(self.app)
        self.keeps_unfinished = keeps_unfinished
        self.config = ProviderConfig.model_validate({"pollInterval": "20s", "maxRetries": 3})
        self.stack: dict[str, Held] = {}
        self.told = Telling()
        self._others = self._client()

    def close(self) -> None:
        """Ends the world."""
        self.run(self._others.close())
        if not self._shares:
            self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something, in no time."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.run(asyncio.sleep(seconds))

    def urn(self, name: str) -> str:
        """The URN of a resource."""
        prefix = "togetherai:index" if self.keeps_unfinished else "pulumi-python:dynamic/togetherai"
        return f"urn:pulumi:{self.name}::training::{prefix}:Remediation::{name}"

    # --- what a user does ---

    def up(self, program: dict[str, dict[str, Any]], *, replace: bool = False) -> list[str]:
        """`pulumi up`; returns what went wrong."""
        return self.run(self.up_meanwhile(program, replace=replace))

    def refresh(self) -> list[str]:
        """`pulumi refresh`; returns what went wrong."""
        return self.run(self._refresh())

    def import_(self, name: str, resource_id: str) -> Resource:
        """`pulumi import`; returns what the provider answers."""

        async def found() -> Resource | None:
            async with self._process() as process:
                return await process.read(self.urn(name), resource_id, None, self.told)

        read = self.run(found())
        assert read is not None
        return read

    def preview(self, name: str, declared: dict[str, Any], *, replace: bool = False) -> tuple[list[str], list[str]]:
        """`pulumi preview` of one resource; returns what it says, and what it says will go wrong."""
        return self.run(self._preview(name, declared, replace=replace))

    # --- what happens outside ---

    def records(self) -> list[Remediation]:
        """What the platform holds, newest first: whatever dialect its API speaks, and however late its answers are."""
        platform = self.app.platform
        self.run(_at_once(platform.catch_up))
        return [job.remediation.model_copy() for job in reversed(platform.jobs("cluster-1"))]

    def somebody_else_starts_one(self) -> None:
        """Another user's remediation of the same node, in the mode that it needs."""
        with self._no_faults():
            work = self._others.create_remediation(
                "cluster-1",
                NODE,
                mode=RemediationMode.REBOOT_VM,
                reason="by hand",
                remediation_id=f"{OTHER_KEY}-{uuid.uuid4()}",
            )
            self.run(work)

    def somebody_decides(self, proposal: Remediation, *, approve: bool) -> None:
        """Another user's review of a proposal."""
        decide = self._others.approve_remediation if approve else self._others.reject_remediation
        with self._no_faults():
            self.run(decide(proposal.cluster_id, proposal.instance_id, proposal.id))

    @contextmanager
    def _no_faults(self) -> Generator[None]:
        """What tests themselves ask is answered."""
        faults, self.app.faults.rules = self.app.faults.rules, []
        yield
        self.app.faults.rules = faults

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Tells the simulator something, or asks it."""
        return in_process(self.app).control(method, path, body)

    def effective_posts(self) -> Counter[str]:
        """How many POSTs took effect, by the marker that they sent: whether the API takes the key or not."""
        created = [entry for entry in self.control("GET", "/requests") if entry["effect"] == "created"]
        reasons = [str(entry["body"]["reason"]) for entry in created]
        return Counter(reason[reason.rindex("[pulumi ") :] for reason in reasons if "[pulumi " in reason)

    # --- the engine ---

    def _client(self) -> Client:
        credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
        return Client("http://simulator/v1", credential, request_timeout=30, max_retries=3, transport=Network(self.app))

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """What a provider process has: what it remembers ends with the command."""
        client = self._client()
        client._http._client._transport = self.network  # pyright: ignore[reportPrivateUsage]
        session = Session(self.config, client)
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def _process(self) -> AsyncGenerator[RemediationResource]:
        async with self.session() as session:
            yield RemediationResource(session, keeps_unfinished=self.keeps_unfinished)

    async def up_meanwhile(self, program: dict[str, dict[str, Any]], *, replace: bool = False) -> list[str]:
        """`pulumi up` while other things go on."""
        errors = list[str]()
        async with self._process() as process:
            for name, declared in program.items():
                try:
                    await self._step(process, name, declared, replace=replace)
                except OperationError as error:
                    errors.append(str(error))
            for name in [name for name in self.stack if name not in program]:
                try:
                    held = self.stack[name]
                    if not held.deleted:
                        await process.delete(self.urn(name), held.recorded, self.told)
                    del self.stack[name]
                except OperationError as error:
                    errors.append(str(error))
        return errors

    async def _step(self, process: RemediationResource, name: str, declared: dict[str, Any], *, replace: bool) -> None:
        urn, held = self.urn(name), self.stack.get(name)
        # With --replace the engine checks as if the resource were new.
        checked = process.check(urn, declared)
        assert not checked.failures
        if held is None or replace:
            await self._create(process, name, checked.inputs, replace_requested=replace)
            return None if held is None or held.deleted else await process.delete(urn, held.recorded, self.told)
        diff = process.diff(urn, held.recorded, checked.inputs)
        if diff.replaces or held.deleted:
            if not held.deleted:
                await process.delete(urn, held.recorded, self.told)
                held.deleted = True
            process.check(urn, declared)
            return await self._create(process, name, checked.inputs)
        if diff.unfinished or held.unfinished or diff.settings:
            updated = await process.update(urn, held.recorded, checked.inputs, self.told)
            if updated.problem is not None:
                if self.keeps_unfinished:  # the new outputs stay, with the old inputs
                    self.stack[name] = Held(dataclasses.replace(updated, written=held.resource.inputs), unfinished=True)
                raise OperationError(updated.problem)
            self.stack[name] = Held(updated)
            return None
        self.stack[name] = Held(dataclasses.replace(held.resource, written=checked.inputs, problem=None))
        return None

    async def _create(
        self, process: RemediationResource, name: str, inputs: dict[str, Any], *, replace_requested: bool = False
    ) -> None:
        created = await process.create(self.urn(name), inputs, self.told, replace_requested=replace_requested)
        if created.problem is None:
            self.stack[name] = Held(created)
        else:
            if self.keeps_unfinished:
                self.stack[name] = Held(created, unfinished=True)
            raise OperationError(created.problem)

    async def _refresh(self) -> list[str]:
        errors = list[str]()
        async with self._process() as process:
            for name, held in list(self.stack.items()):
                if held.deleted:
                    continue
                try:
                    found = await process.read(self.urn(name), held.resource.id, held.recorded, self.told)
                except OperationError as error:
                    errors.append(str(error))
                    continue
                if found is None:
                    del self.stack[name]
                else:
                    self.stack[name] = Held(found, unfinished=self.keeps_unfinished and found.problem is not None)
        return errors

    async def _preview(self, name: str, declared: dict[str, Any], *, replace: bool) -> tuple[list[str], list[str]]:
        said, urn, held = Telling(), self.urn(name), self.stack.get(name)
        async with self._process() as process:
            # With --replace the engine checks as if the resource were new.
            checked = process.check(urn, declared)
            try:
                if held is None or replace:
                    await process.preview_create(urn, checked.inputs, said, replace_requested=replace)
                else:
                    diff = process.diff(urn, held.recorded, checked.inputs)
                    if diff.replaces or held.deleted:
                        await process.preview_create(urn, checked.inputs, said)
                    elif diff.unfinished or held.unfinished:
                        await process.preview_update(held.recorded, checked.inputs, said)
            except OperationError as error:
                return said.lines, [str(error)]
        return said.lines, []


async def _at_once(work: Callable[[], None]) -> None:
    """Does something in the loop whose clock the platform has."""
    work()
