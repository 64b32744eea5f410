"""The console page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, expect

from tests.readable import contrasts
from tests.simulator.driver import NODE, instance_path
from tests.simulator.screenshots import CHROMIUM, Scheme, chromium, furnish, showing
from togetherai_simulator import Simulator, running

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")]

PATH = instance_path("-").removeprefix("/v1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running({"instances": 6}, speed=0) as process:
        yield process


def only(simulator: Simulator) -> dict[str, str]:
    """The one remediation there is."""
    [remediation] = simulator.http.get(PATH).json()["remediations"]
    return remediation


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_it_follows_the_colour_scheme_and_its_text_is_readable(
    simulator: Simulator, browser: Browser, scheme: Scheme
) -> None:
    furnish(simulator)
    with showing(simulator, browser, scheme) as page:
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
        assert dark == (scheme == "dark")
        # WCAG AA for normal text.
        assert [place for place in contrasts(page) if place["contrast"] < 4.5] == []


def test_it_shows_by_itself_what_others_do(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        path = instance_path(NODE).removeprefix("/v1")
        simulator.http.post(path, json={"mode": "REMEDIATION_MODE_REBOOT_VM", "reason": "seen live"})
        page.get_by_text("seen live").wait_for()
        simulator.control("POST", "/advance", {"seconds": 10})
        page.locator("article .badge.running").wait_for()


def test_a_remediation_can_be_started_and_cancelled(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.get_by_label(f"Act on {NODE}").click()
        page.locator("#start-dialog [name=mode]").select_option("HOST_AWARE")
        page.locator("#start-dialog [name=reason]").fill("by hand")
        page.get_by_role("button", name="Do it").click()
        page.get_by_text("by hand").wait_for()
        assert only(simulator)["mode"] == "REMEDIATION_MODE_HOST_AWARE"
        page.get_by_role("button", name="Cancel").click()
        page.locator("article .badge.cancelled").wait_for()


def test_a_proposal_can_be_approved_by_keyboard_in_another_mode(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        simulator.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "xid"})
        approve = page.get_by_role("button", name="Approve").first
        approve.wait_for()
        approve.focus()
        page.keyboard.press("Enter")
        page.locator("#approve-dialog[open]").wait_for()
        page.locator("#approve-dialog [name=mode]").focus()
        page.keyboard.type("VM")
        page.keyboard.press("Tab")
        page.keyboard.type("go ahead")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("article .badge.pending").wait_for()
        approved = only(simulator)
        assert (approved["mode"], approved["review_comment"]) == ("REMEDIATION_MODE_VM_ONLY", "go ahead")


def test_a_proposal_can_be_rejected_and_a_dialog_left(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.get_by_label(f"Act on {NODE}").click()
        page.locator("#start-dialog [name=what]").select_option("propose")
        page.get_by_role("button", name="Do it").click()
        page.get_by_role("button", name="Reject").click()
        page.keyboard.press("Escape")
        assert only(simulator)["state"] == "PENDING_APPROVAL"
        page.get_by_role("button", name="Reject").click()
        page.locator("#reject-dialog [name=comment]").fill("not now")
        page.locator("#reject-dialog button.main").click()
        page.locator("article .badge.cancelled").wait_for()
        assert only(simulator)["review_comment"] == "not now"


def test_a_fault_can_be_switched_on_and_off(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.get_by_role("button", name="Add a fault …").click()
        page.locator("#fault-dialog [name=kind]").select_option("error")
        page.locator("#fault-dialog [name=operation]").select_option("list")
        page.get_by_role("button", name="Switch on").click()
        page.get_by_text("Faults are on").wait_for()
        assert simulator.http.get(PATH).status_code == 503
        page.get_by_role("button", name="Switch off").click()
        page.get_by_text("Faults are on").wait_for(state="detached")
        assert simulator.http.get(PATH).status_code == 200


def test_what_is_refused_is_told(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        simulator.control("PATCH", "/settings", {"active_limit": 1})
        for _ in range(2):
            page.get_by_role("button", name=f"Act on {NODE}").click()
            page.get_by_role("button", name="Do it").click()
            page.locator("#start-dialog").wait_for(state="hidden")
            page.locator("article").wait_for()
        page.get_by_text("has 1 active remediation(s) already").wait_for()


def test_what_was_opened_stays_open_and_the_focus_stays_where_it_was(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        simulator.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "xid"})
        page.get_by_text("Timeline").click()
        page.get_by_role("button", name="Reject").focus()
        simulator.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "gpu_lost"})
        page.get_by_text("mode raised from REBOOT_VM to HOST_AWARE").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Reject"


def test_time_can_be_hurried(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.get_by_role("button", name="+10 min").click()
        speed = page.get_by_label("Simulated seconds per second")
        with page.expect_response("**/_simulator/clock"):
            speed.select_option("600")
        expect(speed).to_have_value("600")
        assert simulator.control("GET", "/clock")["speed"] == 600


EVIL = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>" onfocus="window.owned=1" \x1b[2J\u202eevil'


def test_what_programs_write_is_text_in_the_page_and_does_nothing(simulator: Simulator, browser: Browser) -> None:
    node = instance_path(NODE).removeprefix("/v1")
    first = simulator.http.post(node, json={"mode": "REMEDIATION_MODE_REBOOT_VM", "reason": EVIL}).json()
    simulator.control("POST", f"/remediations/{first['id']}/state", {"state": "FAILED", "error_message": EVIL})
    proposal = simulator.control("POST", f"/instances/cluster-1/{NODE}/propose", {"reason": EVIL, "force": True})
    approve = f"{node}/{proposal['id']}/reject"
    assert simulator.http.post(approve, json={"comment": EVIL}).status_code == 200
    odd = simulator.control("POST", f"/remediations/{first['id']}/state", {"state": '"><b id=owned>'})
    assert odd["state"] == '"><b id=owned>'
    page = browser.new_page()
    page.goto(f"{simulator.root}/")
    page.get_by_text("onerror").first.wait_for()
    for details in page.locator("details").all():
        details.click()
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.owned") is None
    assert page.locator("#owned").count() == 0
    assert page.locator("main img, main script").count() == 0
    text = page.locator("main").inner_text()
    assert r"\x1b[2J\u202eevil" in text
    assert "\u202e" not in text
    page.close()


def test_the_pages_own_rules_forbid_any_script_but_its_own(simulator: Simulator, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{simulator.root}/")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.owned = 1";
          document.body.append(script);
        }"""
    )
    assert page.evaluate("() => window.owned") is None
    page.close()
