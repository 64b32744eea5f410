"""The table of the nodes to repair, as a CSV or a YAML file says it.

    cluster,node,mode,reason,incident              cluster-1:
    training,gpu-worker-12,,,                      - cluster-1-node-1
    cluster-1,cluster-1-host-2,HOST_AWARE,,        - {node: cluster-1-host-2, mode: HOST_AWARE}

`cluster` (an id or a name), and `node` (any name that the API has for it) or `instance`, have to be there. An empty
cell means what the command line says for all. CSV may come from a spreadsheet: see `_csv`.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.fields import Identifier, Mode, Named
from pulumi_resource_togetherai.sanitize import quoted

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Node:
    """A node to repair, and why."""

    cluster: str
    written: str
    """The node, as the table names it."""
    mode: RemediationMode
    reason: str
    incident: str
    """What makes this repair another one than the last: the same incident repairs the same node once."""
    column: str = "instance"
    """What it is named by: `instance`, or `node` for any name that the API has for it."""
    since: datetime | None = None
    """When the fault began. A repair of the node that was under way then, or came later, was made for it, whichever
    incident that one names."""
    names: frozenset[str] = frozenset()
    """Every name that the API has for the node, as they are compared; empty while nobody has looked."""

    @property
    def name(self) -> str:
        """Its resource's name."""
        return f"{self.written}-{self.incident}"


class _Row(BaseModel):
    """A row as it is written."""

    model_config = ConfigDict(extra="forbid")

    cluster: Named
    instance: Identifier | None = None
    node: Named | None = None
    mode: Mode
    reason: str | None = None
    incident: str = Field(min_length=1, max_length=200)
    since: AwareDatetime | None = None


COLUMNS = tuple(_Row.model_fields)


def read(file: str, data: bytes, *, mode: str, incident: str | None) -> list[Node]:
    """The nodes in a file, in its order; `mode` and `incident` are for those that name none. Raises ValueError, with
    one line that names the place and says what stands there."""
    named = {"incident": incident} if incident else {}
    nodes = dict[tuple[str, str], Node]()
    places = dict[tuple[str, str], str]()
    text = _text(file, data)
    for place, written in _yaml(file, text) if file.endswith((".yaml", ".yml")) else _csv(file, text):
        try:
            row = _Row.model_validate({"mode": mode, **named, **written})
        except ValidationError as error:
            raise ValueError(f"{place}: {_mistake(error, written)}") from error
        column, name = _which(place, row)
        key = (row.cluster, name)
        if key in nodes:
            raise ValueError(f"{place}: {quoted(name)} of {quoted(row.cluster)} is in {places[key]} already")
        reason = row.reason or f"fleet: {row.incident}"
        nodes[key] = Node(row.cluster, name, row.mode, reason, row.incident, column, row.since)
        places[key] = place
    return list(nodes.values())


def _text(file: str, data: bytes) -> str:
    """A file's text: in UTF-8, or as a spreadsheet on Windows writes it."""
    try:
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError as error:
            found = f"byte 0x{data[error.start]:02x} at {error.start} is no text in UTF-8, nor in Windows-1252"
            raise ValueError(f"{file}: {found}; save it as CSV in UTF-8") from error
    return re.sub(r"\r\n?", "\n", text)


def _which(place: str, row: _Row) -> tuple[str, str]:
    """The column that names the node, and the name."""
    found = [(column, name) for column, name in (("instance", row.instance), ("node", row.node)) if name]
    if len(found) == 2:
        raise ValueError(f"{place}: it names instance {quoted(found[0][1])} and node {quoted(found[1][1])}; name one")
    if not found:
        raise ValueError(f"{place}: it names no node of {quoted(row.cluster)}; fill in `node` or `instance`")
    return found[0]


def _mistake(error: ValidationError, written: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    column = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "missing":
            more = ", nor does --incident" if column == "incident" else ""
            there = ", ".join(f"{name} {quoted(str(cell))}" for name, cell in written.items())
            return f"it names no {column}{more}; it has {there}"
        case "extra_forbidden":
            return f"{quoted(column)}: there is no such column; there are {', '.join(COLUMNS)}"
        case _:
            return f"{column}: {quoted(str(first['input']))}: {first['msg'].removeprefix('Value error, ')}"


def _csv(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows. The separator is a comma, a semicolon or a tab, or what a first line `sep=` says; the names of columns
    count in any case; empty rows, and empty cells at the end of a row, say nothing."""
    lines = text.split("\n")
    said = re.fullmatch(r'"?sep=(.)"?', lines[0].strip(" "), re.IGNORECASE)
    before, separator = (1, said[1]) if said else (0, None)
    reader = csv.reader(
        (f"{line}\n" for line in lines[before:]),
        delimiter=separator or _separator(next((line for line in lines if line.strip()), "")),
        skipinitialspace=True,
        strict=True,
    )
    head: list[str] | None = None
    try:
        for row in reader:
            place, cells = f"{file}, line {before + reader.line_num}", [cell.strip() for cell in row]
            if not any(cells):
                continue
            if head is None:
                head = _head(place, cells)
                continue
            yield place, _cells(place, head, cells)
    except csv.Error as error:
        raise ValueError(f"{file}, after line {before + reader.line_num}: this is no CSV: {error}") from error
    if head is None:
        raise ValueError(f"{file}: it is empty; write a line with the names of the columns: {', '.join(COLUMNS)}")


def _separator(head: str) -> str:
    """What stands between the names of columns: what leaves the most names that are known."""

    def known(separator: str) -> int:
        return sum(name.strip(' "').casefold() in COLUMNS for name in head.split(separator))

    return max(SEPARATORS, key=known)


def _head(place: str, cells: Sequence[str]) -> list[str]:
    names = [cell.casefold() for cell in cells]
    shown = ", ".join(quoted(cell) or "one without a name" for cell in cells)
    for name, count in Counter(filter(None, names)).items():
        if name not in COLUMNS:
            raise ValueError(f"{place}: {quoted(name)}: there is no such column; there are {', '.join(COLUMNS)}")
        if count > 1:
            raise ValueError(f"{place}: the column {name} is there {count} times: {shown}")
    if "cluster" not in names or not {"node", "instance"} & {*names}:
        raise ValueError(f"{place}: the columns are {shown}; there have to be `cluster`, and `node` or `instance`")
    return names


def _cells(place: str, head: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    filled = {index: cell for index, cell in enumerate(cells) if cell}
    for index, cell in filled.items():
        if index >= len(head) or not head[index]:
            raise ValueError(f"{place}: {quoted(cell)} stands in a column without a name")
    return {head[index]: cell for index, cell in filled.items()}


def _yaml(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        clusters: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: this is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(clusters, dict):
        raise ValueError(f"{file}: write clusters, and under each a list of its nodes; there is {_kind(clusters)}")
    for cluster, rows in cast(dict[Any, Any], clusters).items():
        if not isinstance(rows, list):
            raise ValueError(f"{file}, {cluster}: write a list of its nodes; there is {_kind(rows)}")
        for number, row in enumerate(cast(Sequence[Any], rows), start=1):
            cells = cast(Mapping[str, Any], row) if isinstance(row, dict) else {"instance": row}
            yield f"{file}, {cluster}, node {number}", {"cluster": cluster, **cells}


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
