"""The page and the control calls answer to the simulator's own address; the API to whoever has a key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.simulator.driver import instance_path
from togetherai_simulator import Simulator, running


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running({"instances": 6}, speed=0) as process:
        yield process


PAGES = ["/", "/reference", "/openapi.json", "/_simulator/state", "/_simulator/console", "/_simulator/requests"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("host", ["evil.test", "evil.test:8080", "127.0.0.1.evil.test", "localhost.evil.test", ""])
def test_a_name_that_somebody_else_owns_leads_to_no_page(simulator: Simulator, path: str, host: str):
    answer = simulator.http.get(f"{simulator.root}{path}", headers={"Host": host})
    assert answer.status_code == 403
    assert "simulator-key" not in answer.text
    assert answer.json()["code"] == 7


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8080", "10.1.2.3"])
def test_an_address_is_nobodys_name(simulator: Simulator, path: str, host: str):
    assert simulator.http.get(f"{simulator.root}{path}", headers={"Host": host}).status_code == 200


def test_the_api_answers_under_any_name_to_who_has_a_key(simulator: Simulator):
    path = instance_path("-").removeprefix("/v1")
    assert simulator.http.get(path, headers={"Host": "simulator.test"}).status_code == 200
    assert simulator.http.get(path, headers={"Host": "simulator.test", "Authorization": ""}).status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1", "http://localhost:1"])
def test_a_page_of_somebody_else_changes_nothing(simulator: Simulator, origin: str):
    before = simulator.control("GET", "/clock")
    answer = simulator.http.post(
        f"{simulator.root}/_simulator/advance", json={"seconds": 60}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    assert simulator.control("GET", "/clock") == before


def test_its_own_page_and_no_page_at_all_may(simulator: Simulator):
    for headers in ({"Origin": simulator.root}, {}):
        answer = simulator.http.post(f"{simulator.root}/_simulator/advance", json={"seconds": 1}, headers=headers)
        assert answer.status_code == 200


@pytest.mark.parametrize("identifier", [".", "..", "a/b", "a%2Fb", "..%2F..", "a b", "é"])
def test_an_id_is_no_step_in_a_path(simulator: Simulator, identifier: str):
    path = f"{instance_path('cluster-1-node-1').removeprefix('/v1')}?remediation_id={identifier}"
    answer = simulator.http.post(path, json={"mode": "REMEDIATION_MODE_REBOOT_VM"})
    assert answer.status_code == 400


def test_a_path_with_steps_in_it_leads_nowhere_else(simulator: Simulator):
    for path in ("/_simulator/assets/..%2F..%2Fconfig.py", "/_simulator/assets/%2e%2e/app.py", "/_simulator/../v1"):
        assert simulator.http.get(f"{simulator.root}{path}").status_code == 404


async def test_many_posts_at_once_with_one_key_have_one_effect(simulator: Simulator):
    path = f"{instance_path('cluster-1-node-2')}?remediation_id=the-same"
    async with httpx.AsyncClient(base_url=simulator.root, headers=simulator.http.headers) as http:
        answers = await asyncio.gather(
            *(http.post(path, json={"mode": "REMEDIATION_MODE_REBOOT_VM"}) for _ in range(50))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["id"] for answer in answers} == {"the-same"}
    journal = simulator.control("GET", "/requests")
    assert sum(entry["effect"] == "created" and "the-same" in entry["query"] for entry in journal) == 1


def test_it_listens_on_loopback_unless_told_otherwise(simulator: Simulator):
    assert simulator.root.startswith("http://127.0.0.1:")
