"""Reads a list to its end, page by page, in as few pages as the server allows, and says if it may lack something."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from dataclasses import dataclass

from pulumi_resource_togetherai.api.asked import Asked
from pulumi_resource_togetherai.api.errors import AnswerTooLarge, ApiError, Refused
from pulumi_resource_togetherai.api.http import Http, Params, Request
from pulumi_resource_togetherai.api.listed import Listed, Page, Unreadable
from pulumi_resource_togetherai.api.models import Remediation

PAGE_SIZE = 100
"""Remediations asked for per page; the server may give fewer."""
LARGER_PAGE_SIZE = 1000
"""Remediations asked for per page of a list that had several pages before. Each remediation may be 30 times as long as
usual before the answer is longer than the client reads (LARGEST_ANSWER)."""
MOST_PAGES = 500
"""The most pages of one list that the client asks for."""
MOST_LISTED = MOST_PAGES * PAGE_SIZE
"""After this many remediations of one list the client asks for no further page, however large the pages are."""
MOST_BYTES = 64 * 2**20
"""After this many bytes of one list the client asks for no further page."""
MOST_PASSES = 3
"""How often a list of several pages is read that has to be complete."""
LEFT_ALONE = 600.0
"""For how long, in seconds, larger pages are not asked for again after the server did not give them."""


@dataclass(frozen=True)
class Query:
    """A list that is asked for."""

    path: str
    asked: Asked
    filters: Params
    until: Set[str] | None = None
    """The ids to find: once all have come, the client reads no further page. None for the whole list."""
    most_pages: int = MOST_PAGES
    """How many pages the answer is worth."""
    complete: bool = False
    """Whether what the list lacks counts as not being there."""

    def page(self, size: int | None, token: Params) -> Request[Page]:
        """The request for one page; `size` None leaves it to the server."""
        params: Params = {**({"page_size": size} if size is not None else {}), **self.filters, **token}
        return Request(
            "list remediations",
            "GET",
            self.path,
            lambda body, length: Page.read(body, self.asked, length),
            params=params,
        )


class Pages:
    """Reads lists.

    Nobody outside the vendor knows how many remediations the server gives per page. So if a list had several pages, the
    client asks for larger ones the next time; never in the middle of a list, because a token may count pages. A server
    may refuse larger pages, fail on them, or give no more than before. Then the client asks for pages of the usual size
    for some minutes, for every list. A server without larger pages thus costs each list that is under way one request.
    One that refuses pages of the usual size, too, is left to choose the size.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._long = set[str]()
        """The paths of the lists that had several pages."""
        self._larger_from = float("-inf")
        """From when on, on the event loop's clock, the server may give larger pages, as far as the client knows."""
        self._sizes_from = float("-inf")
        """From when on it may take any size."""

    async def read(self, query: Query) -> Listed:
        """The list, or as much of it as the query needs. Raises ApiError.

        A token may count records, and what ends or appears between two pages then shifts the rest: a record may slip
        from a page that is still to come to one that was read. So a list that has to be complete and has several pages
        is read again, until a pass brings nothing that the passes before it lacked.
        """
        listed, pages = await self._pass(query)
        if not query.complete or pages == 1 or listed.cut_off:
            return listed
        found = {record.id: record for record in listed}
        for _ in range(MOST_PASSES - 1):
            again, _ = await self._pass(query)
            fresh = [record for record in again if record.id not in found]
            found |= {record.id: record for record in again}
            if again.cut_off or not fresh:
                return Listed(found.values(), again.unreadable, cut_off=again.cut_off)
        return Listed(found.values(), listed.unreadable, cut_off="the list changed each time that it was read")

    async def _pass(self, query: Query) -> tuple[Listed, int]:
        if query.path not in self._long or asyncio.get_running_loop().time() < self._larger_from:
            return await self._usual(query)
        try:
            return await self._follow(query, LARGER_PAGE_SIZE)
        except (Refused, AnswerTooLarge):
            answer = await self._usual(query)  # raises too if the size was not the cause
            self._leave_larger_alone()
            return answer
        except ApiError as error:
            # Perhaps the server fails on large pages only. If the client asked for them again, it might never get an
            # answer.
            if error.maybe_took_effect:
                self._leave_larger_alone()
            raise

    async def _usual(self, query: Query) -> tuple[Listed, int]:
        now = asyncio.get_running_loop().time()
        if now < self._sizes_from:
            return await self._follow(query, None)
        try:
            return await self._follow(query, PAGE_SIZE)
        except Refused as refusal:
            if not refusal.of_a_parameter:
                raise
            answer = await self._follow(query, None)  # raises too if the size was not the cause
            self._sizes_from = now + LEFT_ALONE
            return answer

    def _leave_larger_alone(self) -> None:
        self._larger_from = asyncio.get_running_loop().time() + LEFT_ALONE

    async def _follow(self, query: Query, size: int | None) -> tuple[Listed, int]:
        """Follows the page tokens; also returns how many pages that took. The server may know a parameter only by its
        snake_case or only by its camelCase name. If a page repeats what was seen, the client asks for it once more
        under the other name."""
        seen, unreadable, read = dict[str, Remediation](), list[Unreadable](), 0
        token: str | None = None
        for number in range(1, min(MOST_PAGES, query.most_pages) + 1):
            for name in ("page_token", "pageToken"):
                page = await self._http.send(query.page(size, {name: token} if token else {}))
                fresh = {item.id: item for item in page.records if item.id not in seen}
                repeats = bool(page.length and not fresh and (page.records or page.unreadable == unreadable))
                if not token or not repeats:
                    break
            seen |= fresh
            unreadable += page.unreadable if not repeats else []
            read += page.size
            if number > 1:
                self._long.add(query.path)
            last = page.has_next is False or (page.has_next is None and page.next_token is None)
            cut_off = ""
            if not last and token and repeats:
                cut_off = "its pages repeat"
            elif not last and page.next_token is None:
                cut_off = "it says that another page follows, but not which"
            elif not last and page.next_token == token:
                cut_off = "its pages repeat"
            if size is not None and size > PAGE_SIZE and not last and page.length <= PAGE_SIZE:
                self._leave_larger_alone()
            if last or cut_off or (query.until is not None and query.until <= seen.keys()):
                return Listed(seen.values(), unreadable, cut_off=cut_off), number
            if len(seen) + len(unreadable) >= MOST_LISTED:
                return Listed(seen.values(), unreadable, cut_off=f"it goes on after {MOST_LISTED} remediations"), number
            if read >= MOST_BYTES:
                return Listed(seen.values(), unreadable, cut_off=f"it goes on after {MOST_BYTES // 2**20} MiB"), number
            token = page.next_token
        self._long.add(query.path)
        pages = min(MOST_PAGES, query.most_pages)
        return Listed(seen.values(), unreadable, cut_off=f"it goes on after {pages} pages"), pages
