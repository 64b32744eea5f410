"""Reads a list to its end, page by page, in as few pages as the server allows."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

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
"""The most pages of one list that the client asks for. It takes a longer list for one that does not end."""
MOST_LISTED = MOST_PAGES * PAGE_SIZE
"""After this many remediations of one list the client asks for no further page, however large the pages are."""


@dataclass(frozen=True)
class Query:
    """A list that is asked for."""

    path: str
    filters: Params
    wrong: Callable[[Remediation], str]
    """Returns what is wrong with a record that was not asked for; empty if nothing is."""
    until: Set[str] | None = None
    """The ids to find: once all have come, the client reads no further page. None for the whole list."""

    def page(self, size: int, token: Params) -> Request[Page]:
        """The request for one page."""
        params: Params = {"page_size": size, **self.filters, **token}
        # The page has already set apart the records that are beyond reason.
        return Request(
            "list remediations", "GET", self.path, Page, lambda page: page.contradiction(self.wrong), params=params
        )


class Pages:
    """Reads lists.

    Nobody outside the vendor knows how many remediations the server gives per page. So if a list had several pages, the
    client asks for larger ones the next time; never in the middle of a list, because a token may count pages. A server
    may refuse larger pages, fail on them, or give no more than before. From then on the client asks for pages of the
    usual size for every list. A server without larger pages thus costs each list that is under way one request.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._long = set[str]()
        """The paths of the lists that had several pages."""
        self._larger = True
        """Whether the server may give larger pages, as far as the client knows."""

    async def read(self, query: Query) -> Listed:
        """The list, or as much of it as the query needs. Raises ApiError."""
        if not self._larger or query.path not in self._long:
            return await self._follow(query, PAGE_SIZE)
        try:
            return await self._follow(query, LARGER_PAGE_SIZE)
        except (Refused, AnswerTooLarge):
            listed = await self._follow(query, PAGE_SIZE)  # raises too if the size was not the cause
            self._larger = False
            return listed
        except ApiError as error:
            # Perhaps the server fails on large pages only. If the client asked for them again, it might never get an
            # answer.
            self._larger = self._larger and not error.maybe_took_effect
            raise

    async def _follow(self, query: Query, size: int) -> Listed:
        """Follows the page tokens. The server may know a parameter only by its snake_case or only by its camelCase
        name. If a page repeats what was seen, the client asks for it once more under the other name."""
        seen, unreadable = dict[str, Remediation](), list[Unreadable]()
        token: str | None = None
        for number in range(1, MOST_PAGES + 1):
            page, fresh, repeats = Page(), dict[str, Remediation](), False
            for name in ("page_token", "pageToken"):
                page = await self._http.send(query.page(size, {name: token} if token else {}))
                fresh = {item.id: item for item in page.readable if item.id not in seen}
                repeats = bool(page.remediations) and not fresh
                if not token or not repeats:
                    break
            seen |= fresh
            unreadable += page.unreadable()
            last = repeats or not page.has_next or not page.next_page_token or page.next_page_token == token
            if size > PAGE_SIZE and not last and len(page.remediations) <= PAGE_SIZE:
                self._larger = False
            if last or (query.until is not None and query.until <= seen.keys()):
                if number > 1:
                    self._long.add(query.path)
                return Listed(seen.values(), unreadable)
            if len(seen) + len(unreadable) >= MOST_LISTED:
                raise _endless(f"{MOST_LISTED} remediations")
            token = page.next_page_token
        raise _endless(f"{MOST_PAGES} pages")


def _endless(after: str) -> AnswerTooLarge:
    return AnswerTooLarge("list remediations", f"the list goes on after {after}, which is more than the provider reads")
