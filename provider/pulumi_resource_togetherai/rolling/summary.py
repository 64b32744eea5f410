"""A sentence and a table of what ran, in plain text for terminals and logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pulumi_resource_togetherai.api.enums import ACTIVE_STATES, RemediationState
from pulumi_resource_togetherai.columns import columns
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.operation.outcome import SUCCESSES
from pulumi_resource_togetherai.sanitize import BREAK, quoted

SHOWN = {
    "mode": "mode",
    "attempt": "attempt",
    "createTime": "create_time",
    "endTime": "end_time",
    "state": "state",
    "errorMessage": "error_message",
}
"""The outputs of a remediation that the table is made of, and the attributes that hold them."""
NOT_BEGUN = "not begun in this run"
UNDER_WAY = "still under way"
ERROR = "error"
"""The operation ended without a remediation to show; the error says why."""
Rows = Mapping[str, Mapping[str, Any] | str]
"""For each node the outputs of its remediation, or one of the texts above if it has none."""

_HEAD = ("node", "mode", "attempt", "took", "outcome")


def summary(rows: Rows, nodes: Sequence[str], *, halted: bool = False) -> str:
    """What came out of a rolling remediation: a sentence, and below it a line per node. `halted`: whether it ended
    before its time."""
    table = columns([_HEAD, *(_line(node, rows[node]) for node in nodes)])
    sentence = f"halted: {counted(rows)}" if halted else counted(rows)
    return BREAK.join((sentence, *table.splitlines()))


def counted(rows: Rows) -> str:
    """How many came to what: `2 of 6 repaired, 2 under way`."""
    came_to = Counter(map(_came_to, rows.values()))
    others = [f"{came_to[word]} {word}" for word in ("failed", "under way", "not begun") if came_to[word]]
    return ", ".join([f"{came_to['repaired']} of {len(rows)} repaired", *others])


def repaired(row: Mapping[str, Any] | str) -> bool:
    """Whether a remediation did its work, or was not needed."""
    return not isinstance(row, str) and RemediationState(row["state"]) in SUCCESSES


def _came_to(row: Mapping[str, Any] | str) -> str:
    if row == NOT_BEGUN:
        return "not begun"
    if row == UNDER_WAY:
        return "under way"
    if not isinstance(row, str) and RemediationState(row["state"]) in ACTIVE_STATES:
        return "under way"
    return "repaired" if repaired(row) else "failed"


def _line(node: str, row: Mapping[str, Any] | str) -> tuple[str, ...]:
    if isinstance(row, str):
        return (quoted(node), "", "", "", row)
    mode = str(row["mode"]).removeprefix("REMEDIATION_MODE_")
    attempt = "" if row.get("attempt") is None else str(int(row["attempt"]))
    why = "" if repaired(row) or not row.get("errorMessage") else f": {quoted(str(row['errorMessage']))}"
    return (
        quoted(node),
        quoted(mode),
        attempt,
        _took(row.get("createTime"), row.get("endTime")),
        f"{quoted(str(row['state']))}{why}",
    )


def _took(created: str | None, ended: str | None) -> str:
    if created is None or ended is None:
        return ""
    return duration_text(datetime.fromisoformat(ended) - datetime.fromisoformat(created))
