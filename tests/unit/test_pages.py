"""The pages of a list: larger ones where the server gives them, and whatever it makes of them, the list is whole."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, Refused
from pulumi_resource_togetherai.api.http import LARGEST_ANSWER
from pulumi_resource_togetherai.api.pages import LARGER_PAGE_SIZE, MOST_LISTED, PAGE_SIZE
from tests.unit.test_client import PLAIN, status

pytestmark = pytest.mark.looptime(resolution=1e-9)  # backing off takes no time: the loop's clock jumps

Refusal = Callable[[], httpx.Response]


def refusal() -> httpx.Response:
    return status(400, 3, "page_size: must be 100 at most")


def too_long() -> httpx.Response:
    return httpx.Response(200, content=b" " * (LARGEST_ANSWER + 1))


def broken() -> httpx.Response:
    return status(504, 4, "upstream request timeout")


class Server(httpx.AsyncBaseTransport):
    """Lists so many remediations of each cluster. Its tokens count pages, and are good for their size only."""

    def __init__(
        self,
        *,
        has: int = 250,
        gives: Callable[[int], int] = lambda asked: asked,
        larger: Refusal | None = None,
        filters: bool = True,
        takes: int = LARGER_PAGE_SIZE,
    ) -> None:
        """`gives` says how many are on a page for how many asked for; `larger` is the answer to a page of more than
        100, `filters` whether it takes any, and `takes` the largest page that can be asked for. 0 stands for a request
        that names no size."""
        self.has = has
        self.gives = gives
        self.larger = larger
        self.filters = filters
        self.takes = takes
        self.own_size = min(50, takes)
        self.asked: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        size = int(params.get("page_size", self.own_size))
        self.asked.append(size if "page_size" in params else 0)
        if size > self.takes:
            return refusal()
        if not self.filters and "state" in params:
            return status(400, 3, "state: no such query parameter")
        if self.larger and size > PAGE_SIZE:
            return self.larger()
        gives = self.gives(size)
        number, _, token_size = params.get("page_token", f"0/{size}").partition("/")
        if int(token_size) != size:
            return status(400, 3, "page_token: belongs to another list")
        cluster, begin = request.url.path.split("/")[4], int(number) * gives
        records = [PLAIN | {"id": f"r{n}", "cluster_id": cluster} for n in range(begin, min(begin + gives, self.has))]
        more = begin + gives < self.has
        token = f"{int(number) + 1}/{size}" if more else ""
        return httpx.Response(200, json={"remediations": records, "has_next": more, "next_page_token": token})


def client(server: httpx.AsyncBaseTransport) -> Client:
    return Client("http://api/v1", Credential(SecretStr("k"), "the test"), max_retries=2, transport=server)


async def lists(it: Client, server: Server, *clusters: str, **asked: Any) -> list[list[int]]:
    """The sizes of the pages that each list was asked for in, one list after another, each seen to be whole."""
    sizes = list[list[int]]()
    for cluster in clusters:
        server.asked.clear()
        listed = await it.list_remediations(cluster, complete=False, **asked)
        assert {one.id for one in listed} == {f"r{number}" for number in range(server.has)}
        sizes.append(list(server.asked))
    return sizes


async def test_a_list_that_had_several_pages_is_asked_for_in_larger_ones():
    server = Server()
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1", "c1", "c2") == [[100] * 3, [1000], [1000], [100] * 3]


async def test_a_list_of_one_page_is_never_asked_for_in_larger_ones():
    server = Server(has=100)
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1") == [[100], [100]]


async def test_a_refusal_costs_one_request_once_whatever_the_cluster():
    server = Server(larger=refusal)
    async with client(server) as it:
        usual = [100] * 3
        assert await lists(it, server, "c1", "c1", "c1", "c2", "c2") == [usual, [1000, *usual], usual, usual, usual]


async def test_lists_under_way_at_once_are_refused_once_each():
    server = Server(larger=refusal)
    async with client(server) as it:
        await lists(it, server, "c1", "c2")
        server.asked.clear()
        for _ in range(3):
            await asyncio.gather(*(it.list_remediations(cluster, complete=False) for cluster in ("c1", "c2")))
    assert server.asked.count(1000) == 2
    assert server.asked.count(100) == 3 * 2 * 3


@pytest.mark.parametrize("most", [100, 99, 20], ids="gives {}".format)
async def test_a_server_that_gives_no_more_than_before_is_asked_for_more_once(most: int):
    server = Server(gives=lambda asked: min(asked, most))
    async with client(server) as it:
        pages = -(-server.has // most)
        assert await lists(it, server, "c1", "c1", "c1") == [[100] * pages, [1000] * pages, [100] * pages]


async def test_a_server_falling_back_on_small_pages_is_asked_for_small_ones():
    server = Server(gives=lambda asked: asked if asked <= 100 else 20)
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1", "c1") == [[100] * 3, [1000] * 13, [100] * 3]


async def test_a_server_that_gives_some_more_is_asked_on():
    server = Server(has=450, gives=lambda asked: min(asked, 200))
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1", "c1") == [[100] * 5, [1000] * 3, [1000] * 3]


async def test_a_server_that_gives_more_than_asked_is_taken_at_its_word():
    server = Server(has=900, gives=lambda asked: 4 * asked)
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1") == [[100] * 3, [1000]]
    whole = Server(has=5000, gives=lambda asked: 5000)
    async with client(whole) as it:
        assert await lists(it, whole, "c1", "c1") == [[100], [100]]


async def test_a_larger_page_that_is_too_long_is_asked_in_smaller_ones():
    server = Server(larger=too_long)
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1", "c1") == [[100] * 3, [1000, *[100] * 3], [100] * 3]


async def test_a_server_that_breaks_over_larger_pages_is_asked_for_usual_ones():
    server = Server(larger=broken)
    async with client(server) as it:
        await lists(it, server, "c1")
        server.asked.clear()
        with pytest.raises(ApiError, match="upstream request timeout"):
            await it.list_remediations("c1", complete=False)
        assert server.asked == [1000] * 3
        assert await lists(it, server, "c1", "c1") == [[100] * 3, [100] * 3]


@pytest.mark.parametrize("answer", [status(401, 16), status(404, 5), status(429, 8), httpx.ConnectError("refused")])
async def test_what_has_nothing_to_do_with_the_size_is_not_put_down_to_it(answer: httpx.Response | Exception):
    def tell() -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    server = Server()
    async with client(server) as it:
        await lists(it, server, "c1")
        server.larger = tell
        with pytest.raises(ApiError):
            await it.list_remediations("c1")
        server.larger = None
        assert await lists(it, server, "c1") == [[1000]]


async def test_a_refused_filter_is_not_taken_for_a_refused_size():
    server = Server(filters=False)
    states = [RemediationState.PENDING]
    async with client(server) as it:
        assert await lists(it, server, "c1", "c1", states=states) == [[100, 0, *[100] * 3], [1000, 100, 0, 1000]]
        server.asked.clear()
        with pytest.raises(Refused, match="no such query parameter"):
            await it.list_active_remediations("c1")
        assert server.asked == [1000, 100, 0]
        assert await lists(it, server, "c1") == [[1000]]


async def test_a_server_that_refuses_the_usual_size_chooses_its_own():
    server = Server(has=25, takes=10)
    async with client(server) as it:
        assert await lists(it, server, "c1", "c2") == [[100, 0, 0, 0], [0, 0, 0]]


async def test_a_list_goes_on_no_further_for_larger_pages():
    server = Server(has=250)
    async with client(server) as it:
        await lists(it, server, "c1")
        server.has = 10 * MOST_LISTED
        server.asked.clear()
        listed = await it.list_remediations("c1")
    assert len(listed) == MOST_LISTED
    assert listed.incomplete == f"it goes on after {MOST_LISTED} remediations"
    assert server.asked.count(LARGER_PAGE_SIZE) == MOST_LISTED // LARGER_PAGE_SIZE


async def test_a_list_of_long_pages_is_cut_off_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pulumi_resource_togetherai.api.pages.MOST_BYTES", 4 * 2**20)
    asked = list[httpx.URL]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        number = len(asked)
        record = PLAIN | {"id": f"r{number}", "error_message": "x" * 2**20}
        return httpx.Response(200, json={"remediations": [record], "has_next": True, "next_page_token": str(number)})

    async with client(httpx.MockTransport(answer)) as it:
        tracemalloc.start()
        try:
            listed = await it.list_remediations("c1")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert listed.incomplete == "it goes on after 4 MiB"
    assert len(asked) == 4
    assert most < 3 * 4 * 2**20


async def test_a_complete_list_of_several_pages_is_read_until_nothing_new_comes():
    server = Server(has=250)
    async with client(server) as it:
        listed = await it.list_remediations("c1")
    assert (len(listed), listed.incomplete) == (250, "")
    assert server.asked == [100, 100, 100, 1000]


async def test_what_slips_between_two_pages_because_they_shift_is_found_all_the_same():
    server = Server(has=250)

    class Shifting(httpx.AsyncBaseTransport):
        """After the first page the first record is gone, so the second page begins one record later."""

        shifted = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await server.handle_async_request(request)
            if "page_token" in request.url.params and not self.shifted:
                self.shifted = True
                body = json.loads(answer.content)
                return httpx.Response(200, json=body | {"remediations": body["remediations"][1:]})
            return answer

    async with client(Shifting()) as it:
        listed = await it.list_remediations("c1")
    assert {one.id for one in listed} == {f"r{number}" for number in range(250)}
    assert listed.incomplete == ""


async def test_a_list_that_is_another_each_time_is_not_complete():
    server = Server(has=250)

    def more(_: int) -> int:
        server.has += 10
        return 100

    server.gives = more
    async with client(server) as it:
        assert (await it.list_remediations("c1")).incomplete == "the list changed each time that it was read"


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ({"has_next": True}, "it says that another page follows, but not which"),
        ({"has_next": True, "next_page_token": ""}, "it says that another page follows, but not which"),
        ({"has_next": True, "next_page_token": "x"}, "its pages repeat"),
        ({"next_page_token": "x"}, "its pages repeat"),
        ({"has_next": False, "next_page_token": "x"}, ""),
        ({"next_page_token": None}, ""),
        ({}, ""),
    ],
    ids=str,
)
async def test_a_list_is_complete_only_if_the_server_says_that_nothing_follows(page: dict[str, Any], why: str):
    record = PLAIN | {"cluster_id": "c1"}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"remediations": [record]} | page))
    async with client(answer) as it:
        listed = await it.list_remediations("c1")
    assert ([one.id for one in listed], listed.incomplete) == (["r1"], why)


@pytest.mark.parametrize("empty", [{"remediations": []}, {"remediations": None}, {}], ids=str)
async def test_an_empty_list_is_empty_however_it_is_written(empty: dict[str, Any]):
    async with client(httpx.MockTransport(lambda _: httpx.Response(200, json=empty))) as it:
        listed = await it.list_remediations("c1")
    assert (list(listed), listed.incomplete) == ([], "")


async def test_an_empty_page_is_not_the_end_if_the_server_says_that_another_follows():
    def answer(request: httpx.Request) -> httpx.Response:
        if "page_token" in request.url.params:
            return httpx.Response(200, json={"remediations": [PLAIN], "has_next": False})
        return httpx.Response(200, json={"remediations": [], "has_next": True, "next_page_token": "2"})

    async with client(httpx.MockTransport(answer)) as it:
        listed = await it.list_remediations("c1")
    assert ([one.id for one in listed], listed.incomplete) == (["r1"], "")


async def test_pages_with_one_unreadable_record_each_do_not_end_the_list():
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page_token", "0"))
        item = {"id": "odd", "instance_id": "i9"} if number == 1 else PLAIN | {"id": f"r{number}"}
        more = number < 3
        return httpx.Response(
            200, json={"remediations": [item], "has_next": more, "next_page_token": str(number + 1) if more else ""}
        )

    async with client(httpx.MockTransport(answer)) as it:
        listed = await it.list_remediations("c1")
    assert [one.id for one in listed] == ["r0", "r2", "r3"]
    assert listed.of("i7").incomplete == ""
    assert "cannot be read" in listed.of("i9").incomplete
