"""When telemetry is sent, and that its end is not waited for without limit."""

from __future__ import annotations

import threading

import pytest

from pulumi_resource_togetherai.telemetry import export
from pulumi_resource_togetherai.telemetry.export import Signal, engines_collector, wanted
from pulumi_resource_togetherai.telemetry.request import instrumented

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}
BOTH: set[Signal] = {"TRACES", "METRICS"}


@pytest.mark.parametrize(
    ("environment", "signals"),
    [
        ({}, set[str]()),
        ({"OTEL_SERVICE_NAME": "repairs", "OTEL_RESOURCE_ATTRIBUTES": "a=b"}, set[str]()),
        (ENDPOINT, BOTH),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, set[str]()),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4317"}, {"TRACES"}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4317"}, {"METRICS"}),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, {"TRACES"}),
        ({"OTEL_METRICS_EXPORTER": "console, otlp"}, {"METRICS"}),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, {"METRICS"}),
        (ENDPOINT | {"OTEL_METRICS_EXPORTER": "prometheus"}, {"TRACES"}),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "True"}, set[str]()),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, BOTH),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, set[str]()),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], signals: set[Signal]):
    assert {signal for signal in BOTH if wanted(signal, environment)} == signals


@pytest.mark.parametrize(
    ("environment", "taken"),
    [
        ({}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4317"}, True),
        (ENDPOINT, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SDK_DISABLED": "true"}, False),
    ],
    ids=str,
)
def test_the_engine_gets_the_spans_unless_the_variables_say_something_about_spans(
    environment: dict[str, str], taken: bool
):
    assert engines_collector(environment) == ""
    wants = {"PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4999"}
    assert engines_collector(environment | wants) == ("localhost:4999" if taken else "")


def test_the_end_waits_for_one_dead_collector_no_longer_than_for_two(monkeypatch: pytest.MonkeyPatch):
    released, ended = threading.Event(), list[str]()
    gives_up = threading.Timer(10, released.set)
    gives_up.start()

    def never() -> None:
        released.wait()

    monkeypatch.setattr(export, "_at_the_end", [never, lambda: ended.append("sent"), never])
    export.stop(within=0.05)
    assert ended == ["sent"]
    assert not released.is_set()
    gives_up.cancel()
    released.set()
    export.stop()
    assert ended == ["sent"], "what has ended is not ended again"


def test_a_request_tells_nothing_as_long_as_nobody_listens():
    with instrumented("GET", "https://api.together.xyz/v1", "/compute/clusters/c", resends=0) as exchange:
        exchange.status = 200
