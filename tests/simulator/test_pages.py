"""The pages for people, without a browser, and the OpenAPI document."""

from __future__ import annotations

import re

from tests.simulator.driver import NODE, Driver
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
