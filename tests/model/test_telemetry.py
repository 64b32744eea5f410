"""What is told of the core's work, in simulated time: whose spans are whose, what is counted, and what is left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.remediation.resource import RemediationResource
from pulumi_resource_togetherai.telemetry.instruments import Instruments, instruments, use
from pulumi_resource_togetherai.unknown import UNKNOWN
from tests.model.world import NOON, Telling
from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, simulate

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps


class Told:
    """What was told so far."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.instruments = Instruments(self._tracers.get_tracer("test"), self._meters.get_meter("test"))

    def close(self) -> None:
        """Tells no more."""
        self._tracers.shutdown()
        self._meters.shutdown()

    def spans(self, name: str) -> list[ReadableSpan]:
        """The spans of a name that have ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def numbers(self, name: str) -> list[tuple[float, dict[str, Any]]]:
        """What a metric says now, with the attributes: a number, or how many a histogram has."""
        data = self._reader.get_metrics_data()
        assert data is not None
        metrics = [metric for of in data.resource_metrics for scope in of.scope_metrics for metric in scope.metrics]
        found = list[tuple[float, dict[str, Any]]]()
        for metric in metrics:
            for point in metric.data.data_points if metric.name == name else ():
                number = point.value if isinstance(point, NumberDataPoint) else point.count
                found.append((number, {**(point.attributes or {})}))
        return found


@pytest.fixture
def told() -> Generator[Told]:
    """Has what is told kept here meanwhile."""
    before, told = instruments(), Told()
    use(told.instruments)
    yield told
    use(before)
    told.close()


class Network(InProcessTransport):
    """The way to the API, which can refuse a POST."""

    refuses: int | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refuses and request.method == "POST":
            return httpx.Response(self.refuses, json={"code": 7, "message": "no", "details": []}, request=request)
        return await super().handle_async_request(request)


@pytest.fixture
async def network() -> Network:
    """A cluster whose remediations take five minutes."""
    loop = asyncio.get_running_loop()
    scenario = {"clusters": 1, "instances": 4, "settings": {"pending": 10, "running": 290}}
    return Network(simulate(scenario, clock=Clock(lambda: NOON + loop.time())))


@pytest.fixture
async def resources(network: Network) -> AsyncGenerator[RemediationResource]:
    """The core of one process."""
    credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
    client = Client("http://simulator/v1", credential, request_timeout=30, max_retries=3, transport=network)
    session = Session(ProviderConfig(), client)
    yield RemediationResource(session, keeps_unfinished=True)
    await session.close()


def declared(node: int = 1, **inputs: Any) -> dict[str, Any]:
    where = {"clusterId": "cluster-1", "instanceId": f"cluster-1-node-{node}"}
    return where | {"mode": "REMEDIATION_MODE_VM_ONLY", "timeout": "1h"} | inputs


def urn(node: int = 1) -> str:
    return f"urn:pulumi:prod::training::togetherai:index:Remediation::node-{node}"


async def test_each_of_many_waits_tells_its_own_states_and_how_many_there_are(
    told: Told, resources: RemediationResource
):
    waits = [asyncio.ensure_future(resources.create(urn(node), declared(node), Telling())) for node in (1, 2, 3)]
    await asyncio.sleep(60)
    assert told.numbers("togetherai.remediation.waiting") == [(3, {"togetherai.cluster.id": "cluster-1"})]
    await asyncio.gather(*waits)
    assert told.numbers("togetherai.remediation.waiting") == [(0, {"togetherai.cluster.id": "cluster-1"})]
    spans = told.spans("create Remediation")
    instances = sorted(str((span.attributes or {})["togetherai.instance.id"]) for span in spans)
    assert instances == [f"cluster-1-node-{node}" for node in (1, 2, 3)]
    for span in spans:
        states = [(event.attributes or {})["togetherai.remediation.state"] for event in span.events]
        assert states == ["PENDING", "RUNNING", "SUCCEEDED"]
    ended = {"togetherai.remediation.mode": "REMEDIATION_MODE_VM_ONLY", "togetherai.remediation.state": "SUCCEEDED"}
    cluster = {"togetherai.cluster.id": "cluster-1"}
    assert told.numbers("togetherai.remediation.duration") == [(3, cluster | ended)]
    posted = {"togetherai.remediation.mode": "REMEDIATION_MODE_VM_ONLY"}
    assert told.numbers("togetherai.remediation.posts") == [(3, cluster | posted)]


async def test_a_wait_that_is_given_up_is_no_longer_counted_and_says_why(told: Told, resources: RemediationResource):
    stopped = await resources.create(urn(), declared(timeout="30s"), Telling())
    assert stopped.problem
    assert told.numbers("togetherai.remediation.waiting") == [(0, {"togetherai.cluster.id": "cluster-1"})]
    assert told.numbers("togetherai.remediation.duration") == []
    [span] = told.spans("create Remediation")
    assert (span.attributes or {})["error.type"] == "Unfinished"
    assert [dict(event.attributes or {}) for event in span.events][-1] == {"togetherai.wait.stop": "TIMEOUT"}


async def test_a_refused_post_is_counted_and_the_operation_names_the_kind_of_refusal_alone(
    told: Told, resources: RemediationResource, network: Network
):
    network.refuses = 403
    with pytest.raises(OperationError):
        await resources.create(urn(), declared(), Telling())
    [(posts, attributes)] = told.numbers("togetherai.remediation.posts")
    assert (posts, attributes["error.type"]) == (1, "CredentialRefused")
    [span] = told.spans("create Remediation")
    assert (span.attributes or {})["error.type"] == "CredentialRefused"
    assert not span.status.is_ok
    assert span.status.description is None
    assert span.events == ()


async def test_a_programs_wrong_value_is_not_told_for_it_may_be_secret(told: Told, resources: RemediationResource):
    checked = resources.check(urn(), declared(mode="tgp-secret-in-the-wrong-place"))
    assert checked.failures
    [span] = told.spans("check Remediation")
    assert dict(span.attributes or {}) == {"pulumi.urn": urn(), "error.type": "CheckFailure"}


async def test_what_is_not_known_yet_is_left_out(told: Told, resources: RemediationResource):
    resources.check(urn(), declared(instanceId=UNKNOWN))
    [span] = told.spans("check Remediation")
    assert "togetherai.instance.id" not in (span.attributes or {})
    assert (span.attributes or {})["togetherai.cluster.id"] == "cluster-1"
