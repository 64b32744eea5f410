"""Many questions share few requests, and no answer is older than its question unless that is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pulumi_resource_togetherai.api.errors import NotReached
from pulumi_resource_togetherai.clusters.batch import Answers, Batch

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps


class Service:
    """Answers every question with the moment at which its request was sent. A request takes a second."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.fails: Exception | None = None
        self.serves_all = True
        self.together = Batch[str, float](self.one, self.everything, min_interval=3)

    async def one(self, key: str) -> float:
        """A request for one thing."""
        return await self._answer(key)

    async def everything(self, keys: Sequence[str], worth: int) -> Answers[str, float] | None:
        """A request for everything, or for the `keys` at least; `hidden` is not in its answer."""
        self.keys = keys
        assert worth >= 3
        if self.fails is not None:
            raise self.fails
        if not self.serves_all:
            return None
        at = await self._answer("everything")
        return lambda key: None if key == "hidden" else at

    async def _answer(self, what: str) -> float:
        self.requests.append(what)
        at = now()
        await asyncio.sleep(1)
        return at


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def test_few_are_asked_for_one_by_one_and_the_same_thing_only_once():
    service = Service()
    await asyncio.gather(*(service.together.look(key) for key in "aabc"))
    assert sorted(service.requests) == ["a", "b", "c"]


async def test_many_share_one_request_and_what_it_lacks_is_asked_for():
    service = Service()
    await asyncio.gather(*(service.together.look(key) for key in [*"abcdefgh", "hidden"]))
    assert service.requests == ["everything", "hidden"]
    assert service.keys == [*"abcdefgh", "hidden"]


async def test_an_answer_is_never_older_than_its_question():
    service = Service()
    early = asyncio.ensure_future(service.together.look("a"))
    await asyncio.sleep(0.5)
    asked = now()
    assert await service.together.look("a") >= asked
    assert await early < asked
    assert service.requests == ["a", "a"]


async def test_an_older_answer_serves_where_that_is_allowed():
    service = Service()
    first = await service.together.look("a", max_age=60)
    await asyncio.sleep(30)
    assert await service.together.look("a", max_age=60) == first
    await asyncio.sleep(31)
    assert await service.together.look("a", max_age=60) > first


async def test_requests_for_everything_are_some_time_apart():
    service = Service()
    for _ in range(4):
        await asyncio.gather(*(service.together.look(key) for key in "abcdef"))
    assert service.requests == ["everything"] * 4
    assert now() == pytest.approx(10)


async def test_a_request_that_nobody_waits_for_any_more_is_given_up():
    service = Service()
    asked = [asyncio.ensure_future(service.together.look(key)) for key in "ab"]
    await asyncio.sleep(0.5)
    asked[0].cancel()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) > 1
    asked[1].cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_who_gives_up_takes_nothing_from_the_others():
    service = Service()
    asked = [asyncio.ensure_future(service.together.look(key)) for key in "abcdef"]
    await asyncio.sleep(0.5)
    asked[0].cancel()
    assert await asyncio.gather(*asked[1:]) == [0] * 5


async def test_where_one_request_cannot_serve_all_each_is_asked_for_by_itself():
    service = Service()
    service.serves_all = False
    await asyncio.gather(*(service.together.look(key) for key in "abcdef"))
    assert sorted(service.requests) == sorted("abcdef")
    service.serves_all = True
    await asyncio.gather(*(service.together.look(key) for key in "abcdef"))
    assert service.requests[6:] == ["everything"]


async def test_an_outage_is_told_to_everybody():
    service = Service()
    service.fails = NotReached("list", "down")
    ended = await asyncio.gather(*(service.together.look(key) for key in "abcdef"), return_exceptions=True)
    assert ended == [service.fails] * 6
