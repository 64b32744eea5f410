"""The fleet example's table of unhealthy nodes: an unknown status is named, and no reason to repair."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import unhealthy

from pulumi_resource_togetherai.functions.health import health
from pulumi_resource_togetherai.functions.results import Instance
from tests.unit.examples import record

FAILED = {"latest_remediation": record("FAILED").model_dump()}


def node(host: str, status: str, more: dict[str, Any] | None = None) -> Instance:
    told = {"host_name": host, "instance_id": f"i-{host}", "status": status, "health": health(status)}
    return Instance.model_validate(told | (more or {}))


def test_only_what_is_known_not_to_work_is_in_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    nodes = [
        node("works", "Running"),
        node("broken", "NOT_READY"),
        node("odd", "Wobbly"),
        node("odd-too", "Wobbly", FAILED),
        node("starting", "Booting", FAILED),
        node("cordoned", "Cordoned"),
        node("still-broken", "Ready", FAILED),
    ]

    def named(written: str) -> SimpleNamespace:
        return SimpleNamespace(cluster_id=f"id-of-{written}")

    def listed(_cluster: str) -> list[Instance]:
        return nodes

    monkeypatch.setattr(unhealthy, "get_cluster", named)
    monkeypatch.setattr(unhealthy, "get_instances", listed)
    monkeypatch.setattr("sys.argv", ["unhealthy.py", "training"])
    assert unhealthy.main() == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["cluster,node", "id-of-training,broken", "id-of-training,still-broken"]
    assert said.err == 'id-of-training: left out, because "Wobbly" is no known status: odd, odd-too\n'
