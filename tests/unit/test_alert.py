"""examples/automation: an alert as it is posted makes a table of nodes, whoever sends it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import alert
import pytest
from table import Node, read

from pulumi_resource_togetherai.api.enums import RemediationMode

POSTED = Path(__file__).with_name("alerts")
LATE = "2026-11-23T03:05:00Z"


def posted(name: str) -> dict[str, Any]:
    return json.loads((POSTED / f"{name}.json").read_text())


def call(given: Any, *options: str, monkeypatch: pytest.MonkeyPatch) -> int:
    text = given if isinstance(given, str) else json.dumps(given)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return alert.main(options)


def nodes(table: str) -> list[tuple[str, str]]:
    return [(node.cluster, node.written) for node in as_table(table)]


def as_table(table: str) -> list[Node]:
    """What the fleet makes of it."""
    return read("-", table.encode(), mode="REBOOT_VM", incident=None)


def table_of(given: Any, *options: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    assert call(given, *options, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_every_usual_exporter_names_its_node(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    table = table_of(posted("alertmanager"), monkeypatch=monkeypatch, capsys=capsys)
    assert nodes(table) == [
        ("training", "gpu-worker-13"),  # kube-state-metrics
        ("training", "gpu-worker-14"),  # node-exporter
        ("training", "slurm-worker-15"),
        ("4cb3a5a4-7c1c-4d1e-8f5b-3c9f1a2b4d5e", "gpu-worker-16"),  # the vendor's own
        ("training", "gpu-worker-12"),  # the DCGM exporter: two GPUs, one node
    ]
    last = as_table(table)[-1]
    assert (last.reason, last.incident) == ("alert: GpuXidError", f"alert-{LATE}")
    assert (last.mode, last.column, last.since and last.since.isoformat()) == (
        RemediationMode.REBOOT_VM,
        "node",
        "2026-11-23T03:05:00+00:00",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grafana", [("training", "gpu-worker-12")]),
        ("pagerduty-alertmanager", [("training", "gpu-worker-12"), ("training", "gpu-worker-13")]),
        ("pagerduty-details", [("training", "gpu-worker-12")]),
        ("pagerduty-resolved", []),
    ],
)
def test_who_posts_it_does_not_matter(
    name: str,
    expected: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    assert nodes(table_of(posted(name), monkeypatch=monkeypatch, capsys=capsys)) == expected


def test_the_order_of_alerts_and_their_time_zone_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    webhook = posted("alertmanager")
    table = table_of(webhook, monkeypatch=monkeypatch, capsys=capsys)
    webhook["alerts"].reverse()
    for one in webhook["alerts"]:
        one["startsAt"] = one["startsAt"].replace("T0", "T1").replace("Z", "+10:00")
    assert table_of(webhook, monkeypatch=monkeypatch, capsys=capsys) == table


def test_other_labels_and_a_cluster_for_all_are_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    webhook = posted("grafana")
    webhook["alerts"][0]["labels"] = {"alertname": "broken", "machine": "rack-7", "instance": "exporter:9400"}
    options = ("--node-label=machine", "--cluster=training")
    assert nodes(table_of(webhook, *options, monkeypatch=monkeypatch, capsys=capsys)) == [("training", "rack-7")]


def test_an_alert_without_a_node_is_named_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    webhook = posted("alertmanager")
    webhook["alerts"] = webhook["alerts"][:2]
    webhook["alerts"][0]["labels"] = {"alertname": "Odd", "cluster": "training", "rack": "7"}
    assert call(webhook, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert nodes(said.out) == [("training", "gpu-worker-12")]
    assert said.err == (
        "error: Odd fires, and no label that is known names its node; its labels are alertname=Odd, cluster=training, "
        "rack=7; name the right one with --node-label\n"
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("not json", "it: Invalid JSON"),
        ("[]", "it: Input should be "),
        ("{}", "alerts: Field required"),
        ('{"alerts": [{"labels": {}}]}', "alerts.0.startsAt: Field required"),
        ('{"event": {"data": {"status": "triggered"}}}', "event.data.created_at: Field required"),
    ],
)
def test_what_is_no_alert_is_one_line(
    given: str, problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert call(given, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"error: this is no alert of Alertmanager's, Grafana's or PagerDuty's webhook: {problem}")
