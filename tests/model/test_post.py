"""The POST: how often it is sent, for how long what it started is looked for, and what the user reads of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest

from pulumi_resource_togetherai.api.client import Accepted, Client
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import AlreadyExists, AnswerLost, ApiError, Refused
from pulumi_resource_togetherai.api.models import Remediation
from tests.model.test_preview import PLAIN, behave
from tests.model.world import NODE, World

INTERVAL = 20.0
LONG = PLAIN | {"timeout": "2h"}
POST = Callable[[Client, str, dict[str, Any]], Any]


class Posts:
    """The POSTs of a world's runs, which a test answers, and the looks at the node."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, answer: Accepted | ApiError) -> None:
        self.at = list[float]()
        """When each was sent."""
        self.keys = list[str]()
        self._world = world

        async def answered(client: Client, *where: str, remediation_id: str, **more: Any) -> Accepted:
            self.at.append(world.loop.time())
            self.keys.append(remediation_id)
            if isinstance(answer, ApiError):
                raise answer
            return answer

        patch.setattr(Client, "create_remediation", answered)

    @property
    def looks(self) -> list[float]:
        """When each look at what there is was sent, in seconds after the first POST."""
        entries = [entry for entry in self._world.app.journal.entries if entry.method == "GET"]
        begun = self._world.app.platform.now.timestamp() - self._world.loop.time() + self.at[0]
        return [when for entry in entries if (when := entry.time.timestamp() - begun) > 0.1]


LOST = AnswerLost("create remediation", "no answer came")
EXISTS = AlreadyExists("create remediation", "there is one", http_status=409)
REFUSED = Refused("create remediation", "no such mode", http_status=400)


def test_an_unconfirmed_post_is_repeated_only_after_searches_and_not_forever(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    posts = Posts(world, monkeypatch, LOST)
    (error,) = world.up({"fix": LONG})
    assert "the API did not confirm the remediation of instance" in error
    assert "no answer came" in error
    assert "may lack one" not in error
    assert error.endswith("Run `pulumi up` again: it looks for the remediation first, and posts under the same key")
    assert len(posts.at) == 4, "maxRetries is 3"
    assert len(set(posts.keys)) == 1
    for one, next_one in pairwise((*posts.at, world.loop.time())):
        assert 6 * INTERVAL <= next_one - one < 7 * INTERVAL


def test_a_search_looks_soon_and_then_less_and_less_often(world: World, monkeypatch: pytest.MonkeyPatch):
    world.config = world.config.model_copy(update={"max_retries": 0})
    posts = Posts(world, monkeypatch, LOST)
    (error,) = world.up({"fix": LONG})
    assert "did not confirm" in error
    assert posts.looks == pytest.approx([4, 10, 19, 32.5, 52.5, 72.5, 92.5, 112.5, 132.5], abs=0.01)  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize(("key", "change"), [(None, "`triggers`"), ("incident-42", "`idempotencyKey`")])
def test_a_key_that_is_in_use_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str | None, change: str
):
    posts = Posts(world, monkeypatch, EXISTS)
    (error,) = world.up({"fix": LONG | ({"idempotencyKey": key} if key else {})})
    assert "the API refuses to start a remediation of instance" in error
    assert "there is one" in error
    assert error.endswith(f"If that key has been used before, change {change}")
    assert len(posts.at) == 1
    assert world.loop.time() - posts.at[0] >= 6 * INTERVAL


def test_a_refusal_ends_it_at_once(world: World, monkeypatch: pytest.MonkeyPatch):
    posts = Posts(world, monkeypatch, REFUSED)
    (error,) = world.up({"fix": LONG})
    assert "was started: create remediation: no such mode" in error
    assert (len(posts.at), posts.looks) == (1, [])


def listing_something_unreadable(world: World) -> None:
    """From now on every list has an item that nobody can read."""

    def bent(response: httpx.Response) -> httpx.Response:
        body = json.loads(response.content)
        if "remediations" in body:
            body["remediations"].append({"id": ["?"]})
        return httpx.Response(response.status_code, json=body)

    world.network.pace = lambda: 0.0
    world.network.bend = bent


@pytest.mark.parametrize("answer", [LOST, EXISTS], ids=["lost", "exists"])
def test_a_post_is_not_sent_again_while_the_list_may_lack_it(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: ApiError
):
    posts = Posts(world, monkeypatch, answer)
    create = Client.create_remediation

    async def then_unreadable(client: Client, *where: str, **more: Any) -> Accepted:
        listing_something_unreadable(world)
        return await create(client, *where, **more)

    monkeypatch.setattr(Client, "create_remediation", then_unreadable)
    (error,) = world.up({"fix": LONG})
    assert "though its list may lack one (" in error
    assert len(posts.at) == 1


@pytest.mark.parametrize("answer", [Accepted(), Accepted(problem="it is not JSON"), Accepted(remediation_id="x-1")])
def test_what_was_accepted_is_looked_for_and_never_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Accepted
):
    posts = Posts(world, monkeypatch, answer)
    (error,) = world.up({"fix": LONG})
    assert f"but for 4m it has shown none under the idempotency key {posts.keys[0]} (" in error
    shown = f"; {answer.problem}" if answer.problem else ""
    assert f"(it is neither there by its id nor in a list{shown}). One may be under way" in error
    assert len(posts.at) == 1
    assert 12 * INTERVAL <= world.loop.time() - posts.at[0] < 13 * INTERVAL


def test_what_was_accepted_and_a_list_may_lack_is_named_as_that(world: World, monkeypatch: pytest.MonkeyPatch):
    Posts(world, monkeypatch, Accepted())
    create = Client.create_remediation

    async def then_unreadable(client: Client, *where: str, **more: Any) -> Accepted:
        listing_something_unreadable(world)
        return await create(client, *where, **more)

    monkeypatch.setattr(Client, "create_remediation", then_unreadable)
    (error,) = world.up({"fix": LONG})
    assert "it is neither there by its id nor in a list" not in error
    assert "it has shown none under the idempotency key" in error


@pytest.mark.parametrize("reading", ["id", "refuse"])
def test_an_id_that_the_api_refuses_is_told_once(reading: str):
    world = World(reading=reading)
    program = {name: PLAIN | {"instanceId": f"cluster-1-{name}"} for name in ("node-1", "node-2")}
    assert world.up(program) == []
    told = [line for line in world.told.lines if "so remediations are started without it" in line]
    assert len(told) == (1 if reading == "refuse" else 0)
    world.close()


def another(world: World, **changes: Any) -> Remediation:
    """Somebody else's remediation, with changes."""
    behave(world, "never")
    world.somebody_else_starts_one()
    return world.records()[0].model_copy(update=changes)


@pytest.mark.parametrize("how", ["about another", "in another mode"])
def test_an_answer_about_another_one_ends_it_sooner_and_says_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
):
    other = another(world, mode=RemediationMode("REMEDIATION_MODE_VM_ONLY"))
    answer = Accepted(problem="it is about x", of_another=True) if how == "about another" else Accepted(other, other.id)
    posts = Posts(world, monkeypatch, answer)
    (error,) = world.up({"fix": LONG | {"ifActive": "CREATE"}})
    assert f"the idempotency key {posts.keys[0]} belongs to another remediation" in error
    assert ("it is about x" if answer.problem else f"it answered with remediation {other.id}") in error
    assert error.endswith("It shows none of ours. Choose another `idempotencyKey`")
    most = 6 if answer.of_another else 12
    assert most * INTERVAL <= world.loop.time() - posts.at[0] < (most + 1) * INTERVAL


def test_an_answer_with_somebody_elses_is_no_use_of_the_key(world: World, monkeypatch: pytest.MonkeyPatch):
    other = another(world)
    Posts(world, monkeypatch, Accepted(other, other.id))
    (error,) = world.up({"fix": LONG | {"ifActive": "CREATE"}})
    assert "it has shown none under the idempotency key" in error
    assert f"; it answered with remediation {other.id}" in error


@pytest.mark.parametrize("lag", [0, 30])
def test_what_was_accepted_without_a_word_is_found_however_late_it_is_shown(monkeypatch: pytest.MonkeyPatch, lag: int):
    world = World(settings={"dialect": {"get_lag": lag, "list_lag": lag}})
    create = Client.create_remediation

    async def answered(client: Client, *where: str, **more: Any) -> Accepted:
        return replace(await create(client, *where, **more), record=None, remediation_id=None)

    monkeypatch.setattr(Client, "create_remediation", answered)
    assert world.up({"fix": LONG}) == []
    assert list(world.effective_posts().values()) == [1]
    assert world.stack["fix"].resource.outputs["instanceId"] == NODE
    world.close()
