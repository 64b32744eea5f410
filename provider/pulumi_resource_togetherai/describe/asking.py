"""What is asked to find out how an API speaks: reads alone, and few of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

from pulumi_resource_togetherai.api.asked import Asked, Unusable, folded
from pulumi_resource_togetherai.api.client import ALL_INSTANCES, Client, Params
from pulumi_resource_togetherai.api.enums import OpenEnum, RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Cluster, Remediation, RemediationPage
from pulumi_resource_togetherai.api.pages import LARGER_PAGE_SIZE, PAGE_SIZE
from pulumi_resource_togetherai.describe.heard import Conversation, Filtered, Heard, Item, nodes, value

MOST_REQUESTS = 20
"""How many requests are sent at most. On most servers 15 are enough."""
IMPOSSIBLE_ID = "00000000-0000-4000-8000-000000000000"
"""An id that no remediation has."""
FILTERS: Mapping[str, type[OpenEnum]] = {
    "state": RemediationState,
    "mode": RemediationMode,
    "trigger": RemediationTrigger,
}
REPLACING = (RemediationMode.VM_ONLY, RemediationMode.HOST_AWARE)
"""The modes after which the node has another instance."""


class _Asking:
    """Sends the requests and keeps what is answered."""

    def __init__(self, client: Client, cluster_id: str) -> None:
        self._client = client
        self._id = cluster_id
        self.heard = Conversation()

    async def get(
        self, of: type[BaseModel], *below: str, about: Asked | None = None, params: Params | None = None
    ) -> Heard | None:
        """What a GET is answered; None if there is no answer, or if it would be one request too many. What may be a
        passing failure is tried twice."""
        answer: Heard | None = None
        for _ in range(2):
            if self.heard.sent >= MOST_REQUESTS:
                self.heard.stopped = f"not more than {MOST_REQUESTS} requests"
            if self.heard.stopped:
                break
            self.heard.sent += 1
            try:
                look = await self._client.look(self._id, *below, params=params)
            except ApiError as error:
                self.heard.unanswered[type(error).__name__] += 1
                continue
            answer = Heard(look, about or Asked(self._id), of)
            if look.status == 429:
                self.heard.stopped = "it asks for a pause (429)"
            if look.status < 500 or look.status == 501:
                break
        if answer is not None:
            self.heard.all.append(answer)
        return answer

    async def list(self, instance_id: str, params: Params) -> Heard | None:
        """A page of a list."""
        about = Asked(self._id, None if instance_id == ALL_INSTANCES else instance_id)
        return await self.get(
            RemediationPage,
            "instances",
            instance_id,
            "remediations",
            about=about,
            params={"page_size": PAGE_SIZE} | params,
        )

    async def record(self, instance_id: str, remediation_id: str) -> Heard | None:
        """A remediation by its id."""
        about = Asked(self._id, instance_id, remediation_id)
        return await self.get(Remediation, "instances", instance_id, "remediations", remediation_id, about=about)


async def ask(client: Client, cluster_id: str) -> Conversation:
    """Asks everything. Never raises ApiError: what is not answered is part of the description."""
    asking = _Asking(client, cluster_id)
    heard = asking.heard
    heard.cluster = await asking.get(Cluster, about=Asked(cluster_id))
    now_there = _instances(heard.cluster)
    heard.of_cluster = await asking.list(ALL_INSTANCES, {})
    listed, place = heard.of_cluster, ALL_INSTANCES
    items = (listed.items if listed else []) or _latest(heard.cluster, cluster_id)
    current = [item for item in items if folded(item.record.instance_id) in now_there]
    chosen = next(iter(current or items), None)
    instance = chosen.record.instance_id if chosen else next(iter(now_there), None)
    if instance is not None:
        heard.of_instance = await asking.list(instance, {})
        if not (listed and listed.served):
            listed, place = heard.of_instance, instance
        await _by_id(asking, instance, chosen)
    heard.listed = listed
    known, items = items, listed.items if listed else []
    if listed is not None and listed.served:
        heard.sized[PAGE_SIZE] = listed
        await _pages(asking, place)
        for name in FILTERS:
            await _filter(asking, place, name, items)
        await _several(asking, place, items)
    gone = [item for item in known if _replaced(item.record) and folded(item.record.instance_id) not in now_there]
    if gone and now_there:
        heard.replaced_seen = len(gone)
        old = gone[0].record
        heard.replaced_list = await asking.list(old.instance_id, {})
        heard.replaced_by_id = await asking.record(old.instance_id, old.id)
    heard.clock_ahead = client.clock_ahead()
    return heard


async def _by_id(asking: _Asking, instance_id: str, chosen: Item | None) -> None:
    """A remediation by its id, and one that cannot exist."""
    if chosen is not None:
        answer = await asking.record(chosen.record.instance_id, chosen.record.id)
        asking.heard.by_id = (chosen, answer) if answer else None
    asking.heard.impossible = await asking.record(instance_id, IMPOSSIBLE_ID)


async def _pages(asking: _Asking, place: str) -> None:
    heard = asking.heard
    for size in (1, LARGER_PAGE_SIZE):
        if answer := await asking.list(place, {"page_size": size}):
            heard.sized[size] = answer
    small = heard.sized.get(1)
    if small and len(small.raw_items) > 1:
        about = Asked(asking.heard.all[0].about.cluster_id)
        heard.sized_in_camel = await asking.get(
            RemediationPage, "instances", place, "remediations", about=about, params={"pageSize": 1}
        )
    size, first = next(
        ((size, page) for size, page in sorted(heard.sized.items()) if page.served and page.token), (0, None)
    )
    if first is None or first.token is None:
        return
    for name in ("page_token", "pageToken"):
        if answer := await asking.list(place, {"page_size": size, name: first.token}):
            heard.next_page[name] = answer
            if answer.served and not repeats(first, answer):
                return


def repeats(first: Heard, second: Heard) -> bool:
    """Whether the page after one has the same remediations."""
    return bool(second.raw_items) and [one.record.id for one in first.items] == [one.record.id for one in second.items]


async def _filter(asking: _Asking, place: str, name: str, items: list[Item]) -> None:
    """Asks for a value that not all of the list have, so that it shows whether the filter counts."""
    there = {str(getattr(item.record, name)) for item in items}
    known = [member.value for member in FILTERS[name]]
    wanted = next((one for one in known if one not in there), known[0])
    as_answered = {
        member.value: str(value(item.fields, name))
        for item in items
        for member in FILTERS[name]
        if member.value == getattr(item.record, name)
    }
    other = _respelled(wanted, as_answered)
    for spelling, written in (("in full", wanted), ("as in answers", other)):
        if written is None or (spelling != "in full" and written == wanted):
            continue
        answer = await asking.list(place, {name: [written]})
        if answer is None:
            continue
        asking.heard.filtered.setdefault(name, []).append(Filtered(frozenset({wanted}), spelling, answer))
        if answer.served:
            return


def _respelled(wanted: str, as_answered: Mapping[str, str]) -> str | None:
    """A value as the API's answers would write it, as far as those that it wrote show."""
    for full, written in as_answered.items():
        if full.lower() == written.lower():
            return wanted.lower() if written.islower() else wanted
        prefix = full[: len(full) - len(written)]
        if prefix and full.lower() == (prefix + written).lower():
            short = wanted.removeprefix(prefix)
            return short.lower() if written.islower() else short
    return None


async def _several(asking: _Asking, place: str, items: list[Item]) -> None:
    """Asks for three states of which only the second is in the list: a server that takes the first or the last of
    several parameters alone then lists nothing."""
    tried = asking.heard.filtered.get("state", [])
    there = {str(item.record.state) for item in items}
    known = [state.value for state in RemediationState]
    absent = [state for state in known if state not in there]
    present = [state for state in known if state in there]
    if not (tried and tried[-1].heard.served and present and len(absent) > 1):
        return
    states = [absent[0], present[0], absent[1]]
    for how, written in (("repeated", states), ("joined", [",".join(states)])):
        answer = await asking.list(place, {"state": written})
        if answer is None:
            continue
        asking.heard.several[how] = Filtered(frozenset(states), "in full", answer)
        if answer.served and answer.items:
            return


def _instances(cluster: Heard | None) -> dict[str, None]:
    """The instances that are in the cluster's nodes, in the same order."""
    found: list[Any] = [value(node, "instance_id") for node in nodes(cluster)]
    return {folded(one): None for one in found if isinstance(one, str) and one}


def _latest(cluster: Heard | None, cluster_id: str) -> list[Item]:
    """The nodes' latest remediations: where no list of the cluster is served, they tell who has any."""
    found = list[Item]()
    for node in nodes(cluster):
        with suppress(Unusable):
            fields = value(node, "latest_remediation")
            found.append(Item(fields, Asked(cluster_id).read(fields)))
    return found


def _replaced(record: Remediation) -> bool:
    return record.terminal and record.mode in REPLACING
