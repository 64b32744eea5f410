"""How the simulator's pages look and whether everybody can use them: on a screen, a tablet and a phone, in light and
dark, with fifty nodes. The pictures of the documentation are taken here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accessible import violations
from tests.readable import contrasts, edges
from tests.simulator.screenshots import CHROMIUM, Scheme, chromium, furnish, picture, showing
from togetherai_simulator import Simulator, running

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")]

WIDTHS = {1280: "", 768: "tablet-", 390: "phone-"}
"""In pixels, and what the pictures are called that are that wide."""
PHONE = 390
DIALOGS = {"Act on": "start", "Approve": "approve", "Reject": "reject", "Add a fault": "fault"}
"""By the buttons that open them."""
FIRST_SCREEN = 844
"""The height of a phone, in pixels."""
TABS = 20
"""How often a person presses Tab at most to get to what waits for him."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Two clusters of fifty nodes on which a lot happens, at a time that stands still."""
    with running({"instances": 50, "clusters": 2, "seed": 4}, speed=0) as process:
        furnish(process)
        yield process


def overflow(page: Page) -> int:
    """How many pixels of a page are to be found only by scrolling sideways."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def top(page: Page, what: str) -> float:
    """How far down the page something begins, in pixels."""
    box = page.locator(what).first.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("width", WIDTHS)
def test_everybody_can_read_and_use_the_console(
    simulator: Simulator, browser: Browser, width: int, scheme: Scheme
) -> None:
    with showing(simulator, browser, scheme, width=width) as page:
        picture(page, f"console-{WIDTHS[width]}{scheme}")
        assert overflow(page) == 0
        assert [place for place in contrasts(page) if place["contrast"] < 4.5] == []
        assert [place for place in edges(page) if place["contrast"] < 3] == []
        page.locator("summary").first.click()
        page.locator("#nodes summary").first.click()
        assert overflow(page) == 0
        assert violations(page) == []
        for opener, name in DIALOGS.items():
            page.get_by_role("button", name=opener).first.click()
            expect(page.locator(f"#{name}-dialog")).to_be_visible()
            assert violations(page) == []
            assert overflow(page) == 0
            page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("width", WIDTHS)
def test_everybody_can_read_and_use_the_reference(
    simulator: Simulator, browser: Browser, width: int, scheme: Scheme
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": FIRST_SCREEN})
    page.goto(f"{simulator.root}/reference")
    assert overflow(page) == 0
    assert [place for place in contrasts(page) if place["contrast"] < 4.5] == []
    assert violations(page) == []
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_waits_for_a_person_is_on_the_first_screen_and_a_few_keys_away(
    simulator: Simulator, browser: Browser, width: int
) -> None:
    with showing(simulator, browser, width=width) as page:
        approve = page.get_by_role("button", name="Approve")
        assert top(page, "article") + 200 < FIRST_SCREEN
        assert top(page, "#waiting article") < top(page, "#remediations") <= top(page, "#nodes")
        passed = list[str]()
        while "Approve" not in passed and len(passed) < TABS:
            page.keyboard.press("Tab")
            passed.append(page.evaluate("document.activeElement.textContent.trim()"))
        expect(approve).to_be_focused()
        page.reload()
        page.locator("article").first.wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(approve).to_be_focused()


def test_on_a_phone_names_stay_in_one_line(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser, width=PHONE) as page:
        page.locator("tbody tr").nth(49).wait_for()
        lines = page.evaluate(
            """() => [...document.querySelectorAll("tbody td:first-child :is(b, small)")].map((name) => {
              const range = document.createRange();
              range.selectNodeContents(name);
              return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
            })"""
        )
        assert lines == [1] * 100


def test_on_a_phone_every_part_can_be_jumped_to(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser, width=PHONE) as page:
        for name in ("Remediations", "Nodes", "Requests"):
            page.get_by_role("navigation", name="On this page").get_by_role("link", name=name).click()
            expect(page.locator(f"#{name.lower()}")).to_be_in_viewport()
