"""The numbers in docs/reliability.md about servers that nobody has met are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pulumi_resource_togetherai.api import http, pages, plausible, retry
from pulumi_resource_togetherai.clusters import memory, view, watch, ways
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.describe.asking import MOST_REQUESTS
from pulumi_resource_togetherai.fields import duration_text, seconds

DOCS = Path(__file__).parents[2] / "docs"
DEFAULT = ProviderConfig()
INTERVAL = seconds(DEFAULT.poll_interval)
MIB, KIB = 2**20, 2**10


def intervals(count: float) -> str:
    return f"{count} poll intervals ({short(count * INTERVAL)})"


def short(length: float) -> str:
    """A duration without the parts that are zero: `1m`, `10m`, `1h`."""
    return re.sub(r"(?<=[hm])0[ms]", "", duration_text(length))


ROWS = {
    "reads lag behind writes": [intervals(view.PROOF)],
    "replicas differ": [short(memory.KEPT)],
    "it does not serve one way to ask": [short(ways.LEFT_ALONE)],
    "its list of what is active lacks": [f"{watch.PATIENCE} such lists", short(ways.LEFT_ALONE)],
    "it does not answer, or fails": [
        f"{DEFAULT.max_retries} repeats",
        f"{short(retry.LONGEST_RETRY_AFTER)} of `Retry-After`",
    ],
    "its answer is lost": [intervals(view.SETTLING), f"posts {DEFAULT.max_retries + 1} times"],
    "it answers with the id alone": [intervals(view.PROOF)],
    "it answers with another remediation": [intervals(view.SETTLING)],
    "its lists lack what was just posted": [intervals(view.SETTLING)],
    "others are waited for already": [intervals(watch.QUICK)],
    "a list has no end": [
        f"{pages.MOST_PAGES} pages, {pages.MOST_LISTED:,} remediations, {pages.MOST_BYTES // MIB} MiB"
    ],
    "pages shift": [f"{pages.MOST_PASSES} passes"],
    "it refuses larger pages": [
        f"larger pages ({pages.LARGER_PAGE_SIZE})",
        f"pages of {pages.PAGE_SIZE}",
        short(pages.LEFT_ALONE),
    ],
    "times cannot be": [
        f"before {plausible.EARLIEST.year}, after {plausible.LATEST.year}",
        short(plausible.SKEW.total_seconds()),
    ],
    "its clock is wrong": [f"{plausible.CLOCK_REASON.days} days"],
    "an answer is too long or too slow": [
        f"{http.LARGEST_ANSWER // MIB} MiB",
        f"{http.LARGEST_ERROR // KIB} KiB",
        f"{DEFAULT.request_timeout} for each try",
    ],
}
"""The beginning of each row that has numbers, and the numbers."""


def table() -> dict[str, str]:
    """The rows of the table about servers, by their first column."""
    section = (DOCS / "reliability.md").read_text().split("## A server that nobody here has met")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (?!the server|\*\*|--)(.+?) \| (.+)\|$", section, re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("begin", ROWS)
def test_a_row_has_the_numbers_of_the_code(begin: str):
    [row] = [f"{first} | {rest}" for first, rest in table().items() if first.startswith(begin)]
    for number in ROWS[begin]:
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\w)", row), number


def test_every_number_in_the_last_column_is_one_of_the_code():
    for first, rest in table().items():
        known = next((" ".join(numbers) for begin, numbers in ROWS.items() if first.startswith(begin)), "")
        for number in re.findall(r"\d[\d.,]*\w*", rest.rpartition("| ")[2]):
            assert re.search(rf"(?<![\d.]){re.escape(number.rstrip(','))}", known), (first, number)


def test_the_defaults_that_the_page_assumes_are_the_defaults():
    page = (DOCS / "reliability.md").read_text()
    for name, value in (
        ("pollInterval", DEFAULT.poll_interval),
        ("requestTimeout", DEFAULT.request_timeout),
        ("maxRetries", DEFAULT.max_retries),
    ):
        assert re.search(rf"`{name}`\s\({str(value).replace('s', ' ?s')}\)", page), name


def test_the_page_about_the_description_says_how_many_requests_it_sends():
    said = re.search(r"It sends (\d+) requests at most", (DOCS / "install.md").read_text())
    assert said is not None
    assert int(said[1]) == MOST_REQUESTS + 2  # and one to check the cluster, which may be sent twice
