"""What a wait reports to OpenTelemetry: that it is in progress, each change of state, and how long the remediation
took."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.telemetry.instruments import (
    CLUSTER,
    INSTANCE,
    MODE,
    REMEDIATION,
    STATE,
    STATE_EVENT,
    UPDATE_TIME,
    current_span,
    instruments,
)


@contextmanager
def observed(record: Remediation) -> Generator[Callable[[Remediation], None]]:
    """Counts a remediation as waited for while the block runs. Call what it yields with each newer record."""
    told, span, cluster = instruments(), current_span(), {CLUSTER: record.cluster_id}
    states = list[str]()

    def seen(newer: Remediation) -> None:
        if newer.state in states[-1:]:
            return
        states.append(newer.state.value)
        updated = {UPDATE_TIME: newer.update_time.isoformat()} if newer.update_time else {}
        span.add_event(STATE_EVENT, {STATE: newer.state.value, **updated})
        if newer.terminal and newer.create_time and newer.end_time:
            took = (newer.end_time - newer.create_time).total_seconds()
            told.durations.record(max(0.0, took), {**cluster, MODE: newer.mode.value, STATE: newer.state.value})

    span.set_attributes({**cluster, INSTANCE: record.instance_id, REMEDIATION: record.id, MODE: record.mode.value})
    told.waiting.add(1, cluster)
    try:
        seen(record)
        yield seen
    finally:
        told.waiting.add(-1, cluster)
