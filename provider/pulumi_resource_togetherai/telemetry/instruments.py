"""What the provider reports to OpenTelemetry: one span per piece of work, and a few measurements.

This module uses only OpenTelemetry's API, which does nothing until `export` has set up where the telemetry goes. Spans
and measurements hold no free text, only ids, modes, states, times and kinds of errors.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.context import Context
from opentelemetry.metrics import Meter, NoOpMeter
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, Span, SpanKind, StatusCode, Tracer, get_current_span

SCOPE = "pulumi_resource_togetherai"
"""The instrumentation scope of every span and metric."""

URN = "pulumi.urn"
CLUSTER = "togetherai.cluster.id"
INSTANCE = "togetherai.instance.id"
REMEDIATION = "togetherai.remediation.id"
MODE = "togetherai.remediation.mode"
STATE = "togetherai.remediation.state"
UPDATE_TIME = "togetherai.remediation.update_time"
STOP = "togetherai.wait.stop"
ERROR_TYPE = "error.type"
STATE_EVENT = "togetherai.remediation.state"
STOP_EVENT = "togetherai.wait.stopped"

Attributes = Mapping[str, str | int]

_REQUEST_TIMES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The buckets that the semantic conventions advise for HTTP, in seconds."""
_REPAIR_TIMES = (15, 30, 60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14400)
"""From a reboot to half a working day, in seconds."""


class Instruments:
    """The tracer and the metric instruments of one process."""

    def __init__(self, tracer: Tracer, meter: Meter, parent: Context | None = None) -> None:
        """`parent`: the context of a span that is not inside another span."""
        self.tracer = tracer
        self.traces = not isinstance(tracer, NoOpTracer)
        """Whether anybody receives the spans."""
        self.parent = parent
        self.requests = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="How long one try of a request to the API took.",
            explicit_bucket_boundaries_advisory=_REQUEST_TIMES,
        )
        self.posts = meter.create_counter(
            "togetherai.remediation.posts",
            unit="{post}",
            description="Requests to start a remediation, with `error.type` for those that brought no answer to use.",
        )
        self.waiting = meter.create_up_down_counter(
            "togetherai.remediation.waiting",
            unit="{remediation}",
            description="Remediations that are being waited for.",
        )
        self.durations = meter.create_histogram(
            "togetherai.remediation.duration",
            unit="s",
            description="From create_time to end_time of the remediations that were waited for to their end.",
            explicit_bucket_boundaries_advisory=_REPAIR_TIMES,
        )


_in_use = Instruments(NoOpTracer(), NoOpMeter(SCOPE))
_NO_SPAN = nullcontext(INVALID_SPAN)
"""In place of each span where nobody receives any: for a span that does nothing, OpenTelemetry makes a context and two
generators, and a process may have thousands of them."""


def instruments() -> Instruments:
    """The instruments in use. They report nothing unless `use` was called."""
    return _in_use


def use(made: Instruments) -> None:
    """Makes these the instruments in use."""
    global _in_use
    _in_use = made


def started(name: str, kind: SpanKind, attributes: Attributes) -> AbstractContextManager[Span]:
    """Starts a span inside the current one, and makes it the current one. The span records nothing of an error by
    itself, because the error's text may hold what others wrote."""
    made = instruments()
    if not made.traces:
        return _NO_SPAN
    inside = get_current_span().get_span_context().is_valid
    return made.tracer.start_as_current_span(
        name,
        None if inside else made.parent,
        kind,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


def current_span() -> Span:
    """The span of the work that is being done."""
    return get_current_span() if instruments().traces else INVALID_SPAN


def span(name: str, attributes: Attributes) -> AbstractContextManager[Span]:
    """A span around the work inside. If an error ends the work, the span records the kind of error: the kind of its
    cause, if it was raised from another error."""
    return _around(name, attributes) if instruments().traces else _NO_SPAN


@contextmanager
def _around(name: str, attributes: Attributes) -> Generator[Span]:
    with started(name, SpanKind.INTERNAL, attributes) as current:
        try:
            yield current
        except BaseException as error:
            failed(current, type(error.__cause__ or error).__name__)
            raise


def failed(current: Span, error_type: str) -> None:
    """Marks the span of work that failed."""
    current.set_attribute(ERROR_TYPE, error_type)
    current.set_status(StatusCode.ERROR)
