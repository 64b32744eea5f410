"""OpenTelemetry from the real engine's runs, as a collector receives it; nothing where nobody asks for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from tests.collector import Collector, Span, collecting, plain
from tests.engine.processes import kill_what_is_left
from tests.engine.stack import Form, Stack
from tests.simulated import Simulator, simulator

KEY = "tgp-marked-5d0b77e21c"
REASON = "GPU 3 fell off the bus, says Jane"
ALL_THAT_IS_MEASURED = {
    "http.client.request.duration": "s",
    "togetherai.remediation.posts": "{post}",
    "togetherai.remediation.waiting": "{remediation}",
    "togetherai.remediation.duration": "s",
}
TELLS_AT_THE_END = """\
import atexit, json, os, sys, threading
from pathlib import Path

def tell():
    told = {"modules": list(sys.modules), "threads": [thread.name for thread in threading.enumerate()]}
    Path(__file__).with_name(f"{os.getpid()}.json").write_text(json.dumps(told))

atexit.register(tell)
"""
"""What each Python process had imported when it ended, and its threads."""


@pytest.fixture
def collector() -> Generator[Collector]:
    """A collector that listens."""
    with collecting() as listening:
        yield listening


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API that wants the marked key."""
    with simulator(api_key=KEY) as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, form: Form, api: Simulator) -> Stack:
    """A stack with the marked key and a reason that nobody else is to read."""
    made = Stack(tmp_path / "stack", form, api.address, api_key=KEY)
    made.declare(reason=REASON, triggers={"incident": REASON})
    return made


def spy_on(stack: Stack) -> Path:
    """Has the stack's Python processes tell at their end, each in a file of the folder that this returns."""
    folder = stack.folder / "spying"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(TELLS_AT_THE_END)
    stack.env |= {"PYTHONPATH": str(folder)}
    return folder


def told_at_the_end(folder: Path) -> list[dict[str, list[str]]]:
    """What the processes told that ended by themselves and that the core was loaded in."""
    told: list[dict[str, list[str]]] = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return [process for process in told if "pulumi_resource_togetherai.operation.operations" in process["modules"]]


def children(spans: list[Span], parent: Span) -> list[Span]:
    """The spans directly inside another one."""
    return [span for span in spans if span.message.parent_span_id == parent.message.span_id]


def points(collector: Collector, name: str) -> list[tuple[Any, dict[str, Any]]]:
    """What a metric says: the numbers, each with its attributes."""
    metric = collector.metrics()[name]
    return [(point, plain(point.attributes)) for point in getattr(metric, metric.WhichOneof("data") or "").data_points]


def test_a_create_is_a_span_with_its_requests_inside_and_its_states_as_events(
    stack: Stack, api: Simulator, collector: Collector
):
    stack.env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc,
        # Rarely the process of the dynamic form does not react to the engine's SIGINT. Then the engine kills it 5 s
        # later, before it has sent the rest.
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=rack-7,service.name=not-this",
        "OTEL_SERVICE_NAME": "repairs",
    }
    api.behave(pending=20, running=40)
    api.add_fault({"kind": "error", "status": 503, "operation": "list", "count": 1})
    stack.up(check=True)

    spans = collector.spans("repairs")
    assert [span.name for span in spans if "Remediation" in span.name] == ["check Remediation", "create Remediation"]
    create = spans[1]
    [record] = api.remediations()
    assert create.attributes == {
        "pulumi.urn": stack.urn(),
        "togetherai.cluster.id": "cluster-1",
        "togetherai.instance.id": "cluster-1-node-1",
        "togetherai.remediation.id": record["id"],
        "togetherai.remediation.mode": "REMEDIATION_MODE_REBOOT_VM",
        "togetherai.remediation.state": "SUCCEEDED",
    }
    assert not create.failed
    assert [(name, event["togetherai.remediation.state"]) for name, event in create.events] == [
        ("togetherai.remediation.state", state) for state in ("PENDING", "RUNNING", "SUCCEEDED")
    ]
    times = [event.time_unix_nano for event in create.message.events]
    assert times == sorted(times)
    assert create.resource["deployment.environment.name"] == "rack-7"

    requests = children(spans, create)
    assert len(spans) == 2 + len(requests)
    assert {span.message.kind for span in requests} == {SpanMessage.SPAN_KIND_CLIENT}
    lists = "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations"
    [post] = [span for span in requests if span.attributes["http.request.method"] == "POST"]
    assert post.name == f"POST {lists}"
    port = int(api.address.rpartition(":")[2].partition("/")[0])
    assert post.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.template": lists,
        "url.full": f"{api.address}/compute/clusters/cluster-1/instances/cluster-1-node-1/remediations",
    }
    failed, again = requests[:2]
    assert (failed.attributes["error.type"], failed.failed) == ("503", True)
    assert "http.request.resend_count" not in failed.attributes
    assert (again.attributes["http.request.resend_count"], again.failed) == (1, False)

    assert {name: metric.unit for name, metric in collector.metrics().items()} == ALL_THAT_IS_MEASURED
    measured = points(collector, "http.client.request.duration")
    assert sum(point.count for point, _ in measured) == len(requests)
    assert [point.count for point, told in measured if told.get("error.type") == "503"] == [1]
    [(posts, told)] = points(collector, "togetherai.remediation.posts")
    assert (posts.as_int, told) == (
        1,
        {"togetherai.cluster.id": "cluster-1", "togetherai.remediation.mode": "REMEDIATION_MODE_REBOOT_VM"},
    )
    [(waiting, _)] = points(collector, "togetherai.remediation.waiting")
    assert waiting.as_int == 0
    [(duration, told)] = points(collector, "togetherai.remediation.duration")
    assert (duration.count, duration.sum) == (1, pytest.approx(60, abs=1))
    assert told["togetherai.remediation.state"] == "SUCCEEDED"

    sent = collector.raw.decode("latin-1")
    assert [word for word in (KEY, "Jane", "Bearer", "Authorization", "authorization") if word in sent] == []
    assert "cluster-1-node-1" in sent


def test_every_operation_has_its_span_and_says_how_it_ended(stack: Stack, api: Simulator, collector: Collector):
    stack.env |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.grpc}
    api.behave(outcome="fail", error_message=f"the key {KEY} does not open")
    stack.declare("other", instanceId="cluster-1-node-2")
    stack.run("up", "--yes")
    stack.up("--refresh")
    stack.destroy()

    spans = [span for span in collector.spans() if span.name.endswith(" Remediation")]
    of_both = {"check", "diff", "preview create", "create", "read", "delete"}
    of_the_plugin = {"update"} if stack.form == "plugin" else set[str]()
    assert {span.name.removesuffix(" Remediation") for span in spans} == of_both | of_the_plugin
    assert {span.attributes["togetherai.cluster.id"] for span in spans} == {"cluster-1"}
    # The stack of the plugin keeps what failed, and reads and updates it; the other one creates it once more.
    failed = [span for span in spans if span.failed]
    assert [span.name.removesuffix(" Remediation") for span in failed] == (
        ["create", "read", "update"] if stack.form == "plugin" else ["create", "create"]
    )
    for span in failed:
        assert span.attributes["togetherai.instance.id"] == "cluster-1-node-1"
        assert span.attributes["error.type"] == span.attributes["togetherai.remediation.state"] == "FAILED"
    assert collector.metrics() == {}
    assert [word for word in (KEY, "does not open", "Jane") if word in collector.raw.decode("latin-1")] == []


def test_over_http_it_is_the_same(api: Simulator, tmp_path: Path, collector: Collector):
    stack = Stack(tmp_path / "stack", "plugin", api.address, api_key=KEY)
    stack.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.http, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    stack.declare()
    stack.up(check=True)
    assert len(children(collector.spans(), collector.span("create Remediation"))) > 2
    assert {name: metric.unit for name, metric in collector.metrics().items()} == ALL_THAT_IS_MEASURED


@pytest.mark.parametrize("environment", [{}, {"OTEL_SDK_DISABLED": "true"}], ids=["silent", "disabled"])
def test_unless_it_is_asked_for_nothing_is_imported_started_or_sent(
    stack: Stack, collector: Collector, environment: dict[str, str]
):
    folder = spy_on(stack)
    stack.env |= environment
    if environment:
        stack.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc}
    stack.up(check=True)
    told = told_at_the_end(folder)
    assert told
    pulumis = subprocess.run(
        [sys.executable, "-c", "import pulumi, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    ours = {name for process in told for name in process["modules"] if name.startswith("opentelemetry")}
    assert ours - set(pulumis.stdout.split()) == set()
    assert not [name for process in told for name in process["threads"] if "Otel" in name or "Metric" in name]
    assert collector.raw == b""


def test_a_collector_that_never_answers_holds_nothing_up_and_is_not_spoken_of(stack: Stack, api: Simulator):
    folder = spy_on(stack)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        stack.env |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
            "OTEL_METRIC_EXPORT_INTERVAL": "20",
        }
        up = stack.up(check=True)
    assert not [word for word in ("elemetry", "DEADLINE", "Traceback", "prematurely") if word in up.output]
    assert api.posts() == 1
    exporters = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
    ended = [process for process in told_at_the_end(folder) if exporters in process["modules"]]
    assert ended, "the provider waited for the collector until the engine killed it"


def test_why_nothing_arrives_is_told_to_those_who_look_for_it(stack: Stack, api: Simulator):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"http://127.0.0.1:{gone.getsockname()[1]}"
    stack.env |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "20"}
    api.behave(running=400)
    up = stack.up("--debug", check=True)
    assert "debug: OpenTelemetry: Transient error StatusCode.UNAVAILABLE" in up.output


def test_a_mistake_in_the_set_up_is_a_warning(stack: Stack, collector: Collector):
    stack.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.http, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    up = stack.up(check=True)
    assert "warning: no telemetry is sent, though the environment asks for it: " in up.output
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is http/json; write grpc or http/protobuf" in up.output


def test_it_joins_the_trace_that_the_engine_sends_for_otel_traces(stack: Stack, collector: Collector):
    trace, outside = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    stack.env |= {"TRACEPARENT": f"00-{trace}-{outside}-01"}
    stack.up(f"--otel-traces={collector.grpc.replace('http', 'grpc')}", check=True)
    create = collector.span("create Remediation")
    assert create.message.trace_id.hex() == trace
    calls = [span for span in collector.spans("pulumi-cli") if span.name == "pulumirpc.ResourceProvider/Create"]
    parents = {span.message.span_id for span in calls} if stack.form == "plugin" else {bytes.fromhex(outside)}
    assert calls
    assert create.message.parent_span_id in parents
    assert len(children(collector.spans(), create)) > 2
    assert collector.metrics() == {}, "the engine takes no metrics"


def test_what_an_interrupted_wait_saw_is_sent(api: Simulator, tmp_path: Path, collector: Collector):
    stack = Stack(tmp_path / "stack", "plugin", api.address, api_key=KEY)
    stack.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc}
    stack.declare()
    api.behave(outcome="never")
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.until("RUNNING")
        os.kill(up.pid, signal.SIGINT)
        up.wait()
    create = collector.span("create Remediation")
    assert (create.failed, create.attributes["error.type"]) == (True, "Unfinished")
    assert create.events[-1] == ("togetherai.wait.stopped", {"togetherai.wait.stop": "INTERRUPTED"})


def test_what_was_done_before_the_engine_was_killed_is_sent(stack: Stack, api: Simulator, collector: Collector):
    stack.env |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.grpc, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    stack.declare("other", instanceId="cluster-1-node-2")
    api.behave("cluster-1-node-2", outcome="never")
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.until("SUCCEEDED")
        api.until("RUNNING")
        for line in up.stdout or ():
            if " fix created " in line:
                break
        assert collector.spans() == []
        up.kill()
        up.wait()
        collector.until(collector.spans)
        kill_what_is_left(stack)
    assert "create Remediation" in [span.name for span in collector.spans()]
