"""The list operation: its query, and pages that stay correct while remediations are added."""

from __future__ import annotations

import base64
import json
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from math import isfinite
from urllib.parse import parse_qsl

from pulumi_resource_togetherai.api.enums import OpenEnum, RemediationMode, RemediationState, RemediationTrigger
from togetherai_simulator.bodies import enum_values
from togetherai_simulator.dialect import Filters, Order
from togetherai_simulator.errors import invalid_argument
from togetherai_simulator.job import Job
from togetherai_simulator.settings import Settings

PARAMETERS = {
    "page_size": "page_size",
    "pageSize": "page_size",
    "page_token": "page_token",
    "pageToken": "page_token",
    "order_by": "order_by",
    "orderBy": "order_by",
    "state": "state",
    "mode": "mode",
    "trigger": "trigger",
}
"""The query parameters of the list operation: the contract's names, and those of the vendor's client."""

FILTERS: dict[str, type[OpenEnum]] = {
    "state": RemediationState,
    "mode": RemediationMode,
    "trigger": RemediationTrigger,
}
ORDERS = ("create_time", "update_time", "start_time", "end_time")
"""Fields that a list can be ordered by."""
UNORDERED = "unordered"
"""In place of such a field: in no order that anybody could tell, but in the same one for every request."""
USUAL_ORDERS: dict[Order, tuple[str, bool]] = {
    "newest": ("create_time", True),
    "oldest": ("create_time", False),
    "updated": ("update_time", True),
    "unordered": (UNORDERED, False),
}
"""The order of a list that asks for none: a field, and whether it is descending."""


@dataclass(frozen=True)
class ListQuery:
    """What a list request asks for."""

    page_size: int
    page_token: str | None = None
    order_by: tuple[tuple[str, bool], ...] = (("create_time", True),)
    """Fields, and whether each is descending."""
    filters: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    offsets: bool = False
    """Whether page tokens hold how many remediations came before, not a place in the order."""

    def fingerprint(self, scope: str) -> int:
        """A number in each page token that shows whether the token belongs to this query of this `scope`."""
        filters = sorted((name, sorted(values)) for name, values in self.filters.items())
        return zlib.crc32(repr((scope, self.order_by, filters, self.offsets)).encode())


def parse_query(query: str, settings: Settings) -> ListQuery:
    """Reads the query string of a list request; 400 INVALID_ARGUMENT for any mistake."""
    given: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in PARAMETERS:
            raise invalid_argument(name, f"no such query parameter; there are {', '.join(PARAMETERS)}")
        canonical = PARAMETERS[name]
        if spelled.setdefault(canonical, name) != name:
            raise invalid_argument(name, f"given as {spelled[canonical]} too")
        given.setdefault(canonical, []).append(value)
    for name in ("page_size", "page_token", "order_by"):
        if len(given.get(name, ())) > 1:
            raise invalid_argument(name, "given more than once")
    return ListQuery(
        page_size=_page_size(given.get("page_size"), settings),
        page_token=given["page_token"][0] or None if "page_token" in given else None,
        order_by=_order(given.get("order_by"), settings.dialect.order),
        filters=_filters(given, settings.dialect.filters),
        offsets=settings.dialect.page_tokens == "offset",
    )


def _page_size(given: list[str] | None, settings: Settings) -> int:
    if given is None:
        return min(settings.default_page_size, settings.max_page_size)
    text = given[0]
    # int() would also take spaces, underscores and other scripts' digits.
    if not (text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 11):
        raise invalid_argument("page_size", f"{text[:50]!r} is not a number")
    if (size := int(text)) < 0:
        raise invalid_argument("page_size", "must not be negative")
    if size > settings.max_page_size and settings.larger_page == "refuse":
        raise invalid_argument("page_size", f"must be {settings.max_page_size} at most")
    return min(size or settings.default_page_size, settings.max_page_size)


def _order(given: list[str] | None, usual: Order) -> tuple[tuple[str, bool], ...]:
    if given is None or not given[0]:
        return (USUAL_ORDERS[usual],)
    order: list[tuple[str, bool]] = []
    for term in given[0].split(","):
        name, *direction = term.split() or [""]
        if name not in ORDERS or direction not in ([], ["asc"], ["desc"]):
            raise invalid_argument("order_by", f"{term[:50]!r} is not one of {', '.join(ORDERS)}, with asc or desc")
        order.append((name, direction == ["desc"]))
    return tuple(order)


def _filters(given: dict[str, list[str]], served: Filters) -> dict[str, frozenset[str]]:
    wanted = {name: enum for name, enum in FILTERS.items() if name in given}
    if served == "honoured":
        return {name: _filter(name, enum, given[name]) for name, enum in wanted.items()}
    if served == "refused" and wanted:
        raise invalid_argument(next(iter(wanted)), "no such query parameter")
    return {}


def _filter(name: str, enum: type[OpenEnum], given: list[str]) -> frozenset[str]:
    values = frozenset(value for joined in given for value in joined.split(","))
    known = enum_values(enum)
    for value in sorted(values):
        if value not in known:
            raise invalid_argument(name, f"{value[:50]!r} is not one of {', '.join(known)}")
    return values


def page(jobs: Sequence[Job], query: ListQuery, scope: str, settings: Settings, now: datetime) -> bytes:
    """One page as the API answers it. `jobs` are oldest first; `scope` is the cluster or instance that they belong to.

    A page begins after the last remediation of the page before. The token holds the place of that remediation in the
    order, not a count, so remediations that are added or forgotten in between neither repeat nor hide others. With
    `offsets` it holds the count.
    """
    cursor = _read_token(query, scope, settings, now)
    before = max(0, int(cursor[0])) if cursor and query.offsets else 0
    ordered = _ordered(jobs, query, None if query.offsets else cursor)
    matching = (job for job in ordered if _matches(job, query))
    found = list(islice(matching, before, before + query.page_size + 1))
    shown = found[: query.page_size]
    token = ""
    if len(found) > len(shown):
        place = (before + len(shown),) if query.offsets else _place(shown[-1], query.order_by)
        token = _write_token(place, query, scope, now)
    has_next = b"true" if token else b"false"
    return b"".join(
        (
            b'{"remediations":[',
            b",".join(job.answer for job in shown),
            b'],"has_next":',
            has_next,
            b',"next_page_token":"',
            token.encode(),
            b'"}',
        )
    )


def _matches(job: Job, query: ListQuery) -> bool:
    return all(getattr(job.remediation, name) in values for name, values in query.filters.items())


Place = tuple[float, ...]
"""The place of a remediation in the order: a number for each field, then the remediation's own number."""


def _place(job: Job, order: Iterable[tuple[str, bool]]) -> Place:
    numbers: list[float] = []
    descending = False
    for name, descending in order:
        if name == UNORDERED:
            numbers.append(zlib.crc32(job.remediation.id.encode()))
            continue
        time: datetime | None = getattr(job.remediation, name)
        numbers.append((time.timestamp() if time else 0.0) * (-1 if descending else 1))
    return (*numbers, -job.number if descending else job.number)


def _ordered(jobs: Sequence[Job], query: ListQuery, cursor: Place | None) -> Iterable[Job]:
    if [name for name, _ in query.order_by] == ["create_time"]:
        # The jobs are kept in this order, so a history that may be long need not be sorted.
        if query.order_by[0][1]:
            end = len(jobs) if cursor is None else bisect_left(jobs, -cursor[-1], key=lambda job: job.number)
            return (jobs[index] for index in range(end - 1, -1, -1))
        start = 0 if cursor is None else bisect_right(jobs, cursor[-1], key=lambda job: job.number)
        return islice(jobs, start, None)
    placed = sorted((_place(job, query.order_by), index) for index, job in enumerate(jobs))
    return (jobs[index] for place, index in placed if cursor is None or place > cursor)


def _write_token(place: Place, query: ListQuery, scope: str, now: datetime) -> str:
    content = [int(now.timestamp()), query.fingerprint(scope), *place]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _read_token(query: ListQuery, scope: str, settings: Settings, now: datetime) -> Place | None:
    if query.page_token is None:
        return None
    try:
        issued, fingerprint, *place = json.loads(base64.b64decode(query.page_token, altchars=b"-_", validate=True))
        numbers = tuple(float(number) for number in place)
        if not all(map(isfinite, numbers)):
            raise ValueError
        age = now.timestamp() - float(issued)
    except (ValueError, TypeError):
        raise invalid_argument("page_token", "not a token of this service") from None
    length = 1 if query.offsets else len(query.order_by) + 1
    if fingerprint != query.fingerprint(scope) or len(numbers) != length:
        raise invalid_argument("page_token", "belongs to another list: keep filters and order from page to page")
    if age > settings.page_token_lifetime:
        raise invalid_argument("page_token", "has expired; begin again with the first page")
    return numbers
