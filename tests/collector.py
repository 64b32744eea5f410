"""A collector on the loopback that speaks OTLP, over gRPC and over HTTP, and keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

PATIENCE = 30.0
"""Seconds after which what a test waits for counts as never coming."""

Traces = trace_service_pb2.ExportTraceServiceRequest
Metrics = metrics_service_pb2.ExportMetricsServiceRequest


@dataclass(frozen=True)
class Span:
    """A span as it arrived, and whose it is."""

    message: SpanMessage
    resource: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.message.name

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes."""
        return plain(self.message.attributes)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Its events, by name, in their order."""
        return [(event.name, plain(event.attributes)) for event in self.message.events]

    @property
    def failed(self) -> bool:
        """Whether it says that its work failed."""
        return self.message.status.code == Status.STATUS_CODE_ERROR


class Collector:
    """What was received so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces = list[Traces]()
        self._metrics = list[Metrics]()
        self.raw = b""
        """Every byte of every message and of what was sent with it."""
        self.grpc = ""
        """The address for OTEL_EXPORTER_OTLP_ENDPOINT with the protocol `grpc`."""
        self.http = ""
        """The same for `http/protobuf`."""

    def take(self, request: Traces | Metrics, beside: Iterable[object]) -> None:
        """Keeps a message, and what was sent beside it."""
        with self._lock:
            self.raw += request.SerializeToString() + repr(list(beside)).encode()
            if isinstance(request, Traces):
                self._traces.append(request)
            else:
                self._metrics.append(request)

    def spans(self, service: str = "pulumi-resource-togetherai") -> list[Span]:
        """The spans of one service, in the order of their begin."""
        with self._lock:
            found = [
                Span(span, plain(group.resource.attributes))
                for request in self._traces
                for group in request.resource_spans
                for scope in group.scope_spans
                for span in scope.spans
            ]
        ours = [span for span in found if span.resource["service.name"] == service]
        return sorted(ours, key=lambda span: span.message.start_time_unix_nano)

    def span(self, name: str) -> Span:
        """The only span of a name."""
        [found] = [span for span in self.spans() if span.name == name]
        return found

    def metrics(self) -> dict[str, Metric]:
        """The metrics as they were last told, by name."""
        with self._lock:
            return {
                metric.name: metric
                for request in self._metrics
                for group in request.resource_metrics
                for scope in group.scope_metrics
                for metric in scope.metrics
            }

    def until(self, received: Callable[[], object]) -> None:
        """Waits until something was received."""
        gives_up = time.monotonic() + PATIENCE
        while not received():
            assert time.monotonic() < gives_up, [span.name for span in self.spans()]
            time.sleep(0.02)


def plain(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes as plain values."""
    found = dict[str, Any]()
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        found[attribute.key] = getattr(attribute.value, kind) if kind else None
    return found


class _TakesTraces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Traces, context: Any) -> trace_service_pb2.ExportTraceServiceResponse:
        self._collector.take(request, context.invocation_metadata())
        return trace_service_pb2.ExportTraceServiceResponse()


class _TakesMetrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Metrics, context: Any) -> metrics_service_pb2.ExportMetricsServiceResponse:
        self._collector.take(request, context.invocation_metadata())
        return metrics_service_pb2.ExportMetricsServiceResponse()


def _over_http(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = {"/v1/traces": Traces, "/v1/metrics": Metrics}[self.path]()
            request.ParseFromString(body)
            collector.take(request, self.headers.items())
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def collecting() -> Generator[Collector]:
    """A collector that listens meanwhile."""
    collector = Collector()
    workers = ThreadPoolExecutor(4)
    server = grpc.server(workers)
    # What protoc generates for gRPC has no types.
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # pyright: ignore[reportUnknownMemberType]
        _TakesTraces(collector), server
    )
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(  # pyright: ignore[reportUnknownMemberType]
        _TakesMetrics(collector), server
    )
    collector.grpc = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _over_http(collector))
    collector.http = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield collector
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        server.stop(0).wait()
        workers.shutdown()
