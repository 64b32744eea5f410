"""What to repair: from the command line, or from an alert as Prometheus Alertmanager posts it to a webhook.

    python alert.py < alert.json > nodes.csv

prints it as a table, for ../fleet.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError


@dataclass(frozen=True)
class Work:
    """Nodes of one cluster, and the incident because of which they are repaired."""

    cluster: str
    instances: tuple[str, ...]
    incident: str
    """What makes this repair another one than the last: the same incident repairs the same node once."""


class _Alert(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    status: str = "firing"
    fingerprint: str
    starts_at: str = Field(alias="startsAt")
    labels: dict[str, str]


class _Webhook(BaseModel):
    alerts: list[_Alert]


def from_alert(text: str) -> list[Work]:
    """The work in an alert's JSON: one for each firing alert with the labels `cluster_id` and `instance_id`. Raises
    ValueError, with one line that says what is wrong."""
    try:
        alerts = _Webhook.model_validate_json(text).alerts
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ValueError(f"this is no alert of Alertmanager's webhook: {where}: {first['msg']}") from error
    work = [
        Work(alert.labels["cluster_id"], (alert.labels["instance_id"],), f"{alert.fingerprint}-{alert.starts_at}")
        for alert in alerts
        if alert.status == "firing" and {"cluster_id", "instance_id"} <= alert.labels.keys()
    ]
    if not work:
        raise ValueError("no alert in it fires with the labels cluster_id and instance_id")
    return work


def print_table(work: Iterable[Work], to: TextIO) -> None:
    """Writes the work as CSV: a line for each node. Where several alerts name a node, the first one stands for all."""
    table = csv.writer(to, lineterminator="\n")
    table.writerow(("cluster", "instance", "incident"))
    incidents = dict[tuple[str, str], str]()
    for one in work:
        for instance in one.instances:
            incidents.setdefault((one.cluster, instance), one.incident)
    table.writerows((*node, incident) for node, incident in incidents.items())


def main() -> int:
    """The command."""
    try:
        print_table(from_alert(sys.stdin.read()), sys.stdout)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
