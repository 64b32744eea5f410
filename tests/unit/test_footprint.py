"""A process may wait for thousands of remediations: what each of them takes, it takes thousands of times."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from opentelemetry.context import get_current
from pulumi.runtime.proto import engine_pb2

from pulumi_resource_togetherai.api.asked import Asked
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.engine import AT_ONCE, Engine
from pulumi_resource_togetherai.telemetry.instruments import current_span, span


def read(number: int, **others: Any) -> Remediation:
    """A record as it is read from an answer."""
    item = {"id": f"r{number}", "instance_id": f"i{number}", "mode": "REMEDIATION_MODE_VM_ONLY", "state": "RUNNING"}
    return Asked("c1").read(item | others)


def test_records_with_the_same_fields_share_the_set_of_their_names():
    one, other, longer = read(1), read(2), read(3, reason="GPU 3 fell off the bus")
    assert one.model_fields_set is other.model_fields_set
    assert "reason" in longer.model_fields_set
    assert "reason" not in one.model_fields_set


def test_a_copy_with_another_field_adds_it_to_no_other_record():
    one, other = read(1), read(2)
    changed = one.model_copy(update={"reason": "GPU 3 fell off the bus"})
    assert "reason" in changed.model_fields_set
    assert "reason" not in other.model_fields_set


async def test_where_nobody_receives_spans_a_wait_holds_none():
    before = get_current()
    with span("create Remediation", {"pulumi.urn": "urn"}) as current:
        assert get_current() is before
        assert not current.is_recording()
        assert current_span() is current


async def test_messages_to_the_engine_take_turns():
    on_their_way, most = 0, 0

    class Slow:
        """The engine's service; it takes its time."""

        async def Log(self, _request: engine_pb2.LogRequest) -> None:
            """A line."""
            nonlocal on_their_way, most
            on_their_way += 1
            most = max(most, on_their_way)
            await asyncio.sleep(0)
            on_their_way -= 1

    engine = Engine("127.0.0.1:1")
    cast(Any, engine)._stub = Slow()
    await asyncio.gather(*(engine.report(f"urn{number}").status("RUNNING") for number in range(100)))
    assert most == AT_ONCE
