"""Sends telemetry to a collector, over OTLP, if the standard OTEL_ variables or `pulumi --otel-traces` name one.

If they do not, this module imports nothing of OpenTelemetry's SDK, starts no thread and sends nothing. It sets up
tracer and meter providers of its own, not the global ones: if the environment holds a TRACEPARENT, Pulumi has taken the
global tracer provider for its own spans, under its own service name.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from pulumi_resource_togetherai import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "pulumi-resource-togetherai"
"""The service's name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES says otherwise."""
ENGINES_COLLECTOR = "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"
"""Where the engine collects spans for `pulumi --otel-traces`, over gRPC. The engine takes no metrics."""
LONGEST_FLUSH = 2.0
"""How long, at most, the process takes at its end to send what was not sent yet, in seconds. Pulumi kills a plugin 5 s
after it has asked the plugin to end."""
INSTALL = "pip install 'pulumi-resource-togetherai[telemetry]'"

Signal = Literal["TRACES", "METRICS"]
Environment = Mapping[str, str]
Tell = Callable[[str], None]
"""Shows the user a line. It may be called from any thread, and does not wait."""

_at_the_end: list[Callable[[], object]] = []
"""For each signal, the function that sends the rest and closes the connections."""


def start(*, warn: Tell, debug: Tell) -> bool:
    """Sets up the telemetry that the environment asks for, and returns whether there is any. `warn` shows why it cannot
    be set up, `debug` what the exporters complain of later. Neither makes anything else fail."""
    traces, metrics, engines = (
        wanted("TRACES", os.environ),
        wanted("METRICS", os.environ),
        engines_collector(os.environ),
    )
    if not (traces or metrics or engines):
        return False
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    logger.addHandler(_Complaints(debug))
    try:
        _set_up(
            _span_exporter(engines) if traces or engines else None,
            _metric_exporter() if metrics else None,
        )
    except Exception as error:
        why = f"the exporter is not installed ({INSTALL})" if isinstance(error, ImportError) else str(error)
        warn(
            f"no telemetry is sent, though the environment asks for it: {why}. Set OTEL_SDK_DISABLED=true to remove "
            "this warning"
        )
        return False
    return True


def stop(within: float = LONGEST_FLUSH) -> None:
    """Sends what was not sent yet. Returns after `within` seconds at the latest, even if not all of it was sent."""
    ends = [threading.Thread(target=end, daemon=True) for end in _at_the_end]
    _at_the_end.clear()
    gives_up = time.monotonic() + within
    for end in ends:
        end.start()
    for end in ends:
        end.join(max(0.0, gives_up - time.monotonic()))


def wanted(signal: Signal, environment: Environment) -> bool:
    """Whether the standard variables ask for a signal: by the exporter `otlp` or, if they name no exporter, by an
    endpoint."""
    if _disabled(environment):
        return False
    if exporters := environment.get(f"OTEL_{signal}_EXPORTER"):
        return "otlp" in [name.strip() for name in exporters.split(",")]
    return bool(
        environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    )


def engines_collector(environment: Environment) -> str:
    """Where the engine collects spans; empty if it does not, or if the standard variables decide about spans."""
    if _disabled(environment) or environment.get("OTEL_TRACES_EXPORTER") or wanted("TRACES", environment):
        return ""
    return environment.get(ENGINES_COLLECTOR, "")


def _disabled(environment: Environment) -> bool:
    return environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _set_up(spans: SpanExporter | None, measurements: MetricExporter | None) -> None:
    from opentelemetry.metrics import NoOpMeter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import NoOpTracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from pulumi_resource_togetherai.telemetry.instruments import SCOPE, Instruments, use

    resource, tracer, meter = _resource(), NoOpTracer(), NoOpMeter(SCOPE)
    if spans is not None:
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracers.add_span_processor(BatchSpanProcessor(spans))
        tracer = tracers.get_tracer(SCOPE, __version__)
        _at_the_end.append(tracers.shutdown)
    if measurements is not None:
        meters = MeterProvider([PeriodicExportingMetricReader(measurements)], resource, shutdown_on_exit=False)
        meter = meters.get_meter(SCOPE, __version__)
        _at_the_end.append(meters.shutdown)
    parent = TraceContextTextMapPropagator().extract({"traceparent": os.environ.get("TRACEPARENT", "")})
    use(Instruments(tracer, meter, parent))


def _resource() -> Resource:
    """What the telemetry is about: this process, under the names that the environment gives it."""
    from uuid import uuid4

    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {"service.name": SERVICE, "service.version": __version__, "service.instance.id": str(uuid4())}
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _span_exporter(engines: str) -> SpanExporter:
    if engines or _protocol("TRACES") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(engines, insecure=True) if engines else OTLPSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

    return OverHttp()


def _metric_exporter() -> MetricExporter:
    if _protocol("METRICS") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as OverHttp

    return OverHttp()


def _protocol(signal: Signal) -> str:
    """`grpc`, which is Python's default and whose exporter comes with Pulumi, or `http/protobuf`."""
    name = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"
    chosen = os.environ.get(name) or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "grpc"
    if chosen not in ("grpc", "http/protobuf"):
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {chosen}; write grpc or http/protobuf")
    return chosen


class _Complaints(logging.Handler):
    """Passes on what the exporters log, for example that a collector does not answer."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Passes the line on, without a traceback."""
        self._tell(f"OpenTelemetry: {record.getMessage()}")
