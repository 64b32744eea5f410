"""The table of the nodes to repair, as a CSV or a YAML file says it.

    cluster,instance,mode,reason,incident          cluster-1:
    cluster-1,cluster-1-node-1,,,                  - cluster-1-node-1
    cluster-1,cluster-1-node-2,HOST_AWARE,,        - {instance: cluster-1-node-2, mode: HOST_AWARE}

`cluster` and `instance` have to be there. An empty cell means what the command line says for all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.fields import Identifier, Mode


@dataclass(frozen=True)
class Node:
    """A node to repair, and why."""

    cluster: str
    instance: str
    mode: RemediationMode
    reason: str
    incident: str
    """What makes this repair another one than the last: the same incident repairs the same node once."""

    @property
    def name(self) -> str:
        """Its resource's name."""
        return f"{self.instance}-{self.incident}"


class _Row(BaseModel):
    """A row as it is written."""

    model_config = ConfigDict(extra="forbid")

    cluster: Identifier
    instance: Identifier
    mode: Mode
    reason: str | None = None
    incident: str = Field(min_length=1, max_length=200)


def read(file: str, text: str, *, mode: str, incident: str | None) -> list[Node]:
    """The nodes in a file's text, in its order; `mode` and `incident` are for those that name none. Raises ValueError,
    with one line that names the place."""
    named = {"incident": incident} if incident else {}
    nodes = dict[tuple[str, str], Node]()
    places = dict[tuple[str, str], str]()
    for place, written in _yaml(file, text) if file.endswith((".yaml", ".yml")) else _csv(file, text):
        try:
            row = _Row.model_validate({"mode": mode, **named, **written})
        except ValidationError as error:
            raise ValueError(f"{place}: {_mistake(error)}") from error
        key = (row.cluster, row.instance)
        if key in nodes:
            raise ValueError(f"{place}: {row.instance} of {row.cluster} is in {places[key]} already")
        nodes[key] = Node(*key, row.mode, row.reason or f"fleet: {row.incident}", row.incident)
        places[key] = place
    if not nodes:
        raise ValueError(f"{file}: there is no node in it")
    return list(nodes.values())


def _mistake(error: ValidationError) -> str:
    first = error.errors()[0]
    column = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "missing":
            more = ", nor does --incident" if column == "incident" else ""
            return f"it names no {column}{more}"
        case "extra_forbidden":
            return f"{column}: there is no such column; there are {', '.join(_Row.model_fields)}"
        case _:
            return f"{column}: {first['msg'].removeprefix('Value error, ')}"


def _csv(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True, restkey="more than the columns", strict=True)
    try:
        for cells in reader:
            yield f"{file}, line {reader.line_num}", {name: value for name, value in cells.items() if value}
    except csv.Error as error:
        raise ValueError(f"{file}, after line {reader.line_num}: this is no CSV: {error}") from error


def _yaml(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        clusters: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: this is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(clusters, dict):
        raise ValueError(f"{file}: write clusters, and under each a list of its nodes")
    for cluster, rows in cast(dict[Any, Any], clusters).items():
        if not isinstance(rows, list):
            raise ValueError(f"{file}, {cluster}: write a list of its nodes")
        for number, row in enumerate(cast(Sequence[Any], rows), start=1):
            cells = cast(Mapping[str, Any], row) if isinstance(row, dict) else {"instance": row}
            yield f"{file}, {cluster}, node {number}", {"cluster": cluster, **cells}
