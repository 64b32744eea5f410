"""The console page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, expect

from tests.accessible import violations
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
        page.locator("article").get_by_text("seen live").wait_for()
        simulator.control("POST", "/advance", {"seconds": 10})
        page.locator("article .badge.running").wait_for()


def test_a_remediation_can_be_started_and_cancelled(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.get_by_label(f"Act on {NODE}").click()
        page.locator("#start-dialog [name=mode]").select_option("HOST_AWARE")
        page.locator("#start-dialog [name=reason]").fill("by hand")
        page.get_by_role("button", name="Do it").click()
        page.locator("article").get_by_text("by hand").wait_for()
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


DIALOGS = {
    "start": (f"Act on {NODE}", "article .badge.pending"),
    "approve": ("Approve", "article .badge.pending"),
    "reject": ("Reject", "article .badge.cancelled"),
    "fault": ("Add a fault …", ".faults"),
}
"""The button that opens each, and what is there once it has done what it is for."""


@pytest.mark.parametrize("name", DIALOGS)
def test_in_every_dialog_enter_confirms_and_esc_and_back_leave(
    simulator: Simulator, browser: Browser, name: str
) -> None:
    opener, done = DIALOGS[name]
    if name in ("approve", "reject"):
        simulator.propose(NODE, fault="xid")
    with showing(simulator, browser) as page:
        button, dialog = page.get_by_role("button", name=opener), page.locator(f"#{name}-dialog")
        for leave in ("Escape", "Back"):
            button.press("Enter")
            expect(dialog).to_be_visible()
            if leave == "Escape":
                page.keyboard.press(leave)
            else:
                dialog.get_by_role("button", name=leave).press("Enter")
            expect(dialog).to_be_hidden()
            expect(button).to_be_focused()
        button.press("Enter")
        page.keyboard.press("Enter")
        page.locator(done).wait_for()
        assert [entry["effect"] for entry in simulator.requests()] == (
            [] if name == "fault" else [{"start": "created", "approve": "approved", "reject": "rejected"}[name]]
        )


def test_a_comment_that_ends_with_enter_arrives(simulator: Simulator, browser: Browser) -> None:
    simulator.propose(NODE, fault="xid")
    with showing(simulator, browser) as page:
        page.get_by_role("button", name="Approve").click()
        page.locator("#approve-dialog [name=comment]").fill("go ahead")
        page.keyboard.press("Enter")
        page.get_by_text("Approved by simulator-user: go ahead").wait_for()
        assert only(simulator)["review_comment"] == "go ahead"


@pytest.mark.parametrize("name", ["start", "approve"])
def test_a_second_repair_of_a_node_starts_only_on_a_persons_word(
    simulator: Simulator, browser: Browser, name: str
) -> None:
    simulator.propose(NODE, fault="xid")
    simulator.create(NODE)
    with showing(simulator, browser) as page:
        page.get_by_role("button", name=DIALOGS[name][0]).click()
        dialog = page.locator(f"#{name}-dialog")
        expect(dialog).to_contain_text("It is under repair already: REBOOT_VM PENDING. Start a second one beside it.")
        dialog.locator("button.main").press("Enter")
        expect(dialog).to_be_visible()
        page.keyboard.press("Enter")
        assert simulator.posts() == 1
        dialog.get_by_label("Start a second one").check()
        page.keyboard.press("Enter")
        page.locator("article .badge.pending").nth(1).wait_for()


def test_a_node_without_a_repair_is_not_asked_about_one(simulator: Simulator, browser: Browser) -> None:
    simulator.create("cluster-1-node-2")
    with showing(simulator, browser) as page:
        page.get_by_label(f"Act on {NODE}").click()
        expect(page.locator("#start-dialog .sure")).to_be_hidden()


def test_what_is_refused_is_told_with_its_action_and_goes_by_itself(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        page.clock.install()
        page.reload()
        simulator.set(active_limit=1)
        simulator.create(NODE)
        page.locator("article").wait_for()
        page.get_by_role("button", name=f"Act on {NODE}").click()
        page.locator("#start-dialog").get_by_label("Start a second one").check()
        page.get_by_role("button", name="Do it").click()
        message = page.locator("#message")
        why = f"instance {NODE} has 1 active remediation(s) already"
        expect(message).to_have_text(f"VM_ONLY of {NODE} was refused: {why}")
        simulator.add_fault({"kind": "drop_after", "operation": "cancel"})
        page.get_by_role("button", name="Cancel").click()
        expect(message).to_have_text(f"Cancelling REBOOT_VM of {NODE} was not answered. It may have taken effect.")
        page.clock.fast_forward(11_000)
        expect(message).to_be_empty()


def test_while_the_simulator_is_gone_time_stands_still_and_what_is_old_is_pale(browser: Browser) -> None:
    with running({"instances": 6}, speed=60) as simulator, showing(simulator, browser) as page:
        page.clock.install()
        page.reload()
        simulator.create(NODE)
        page.locator("article").wait_for()
        page.context.set_offline(True)
        page.clock.run_for(1_000)
        message = page.locator("#message")
        expect(message).to_contain_text("The simulator does not answer. This is how it was at ")
        stood = page.locator("#clock, #content time").all_inner_texts()
        assert stood[0] in message.inner_text()
        pale = "Number(getComputedStyle(document.getElementById('content')).opacity)"
        assert page.evaluate(pale) < 0.8
        assert violations(page) == []
        page.get_by_role("button", name="+1 min").click()
        expect(message).to_have_text("“+1 min” was not answered. It may have taken effect.")
        page.clock.run_for(30_000)
        expect(message).to_contain_text("The simulator does not answer")
        assert page.locator("#clock, #content time").all_inner_texts() == stood
        page.context.set_offline(False)
        page.clock.run_for(1_000)
        expect(message).to_be_empty()
        assert page.evaluate(pale) == 1


def test_the_focus_never_falls_to_the_body(simulator: Simulator, browser: Browser) -> None:
    for node in (NODE, "cluster-1-node-2"):
        simulator.propose(node, fault="xid")
    simulator.add_fault({"kind": "latency", "seconds": 0})

    def focused() -> str:
        return page.evaluate("document.activeElement.id")

    with showing(simulator, browser) as page:
        for action, comes in (("Approve", "PENDING"), ("Reject", "CANCELLED")):
            card = page.locator("#waiting article").first
            moved = card.get_attribute("id")
            card.get_by_role("button", name=action).press("Enter")
            page.keyboard.press("Enter")
            page.locator(f"#remediations .badge.{comes.lower()}").wait_for()
            assert focused() == moved
        page.get_by_role("button", name="Switch off").press("Enter")
        page.locator(".faults").wait_for(state="detached")
        assert focused() == "waiting"
        page.get_by_label(f"Act on {NODE}").focus()
        simulator.create("cluster-1-node-3")
        page.locator("article").get_by_text("by hand").wait_for()
        assert focused() == f"start-{NODE}"
        page.locator("summary").first.focus()
        was = focused()
        simulator.create("cluster-1-node-4")
        page.locator("article").get_by_text("by hand").nth(1).wait_for()
        assert focused() == was


def test_requests_come_live(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        simulator.add_fault({"kind": "rate_limit", "operation": "list", "count": 1})
        simulator.http.get(PATH)
        first = page.locator(".requests li").first
        expect(first).to_contain_text(f"429 fault rate_limit GET /v1{PATH}")
        simulator.create(NODE)
        expect(first).to_contain_text("200 created POST")


def test_what_is_looked_for_stays_when_the_page_is_loaded_again(simulator: Simulator, browser: Browser) -> None:
    with showing(simulator, browser) as page:
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(6)
        page.get_by_label("Find").fill("node-3")
        expect(rows).to_have_count(1)
        expect(page.locator("#nodes-title")).to_have_text("Nodes 1 of 6")
        page.get_by_label("Nodes by").select_option("host")
        simulator.create(NODE)
        page.reload()
        expect(rows).to_have_count(1)
        expect(page.get_by_label("Find")).to_have_value("node-3")
        expect(page.get_by_label("Nodes by")).to_have_value("host")
        page.get_by_label("Find").fill("no such thing")
        page.get_by_text("None has “no such thing” in it.").first.wait_for()


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
