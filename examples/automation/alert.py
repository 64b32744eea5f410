"""What an alert says is broken, as a table of nodes that ../fleet repairs. Reads what is posted to a webhook:
Alertmanager's and Grafana's alerts, PagerDuty's incidents.

    python alert.py < alert.json | python ../fleet/fleet.py - --yes

The fault of a node begins with the last of its alerts. The fleet starts nothing for a fault that began before the end
of a repair of the node: so alerts may resolve, be sent again in any order and be grouped anew, and what two alerts say
of one node is one repair.

It ends with 0; with 1 when an alert fires of which it cannot tell the node or the cluster; with 2 when what it was
given is no alert.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TextIO, cast

from pydantic import AwareDatetime, BaseModel, Discriminator, Field, Tag, TypeAdapter, ValidationError

from pulumi_resource_togetherai.sanitize import quoted

CLUSTER = ("cluster_id", "cluster", "cluster_name")
"""The labels that name a cluster, by its id or its name; the first that an alert has counts."""
NODE = (
    "target_vm",  # Together AI's own alerts
    "Hostname",  # the DCGM exporter
    "node",  # kube-state-metrics, Slurm's exporters, node-exporter in Kubernetes
    "nodename",  # node-exporter's node_uname_info
    "host",  # Slurm's exporters
    "hostname",
    "instance_id",
    "instance",  # what Prometheus has asked: the node only where nothing before says it
)
"""The labels that name a node, in any way that the API knows; the first that an alert has counts."""
PORT = re.compile(r":\d+$")
LABEL = re.compile(r"^ *- (?P<name>\w+) = (?P<value>.*)$", re.MULTILINE)
"""A label in the text that Alertmanager gives to PagerDuty."""


@dataclass(frozen=True)
class Alert:
    """An alert that fires."""

    since: datetime
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.labels.get("alertname") or self.labels.get("alert_name") or "an alert without a name"


@dataclass(frozen=True)
class Fault:
    """A node that is broken."""

    cluster: str
    node: str
    since: datetime
    alerts: tuple[str, ...]

    @property
    def row(self) -> tuple[str, ...]:
        """The table's row. The incident is the fault's begin, so that the same fault has one name whoever tells it."""
        since = self.since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return (self.cluster, self.node, f"alert: {', '.join(self.alerts)}"[:200], f"alert-{since}", since)


class _Alert(BaseModel):
    status: str = "firing"
    starts_at: AwareDatetime = Field(alias="startsAt")
    labels: dict[str, str]


class _Alerts(BaseModel):
    """What Alertmanager and Grafana post."""

    alerts: list[_Alert]


class _Incident(BaseModel):
    status: str
    created_at: AwareDatetime
    title: str = ""
    body: Any = None


class _Event(BaseModel):
    data: _Incident


class _Webhook(BaseModel):
    """What PagerDuty posts."""

    event: _Event


_POSTED = TypeAdapter[_Alerts | _Webhook](
    Annotated[
        Annotated[_Alerts, Tag("alerts")] | Annotated[_Webhook, Tag("event")],
        Discriminator(lambda posted: "event" if isinstance(posted, dict) and "event" in posted else "alerts"),
    ]
)


def firing(text: str) -> list[Alert]:
    """The alerts that fire, in the JSON of a webhook. Raises ValueError, with one line that says what is wrong."""
    try:
        posted = _POSTED.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:])) or "it"
        raise ValueError(
            f"this is no alert of Alertmanager's, Grafana's or PagerDuty's webhook: {where}: {first['msg']}"
        ) from error
    if isinstance(posted, _Webhook):
        return list(_of_incident(posted.event.data))
    return [Alert(one.starts_at, one.labels) for one in posted.alerts if one.status == "firing"]


def _of_incident(incident: _Incident) -> Iterator[Alert]:
    """PagerDuty tells of an incident with what the alert gave it: details, or Alertmanager's text of several alerts."""
    if incident.status == "resolved":
        return
    details = dict(_scalars(incident.body))
    blocks = [block for value in details.values() for block in value.split("Labels:")[1:]]
    for block in blocks:
        found = {match["name"]: match["value"].strip() for match in LABEL.finditer(block.partition("Annotations:")[0])}
        yield Alert(incident.created_at, found)
    if not blocks:
        yield Alert(incident.created_at, {"alertname": incident.title, **details})


def _scalars(value: Any) -> Iterator[tuple[str, str]]:
    """Every name with a text or a number, however deep it stands."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _scalars(item)
    if isinstance(value, dict):
        for name, item in cast(dict[str, Any], value).items():
            if isinstance(item, str | int | float):
                yield name, str(item)
            else:
                yield from _scalars(item)


@dataclass(frozen=True)
class Labels:
    """Which labels name what."""

    cluster: Sequence[str] = CLUSTER
    node: Sequence[str] = NODE
    otherwise: str = ""
    """The cluster of alerts that name none."""

    def of(self, alert: Alert) -> tuple[str, str]:
        """The cluster and the node of an alert. Raises ValueError if it does not say them."""
        cluster = self._first(alert, self.cluster) or self.otherwise
        node = self._first(alert, self.node)
        if cluster and node:
            return cluster, node
        missing, option = ("node", "--node-label") if cluster else ("cluster", "--cluster-label, or --cluster")
        there = ", ".join(f"{name}={quoted(value)}" for name, value in sorted(alert.labels.items())) or "none"
        raise ValueError(
            f"{quoted(alert.name)} fires, and no label that is known names its {missing}; its labels are {there}; "
            f"name the right one with {option}"
        )

    @staticmethod
    def _first(alert: Alert, names: Iterable[str]) -> str:
        found = next((name for name in names if alert.labels.get(name, "").strip()), "")
        value = alert.labels.get(found, "").strip()
        return PORT.sub("", value) if found == "instance" else value


def faults(alerts: Iterable[Alert], labels: Labels) -> tuple[list[Fault], list[str]]:
    """One fault for each node, in the order in which they began, and what is wrong with other alerts."""
    found, wrong = dict[tuple[str, str], list[Alert]](), list[str]()
    for alert in alerts:
        try:
            found.setdefault(labels.of(alert), []).append(alert)
        except ValueError as error:
            wrong.append(str(error))
    nodes = [
        Fault(*where, max(one.since for one in told), tuple(sorted({one.name for one in told})))
        for where, told in found.items()
    ]
    return sorted(nodes, key=lambda one: (one.since, one.cluster, one.node)), wrong


def write(faults: Iterable[Fault], to: TextIO) -> None:
    """Writes the table."""
    table = csv.writer(to, lineterminator="\n")
    table.writerow(("cluster", "node", "reason", "incident", "since"))
    table.writerows(one.row for one in faults)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--cluster", default="", metavar="NAME", help="the cluster of alerts that name none")
    for what, known in (("cluster", CLUSTER), ("node", NODE)):
        help_ = f"a label that names the {what}, before the usual ones: {', '.join(known)}"
        add(f"--{what}-label", action="append", default=[], metavar="LABEL", help=help_)
    asked = parser.parse_args(arguments)
    labels = Labels((*asked.cluster_label, *CLUSTER), (*asked.node_label, *NODE), asked.cluster)
    try:
        found, wrong = faults(firing(sys.stdin.read()), labels)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write(found, sys.stdout)
    for problem in wrong:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
