"""What OpenTelemetry is told of a wait: each state, how long it took, and why it stopped. The loop itself is `wait`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.telemetry.instruments import (
    CLUSTER,
    INSTANCE,
    MODE,
    REMEDIATION,
    STATE,
    STATE_EVENT,
    STOP,
    STOP_EVENT,
    UPDATE_TIME,
    current_span,
    instruments,
)

_LOST = "OUTRUN"
"""The stop of a wait because others came first."""


def record_stop(watch: Watch) -> None:
    """Adds to the current span why a wait stopped before its end."""
    if watch.loss or watch.stop is not Stop.ENDED:
        current_span().add_event(STOP_EVENT, {STOP: _LOST if watch.loss else watch.stop.name})


@contextmanager
def observed(record: Remediation) -> Generator[Callable[[Remediation], None]]:
    """Says that a remediation is waited for while the block runs, and of each change of its state. Call
    what it yields with each newer record."""
    meters, span, cluster = instruments(), current_span(), {CLUSTER: record.cluster_id}
    states = list[str]()

    def seen(newer: Remediation) -> None:
        if newer.state in states[-1:]:
            return
        states.append(newer.state.value)
        updated = {UPDATE_TIME: newer.update_time.isoformat()} if newer.update_time else {}
        span.add_event(STATE_EVENT, {STATE: newer.state.value, **updated})
        if newer.terminal and newer.create_time and newer.end_time:
            took = (newer.end_time - newer.create_time).total_seconds()
            meters.durations.record(max(0.0, took), {**cluster, MODE: newer.mode.value, STATE: newer.state.value})

    span.set_attributes({**cluster, INSTANCE: record.instance_id, REMEDIATION: record.id, MODE: record.mode.value})
    meters.waiting.add(1, cluster)
    try:
        seen(record)
        yield seen
    finally:
        meters.waiting.add(-1, cluster)
