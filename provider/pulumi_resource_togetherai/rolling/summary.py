"""A table of what ran, in plain text for terminals and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pulumi_resource_togetherai.columns import columns
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.sanitize import quoted

SHOWN = {
    "mode": "mode",
    "attempt": "attempt",
    "createTime": "create_time",
    "endTime": "end_time",
    "state": "state",
}
"""The outputs of a remediation that the table is made of, and the attributes that hold them."""
_HEAD = ("node", "mode", "attempt", "took", "outcome")


def summary(rows: Mapping[str, Mapping[str, Any] | str], nodes: Sequence[str]) -> str:
    """One line per node: the outputs of its remediation, or a text if it has none."""
    return columns([_HEAD, *(_line(node, rows[node]) for node in nodes)])


def _line(node: str, row: Mapping[str, Any] | str) -> tuple[str, ...]:
    if isinstance(row, str):
        return (quoted(node), "", "", "", row)
    mode = str(row["mode"]).removeprefix("REMEDIATION_MODE_")
    attempt = "" if row.get("attempt") is None else str(int(row["attempt"]))
    return (
        quoted(node),
        quoted(mode),
        attempt,
        _took(row.get("createTime"), row.get("endTime")),
        quoted(str(row["state"])),
    )


def _took(created: str | None, ended: str | None) -> str:
    if created is None or ended is None:
        return ""
    return duration_text(datetime.fromisoformat(ended) - datetime.fromisoformat(created))
