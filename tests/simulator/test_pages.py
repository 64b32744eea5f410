"""The pages for people, without a browser, and the OpenAPI document."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.simulator.driver import NODE, OTHER_NODE, REBOOT_VM, VM_ONLY, Driver
from togetherai_simulator.console import PAST
from togetherai_simulator.control import CALLS, Changes
from togetherai_simulator.openapi import openapi


async def fragment(simulator: Driver, **headers: str) -> tuple[int, str, str]:
    response = await simulator.http.get("/_simulator/console", headers=headers)
    return response.status_code, response.text, response.headers["ETag"]


async def test_the_console_shows_nodes_and_remediations_with_all_that_is_known(simulator: Driver) -> None:
    proposal = await simulator.propose(fault="gpu_lost")
    _, html, _ = await fragment(simulator)
    for text in ("cluster-1-host-4", "Pending approval", "HOST_AWARE", "GpuFellOffBus", proposal["id"], "Approve"):
        assert text in html


async def test_it_is_fetched_anew_only_when_something_changed(simulator: Driver) -> None:
    _, _, tag = await fragment(simulator)
    assert (await fragment(simulator, **{"If-None-Match": tag}))[0] == 304
    await simulator.created()
    status, _, changed = await fragment(simulator, **{"If-None-Match": tag})
    assert status == 200
    await simulator.advance(10)
    status, html, changed_again = await fragment(simulator, **{"If-None-Match": changed})
    assert (status, "Running" in html) == (200, True)
    await simulator.fault(kind="latency")
    status, html, _ = await fragment(simulator, **{"If-None-Match": changed_again})
    assert (status, "Faults are on" in html) == (200, True)


async def test_what_people_write_is_shown_as_text(simulator: Driver) -> None:
    await simulator.create(NODE, reason="<script>alert(1)</script>")
    _, html, _ = await fragment(simulator)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


async def test_the_pages_ask_for_nothing_from_outside(simulator: Driver) -> None:
    for path in ("/", "/reference", "/_simulator/assets/console.css", "/_simulator/assets/console.js"):
        response = await simulator.http.get(path)
        assert response.status_code == 200
        assert not re.search(r"""(src|href|url|import)\W{0,3}(https?:)?//""", response.text)


async def test_the_openapi_document_is_served_and_has_no_loose_end(simulator: Driver) -> None:
    document = (await simulator.http.get("/openapi.json")).json()
    assert document == openapi()
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(document["components"]["schemas"])
    assert "HOST_POWER_CYCLE" in str(document["components"]["schemas"]["RemediationMode"])


async def test_the_reference_tells_of_every_operation(simulator: Driver) -> None:
    html = (await simulator.http.get("/reference")).text
    for operations in openapi()["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in html


async def test_the_reference_explains_scenario_files(simulator: Driver) -> None:
    html = (await simulator.http.get("/reference")).text
    for name in ("behaviours", "failure_rate", "clears_after", "set_state", "drop_before"):
        assert name in html


async def test_a_node_that_is_ready_and_ill_says_what_is_wrong_with_it(simulator: Driver) -> None:
    await simulator.behave(NODE, outcome="fail", error_message="no healthy host")
    failed = await simulator.created(NODE)
    await simulator.advance(600)
    await simulator.propose(OTHER_NODE, fault="slurm_drain")
    assert await simulator.state(failed) == "FAILED"
    assert await conditions(simulator) == {
        NODE: "○ Ready ▲ VM_ONLY failed: no healthy host; set to fail",
        OTHER_NODE: "○ Ready ▲ SlurmNodeUnavailable ▲ HOST_AWARE waits for approval",
        "cluster-1-node-3": "● Ready",
        "cluster-1-node-4": "● Ready",
    }


async def test_an_alert_goes_on_after_a_rejection_and_ends_with_a_cure(simulator: Driver) -> None:
    proposal = await simulator.propose(NODE, fault="xid")
    await simulator.act(proposal, "reject", {})
    assert (await conditions(simulator))[NODE] == "○ Ready ▲ DmesgXidError"
    await simulator.created(NODE, mode=REBOOT_VM)
    await simulator.advance(20)
    assert (await conditions(simulator))[NODE] == "◐ Not ready ▲ DmesgXidError; REBOOT_VM RUNNING"
    await simulator.advance(600)
    assert (await conditions(simulator))[NODE] == "● Ready"


async def test_how_a_nodes_remediations_were_told_to_go_is_shown(simulator: Driver) -> None:
    await simulator.behave(NODE, outcome="never", pending=3)
    assert (await conditions(simulator))[NODE] == "● Ready; set to stay RUNNING, pending 3.0 s"


async def test_each_node_has_its_history_whatever_its_instance_is_by_now(simulator: Driver) -> None:
    first = await simulator.created(NODE, mode=VM_ONLY)
    await simulator.advance(3600)
    await simulator.created(f"{NODE}-r2", mode=REBOOT_VM)
    await simulator.create(OTHER_NODE, reason="<b>ECC</b>")
    assert await histories(simulator) == {
        f"{NODE}-r2": ["REBOOT_VM PENDING · broken", f"VM_ONLY SUCCEEDED after 70 s · {NODE} · broken"],
        OTHER_NODE: ["VM_ONLY PENDING · &lt;b&gt;ECC&lt;/b&gt;"],
    }
    assert await simulator.state(first) == "SUCCEEDED"


async def test_a_long_history_says_how_much_of_it_is_not_shown(simulator: Driver) -> None:
    for _ in range(PAST + 2):
        await simulator.created(NODE, mode=REBOOT_VM)
        await simulator.advance(3600)
    lines = (await histories(simulator))[NODE]
    assert (len(lines), lines[-1]) == (PAST + 1, "2 earlier")


async def test_a_node_that_is_broken_says_so_and_what_helps(simulator: Driver) -> None:
    await simulator.control("POST", f"/instances/cluster-1/{NODE}/break", {"cured_by": VM_ONLY})
    assert re.fullmatch(
        r"◐ Not ready ▲ broken since [0-9:]{8}; VM_ONLY or a stronger mode helps", (await conditions(simulator))[NODE]
    )


async def histories(simulator: Driver) -> dict[str, list[str]]:
    """The lines of each node's history, without their times, by its present instance."""
    html = (await simulator.http.get("/_simulator/console")).text
    found = dict[str, list[str]]()
    for instance, row in re.findall(r'<tr id="node-(.+?)"(.*?)</tr>', html, re.DOTALL):
        items = re.findall(r"<li>(.*?)</li>", row, re.DOTALL)
        lines = [" ".join(re.sub(r"<code>.*?</code>|<.*?>", "", item).split()) for item in items]
        if lines:
            found[instance] = lines
    return found


async def conditions(simulator: Driver, **query: str) -> dict[str, str]:
    """What the page says of each node, by its instance, in its order: the status, what is wrong by its first word, and
    the rest."""
    html = (await simulator.http.get("/_simulator/console", params=query)).text
    said: dict[str, str] = {}
    for instance, cell in re.findall(r'<tr id="node-(.+?)".*?</td><td>(.*?)</td>', html, re.DOTALL):
        (tone, status), *_ = re.findall(r'class="badge (\w+)">(.+?)<', cell)
        mark = {"ready": "●", "doubtful": "○"}.get(tone, "◐")
        wrong = [re.sub(r"(Slurm|Dmesg)(\w+):.*", r"\1\2", text) for text in re.findall(r'"wrong">(.+?)<', cell)]
        rest = re.findall(r'"(?:repairs|told)">(.+?)<', cell)
        said[instance] = "; ".join([" ▲ ".join([f"{mark} {status}", *wrong]), *rest])
    return said


async def test_nodes_are_found_and_sorted(simulator: Driver) -> None:
    await simulator.propose("cluster-1-node-3", fault="xid")
    last = "cluster-1-node-4"
    await simulator.created(last)
    assert list(await conditions(simulator)) == ["cluster-1-node-3", last, NODE, OTHER_NODE]
    assert list(await conditions(simulator, sort="instance")) == [NODE, OTHER_NODE, "cluster-1-node-3", last]
    assert list(await conditions(simulator, sort="no such order")) == list(await conditions(simulator))
    assert list(await conditions(simulator, find="HOST-4")) == [last]
    assert list(await conditions(simulator, find="dmesg")) == ["cluster-1-node-3"]
    _, html, _ = await fragment(simulator)
    assert html.count("<article") == 2
    html = (await simulator.http.get("/_simulator/console", params={"find": "VM_ONLY"})).text
    assert html.count("<article") == 1


async def test_who_rejected_a_proposal_did_not_approve_it(simulator: Driver) -> None:
    for node, action in ((NODE, "reject"), (OTHER_NODE, "approve")):
        await simulator.act(await simulator.propose(node), action, {"comment": f"so {action} it"})
    cancelled = await simulator.propose("cluster-1-node-3")
    await simulator.act(cancelled, "approve", {"comment": "first"})
    await simulator.act(cancelled, "cancel")
    _, html, _ = await fragment(simulator)
    said = re.findall(r"<p>(\w+) by \S+: (.+?)</p>", html)
    assert sorted(said) == [("Approved", "first"), ("Approved", "so approve it"), ("Rejected", "so reject it")]


async def test_the_latest_requests_are_shown_with_what_came_of_them(simulator: Driver) -> None:
    _, html, tag = await fragment(simulator)
    assert "None yet." in html
    await simulator.created(NODE, key="3f2b6a7e-8f4e-4c0a-9d0e-0c2f6f1f2a11")
    await simulator.fault(kind="error", operation="list", count=1)
    await simulator.list()
    for _ in range(3):
        await simulator.list()
    await simulator.fault(kind="drop_after", operation="create", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await simulator.create(OTHER_NODE)
    status, html, _ = await fragment(simulator, **{"If-None-Match": tag})
    assert status == 200
    items = re.findall(r"<li><code>.*?</li>", html.partition('id="requests"')[2], re.DOTALL)
    lines = [" ".join(re.sub(r"<.*?>", "", item).split()).partition(" ")[2] for item in items]
    path = "/v1/compute/clusters/cluster-1/instances"
    assert lines == [
        f"none created fault drop_after POST {path}/{OTHER_NODE}/remediations",
        f"200 GET {path}/-/remediations ×3",
        f"503 fault error GET {path}/-/remediations",
        f"200 created POST {path}/{NODE}/remediations?remediation_id=3f2b6a7e-8f4e-4c0a-9d0e-0c2f6f1f2a11",
    ]


async def test_a_request_that_changes_nothing_is_shown_at_once_too(simulator: Driver) -> None:
    _, _, tag = await fragment(simulator)
    await simulator.list()
    status, _, changed = await fragment(simulator, **{"If-None-Match": tag})
    assert status == 200
    assert (await fragment(simulator, **{"If-None-Match": changed}))[0] == 304


async def test_the_reference_explains_every_control_call_and_what_it_takes(simulator: Driver) -> None:
    html = (await simulator.http.get("/reference")).text
    assert len(CALLS) > 10
    for call in CALLS:
        text = html.partition(f'id="control-{call.handler.__name__}"')[2].partition("</section>")[0]
        assert f">{call.method}</b> <code>/_simulator{call.path}</code>" in text
        assert len(re.findall(r"<p>(.{10,}?)</p>", text, re.DOTALL)) == (2 if call.body else 1)
        if call.body:
            assert f'href="#{call.body.__name__}"' in text
            # and each of its fields has a type and an explanation
            body = html.partition(f'<section id="{call.body.__name__}">')[2].partition("</section>")[0]
            for field in call.body.model_fields if call.body is not Changes else ():
                assert f"<code>{field}</code>" in body


async def test_no_two_parts_of_the_reference_have_one_name_and_every_link_leads_somewhere(simulator: Driver) -> None:
    html = (await simulator.http.get("/reference")).text
    names = re.findall(r'id="(.+?)"', html)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#(.+?)"', html)) <= set(names)
