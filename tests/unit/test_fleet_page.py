"""The fleet example's report in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import Browser
from report import page as html
from report import report

from tests.accessible import violations
from tests.readable import contrasts, edges
from tests.simulator.screenshots import CHROMIUM, Scheme, chromium
from tests.unit.test_fleet_report import progress, remediation

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A page with every outcome on it."""
    made = progress("SUCCEEDED", "FAILED", "RUNNING", "SUCCEEDED", None, None)
    made.nodes[1].record = remediation(2, "FAILED", error_message="no healthy host")
    made.nodes[3].seen = [("QUARANTINING", 3.0), ("QUARANTINED", 6.0)]
    made.nodes[4].problem = "404 NOT_FOUND"
    made.nodes[4].end(None)
    (cluster,) = made.clusters.values()
    cluster.problem = "another run works on its stack"
    file = tmp_path / "report.html"
    file.write_text(html(report(made, result="stopped", said="Stopped: of 6 nodes 2 repaired.")))
    return file.as_uri()


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("width", [1280, 768, 390])
def test_everybody_can_read_it_whole_in_light_and_dark_and_it_asks_for_nothing(
    address: str, browser: Browser, scheme: Scheme, width: int
) -> None:
    said: list[str] = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url == address else said.append(request.url))
    page.goto(address)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    assert dark == (scheme == "dark")
    texts = contrasts(page)
    assert len(texts) > 30
    assert [place for place in texts if place["contrast"] < 4.5] == []
    assert [place for place in edges(page) if place["contrast"] < 3] == []
    assert violations(page) == []
    cut_off = "() => [...document.querySelectorAll('html, .scroll')].map((part) => part.scrollWidth - part.clientWidth)"
    assert set(page.evaluate(cut_off)) == {0}
    assert said == []
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_axis_has_both_ends_where_its_bars_begin_and_end(address: str, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(address)
    begins, ends = (page.get_by_text(f"2026-11-23 {time}", exact=True).first for time in ("03:00:00", "03:01:10"))
    bar = page.locator("td .bar").first.bounding_box()
    first, last = begins.bounding_box(), ends.bounding_box()
    assert first is not None
    assert last is not None
    assert bar is not None
    assert first["x"] == pytest.approx(bar["x"], abs=1)
    assert last["x"] + last["width"] == pytest.approx(bar["x"] + bar["width"], abs=1)
    assert first["x"] + first["width"] < last["x"]
    page.close()


def test_bars_stand_where_they_belong_and_say_in_words_what_they_show(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(address)
    bars = page.get_by_role("img", name="PENDING")
    words = [bar.get_attribute("aria-label") for bar in bars.all()]
    assert words.count("PENDING 10s, RUNNING 1m") == 2
    assert "PENDING 3s, QUARANTINING 3s, QUARANTINED 4s, RUNNING 1m" in words
    quarantined, running = (page.locator(f"td .{state}").last.bounding_box() for state in ("quarantined", "running"))
    assert quarantined is not None
    assert running is not None
    assert quarantined["x"] + quarantined["width"] == pytest.approx(running["x"], abs=1)
    assert running["width"] / quarantined["width"] == pytest.approx(15, rel=0.1)
    page.get_by_role("link", name="cluster-1").click()
    assert page.url.endswith("#cluster-1")
    page.close()
