"""What an API serves, and how: ways to ask, pages, filters, order, agreement between answers, the clock, errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.api.pages import LARGER_PAGE_SIZE, PAGE_SIZE
from pulumi_resource_togetherai.describe.asking import FILTERS, repeats
from pulumi_resource_togetherai.describe.finding import Finding, cannot_tell, counted
from pulumi_resource_togetherai.describe.heard import ABSENT, Conversation, Filtered, Heard, Item, Json, value

NO_LIST = "no list was served"


def serving(heard: Conversation) -> list[Finding]:
    """What the answers show."""
    return [
        *_served("cluster by its id", heard.cluster),
        *_served("list of all instances (`-`)", heard.of_cluster),
        *_served("list of one instance", heard.of_instance, "no instance is known"),
        *_served("remediation by its id", heard.by_id[1] if heard.by_id else None, "no remediation was listed"),
        *_has_next(heard),
        *_last_token(heard),
        *_next_page(heard),
        *_sizes(heard),
        *_order(heard),
        *_filters(heard),
        *_agreement(heard),
        *_replaced(heard),
        *_clock(heard),
        *_errors(heard),
        *_bodies(heard),
    ]


def _served(about: str, answer: Heard | None, because: str = "there was no answer") -> list[Finding]:
    if answer is None:
        return cannot_tell(about, because)
    return [Finding(about, _status(answer), 1, 1)]


def _status(answer: Heard) -> str:
    return "served" if answer.served else f"refused with {answer.look.status}"


# --- pages ---


def _lists(heard: Conversation) -> list[Heard]:
    return [one for one in heard.all if one.served and one.of is not Remediation and one is not heard.cluster]


def _has_next(heard: Conversation) -> list[Finding]:
    about = "`has_next`"
    flags = [(value(page.body, "has_next"), page.token is not None) for page in _lists(heard) if page.body is not None]
    if not flags:
        return cannot_tell(about, NO_LIST)
    written = [(said, follows) for said, follows in flags if said is not ABSENT]
    count, of = len(written), len(flags)
    if not written:
        never = (
            "never, or only on pages that another one follows" if not any(follows for _, follows in flags) else "never"
        )
        return [Finding(about, never, count, of)]
    if count == of:
        only = "always" if any(said is False for said, _ in flags) else "always on pages that another one follows"
        return [Finding(about, only, count, of)]
    if all(said is True and follows for said, follows in written) and all(
        not follows for said, follows in flags if said is ABSENT
    ):
        return [Finding(about, "only on pages that another one follows", count, of)]
    return [Finding(about, "sometimes", count, of)]


def _last_token(heard: Conversation) -> list[Finding]:
    def way(token: Any) -> str:
        if token is ABSENT or token is None:
            return "absent" if token is ABSENT else "null"
        return '""' if token == "" else "a token, which leads nowhere"

    last = [page for page in _lists(heard) if page.body is not None and not page.more]
    return counted(
        "token of the last page", (way(value(page.body or {}, "next_page_token")) for page in last), "no list ended"
    )


def _next_page(heard: Conversation) -> list[Finding]:
    about = "next page is asked for as"
    if not heard.next_page:
        return cannot_tell(about, "no list had a second page")
    first = next(page for _, page in sorted(heard.sized.items()) if page.served and page.token)
    found = list[Finding]()
    for name, page in heard.next_page.items():
        if not page.served:
            what = f"`{name}` is refused with {page.look.status}"
        elif repeats(first, page):
            what = f"`{name}` brings the first page again"
        else:
            what = f"`{name}`"
        found.append(Finding(about, what, 1, 1))
    kind = "a number" if (first.token or "").isdecimal() else "a text that means nothing here"
    shifts = "whether pages shift when remediations appear or are forgotten in between"
    return [*found, Finding("page token", kind, 1, 1), *cannot_tell("pages", f"{shifts}, reading does not show")]


def _sizes(heard: Conversation) -> list[Finding]:
    found = list[Finding]()
    for size in (1, PAGE_SIZE, LARGER_PAGE_SIZE):
        about, page = f"page of {size}", heard.sized.get(size)
        if page is None:
            found += cannot_tell(about, NO_LIST)
        elif not page.served:
            found.append(Finding(about, f"refused with {page.look.status}", 1, 1))
        else:
            then = "more follow" if page.more else "the end"
            found.append(Finding(about, f"{len(page.raw_items)}, {then}", 1, 1))
    return [*found, _larger(heard), *_size_spelling(heard)]


def _larger(heard: Conversation) -> Finding:
    about, usual, larger = "larger pages", heard.sized.get(PAGE_SIZE), heard.sized.get(LARGER_PAGE_SIZE)
    if usual is None or larger is None:
        return cannot_tell(about, NO_LIST)[0]
    if not larger.served:
        return Finding(about, f"are refused with {larger.look.status}", 1, 1)
    if not usual.more:
        return cannot_tell(about, f"the list has no more than {PAGE_SIZE}")[0]
    helps = len(larger.raw_items) > len(usual.raw_items)
    return Finding(about, "help" if helps else f"do not help: there are {len(larger.raw_items)} in one at most", 1, 1)


def _size_spelling(heard: Conversation) -> list[Finding]:
    about, small, camel = "size of a page is asked for as", heard.sized.get(1), heard.sized_in_camel
    if small is None or not small.served:
        return cannot_tell(about, NO_LIST)
    if len(small.raw_items) > 1:
        other = camel is not None and camel.served and len(camel.raw_items) == 1
        return [Finding(about, "`pageSize`" if other else "nothing: it is not honoured", 1, 1)]
    if not small.more:
        return cannot_tell(about, "the list has no more than one")
    return [Finding(about, "`page_size`", 1, 1)]


def _order(heard: Conversation) -> list[Finding]:
    about, items = "order of a list", heard.listed.items if heard.listed else []
    found = list[Finding]()
    for what, name, descending in (
        ("newest first", "create_time", True),
        ("oldest first", "create_time", False),
        ("last updated first", "update_time", True),
        ("last updated last", "update_time", False),
    ):
        times = [time for item in items if (time := cast(datetime | None, getattr(item.record, name))) is not None]
        steps = [(one, other) for one, other in pairwise(times) if one != other]
        if steps and all((one > other) == descending for one, other in steps):
            found.append(Finding(about, what, len(steps), len(steps)))
    if found:
        return found
    times = {item.record.create_time for item in items} - {None}
    if len(times) < 2:
        return cannot_tell(about, "no two remediations that were listed have different times")
    return [Finding(about, "none by their times", len(items), len(items))]


# --- filters ---


def _filters(heard: Conversation) -> list[Finding]:
    found = list[Finding]()
    items = heard.listed.items if heard.listed else []
    for name in FILTERS:
        about, tried = f"filter `{name}`", heard.filtered.get(name, [])
        if not tried:
            found += cannot_tell(about, NO_LIST)
        for one in tried:
            what = _honoured(name, one, items)
            found.append(Finding(about, what, 1, 1)) if what else found.extend(
                cannot_tell(about, "it is not refused, but nothing is listed that it would leave out")
            )
    return [*found, *_several(heard)]


def _honoured(name: str, one: Filtered, items: Iterable[Item]) -> str:
    spelling = "" if one.spelling == "in full" else f" if written {one.spelling}"
    if not one.heard.served:
        return f"refused with {one.heard.look.status}{spelling}"
    answered = {str(getattr(item.record, name)) for item in one.heard.items}
    if answered - one.wanted:
        return f"ignored{spelling}"
    others = {str(getattr(item.record, name)) for item in items} - one.wanted
    return f"honoured{spelling}" if others else ""


def _several(heard: Conversation) -> list[Finding]:
    about = "several states in one filter"
    if not heard.several:
        return cannot_tell(about, "that takes a list with some state, and a filter that is served")
    found = list[Finding]()
    for how, one in heard.several.items():
        written = "as several parameters" if how == "repeated" else "with commas"
        if not one.heard.served:
            what = f"refused with {one.heard.look.status} {written}"
        elif one.heard.items:
            what = f"served {written}"
        else:
            what = f"{written} not all of them count"
        found.append(Finding(about, what, 1, 1))
    return found


# --- agreement ---


def _agreement(heard: Conversation) -> list[Finding]:
    return [*_by_id_agrees(heard), *_lists_agree(heard)]


def _by_id_agrees(heard: Conversation) -> list[Finding]:
    about = "by its id and in the list"
    if heard.by_id is None:
        return cannot_tell(about, "no remediation was listed")
    listed, answer = heard.by_id
    if not answer.served:
        return [Finding(about, f"it is listed, and by its id refused with {answer.look.status}", 1, 1)]
    if not answer.items:
        return [Finding(about, "the answer is not this remediation", 1, 1)]
    return [Finding(about, _compared(listed.record, answer.items[0].record, "by its id"), 1, 1)]


def _lists_agree(heard: Conversation) -> list[Finding]:
    about, wide, own = "instance's list and the cluster's", heard.of_cluster, heard.of_instance
    if not (wide and wide.served and own and own.served):
        return cannot_tell(about, "that takes both")
    instance = own.about.instance_id or ""
    in_wide = {folded(one.record.id): one for one in wide.items if folded(one.record.instance_id) == folded(instance)}
    in_own = {folded(one.record.id): one for one in own.items}
    if not (in_wide or in_own):
        return cannot_tell(about, "the instance has no remediations")
    ways = list[str]()
    for name in in_wide.keys() | in_own.keys():
        if name not in in_own:
            ways += ["only the cluster's has it"] if not own.more else []
        elif name not in in_wide:
            ways += ["only the instance's has it"] if not wide.more else []
        else:
            ways.append(_compared(in_wide[name].record, in_own[name].record, "the instance's"))
    return counted(about, ways, "each goes on")


def _compared(listed: Remediation, other: Remediation, which: str) -> str:
    """How two records of one remediation differ, of which the second one was asked for later."""
    differing = [name for name in Remediation.model_fields if getattr(listed, name) != getattr(other, name)]
    if not differing:
        return "agree"
    if listed.update_time and other.update_time and listed.update_time != other.update_time:
        return f"{which} is {'later' if other.update_time > listed.update_time else 'earlier'}"
    return f"differ in {', '.join(differing)}"


def _replaced(heard: Conversation) -> list[Finding]:
    about = "paths of a replaced instance"
    if not heard.replaced_seen:
        return cannot_tell(about, "no instance of a remediation that was listed was replaced")
    served = [("list", heard.replaced_list), ("remediation by its id", heard.replaced_by_id)]
    return [Finding(about, f"{what}: {_status(answer)}", 1, 1) for what, answer in served if answer is not None]


# --- the rest ---


def _clock(heard: Conversation) -> list[Finding]:
    dated, of = sum("date" in answer.look.headers for answer in heard.all), len(heard.all)
    header = Finding("Date header", "sent" if dated else "not sent", dated or of, of)
    ahead = heard.clock_ahead
    if ahead is None:
        return [header, *cannot_tell("clock", "no answer has a time")]
    offset = round(ahead)
    way = "agrees with this machine's" if abs(offset) < 2 else f"{abs(offset)} s {'ahead' if offset > 0 else 'behind'}"
    now = datetime.now(UTC).timestamp() + ahead
    latest = max((time.timestamp() for item in _items(heard) if (time := item.record.update_time)), default=now)
    found = [header, Finding("clock", way, 1, 1)]
    if latest - now > 2:
        found.append(Finding("clock of records", f"up to {round(latest - now)} s ahead of the Date header", 1, 1))
    return found


def _items(heard: Conversation) -> Sequence[Item]:
    return [item for answer in heard.all for item in answer.items]


def _errors(heard: Conversation) -> list[Finding]:
    found = _served("remediation that cannot exist", heard.impossible, "no instance is known")
    failed = [answer for answer in heard.all if not answer.served]
    return [*found, *counted("form of errors", (error_form(answer) for answer in failed), "there was no error")]


def error_form(answer: Heard) -> str:
    """How an error is worded."""
    kind, body = answer.look.headers.get("content-type", "").partition(";")[0].strip().lower(), answer.body
    if not answer.look.content.strip():
        return "no body"
    if body is None:
        return {"text/html": "HTML", "text/plain": "plain text"}.get(kind, "no JSON object")
    inner = body.get("error")
    if isinstance(inner, dict):
        return f"JSON: `error` with {_names_in(cast(Json, inner))}"
    return f"JSON: {_names_in(body)}"


_OF_ERRORS = ("code", "message", "details", "status", "type", "param", "error", "detail", "title", "errors")


def _names_in(body: Json) -> str:
    names = [f"`{name}`" for name in _OF_ERRORS if name in body]
    others = len(body) - len(names)
    return ", ".join([*names, *([f"{others} others"] if others else [])]) or "nothing"


def _bodies(heard: Conversation) -> list[Finding]:
    compressed = sum(bool(answer.look.encoding) for answer in heard.all)
    of = len(heard.all)
    odd = [bool(answer.served and answer.body is None) for answer in heard.all]
    raw = sum(len(answer.raw_items) for answer in heard.all)
    unreadable = raw - sum(len(answer.items) for answer in heard.all)
    return [
        Finding("compression, not asked for", "done all the same" if compressed else "left out", compressed or of, of),
        *([Finding("answers without a JSON object", "there are some", sum(odd), len(odd))] if any(odd) else []),
        *([Finding("remediations not understood", "there are some", unreadable, raw)] if unreadable else []),
        *(Finding("requests without an answer", name, count, heard.sent) for name, count in heard.unanswered.items()),
        *([Finding("not everything was asked", heard.stopped, heard.sent, heard.sent)] if heard.stopped else []),
    ]
