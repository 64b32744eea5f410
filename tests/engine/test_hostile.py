"""A hostile service, and careless settings, on the real engine: each of these went wrong once."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pulumi_resource_togetherai.api.pages import MOST_PAGES
from tests.chaos.gate import PATIENCE, Gate, gate
from tests.engine.processes import is_the_provider, processes_of
from tests.engine.stack import Form, Stack
from tests.simulated import Simulator

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def liar(api: Simulator) -> Generator[tuple[Gate, str]]:
    """Something between us and the API that changes its answers, and its address."""
    with gate(api.address) as made:
        yield made


@pytest.fixture
def lied_to(tmp_path: Path, form: Form, liar: tuple[Gate, str]) -> Stack:
    """A stack that talks to it."""
    stack = Stack(tmp_path / "stack", form, liar[1])
    stack.configure("togetherai:maxRetries", "1")
    return stack


def is_look(method: str, path: str) -> bool:
    return method == "GET" and "/remediations" in path


def test_an_answer_about_a_stranger_is_no_success(lied_to: Stack, liar: tuple[Gate, str], api: Simulator):
    api.behave(outcome="never")

    def evil(method: str, path: str, body: bytes) -> bytes:
        told = json.loads(body)
        stranger = {"id": "evil", "cluster_id": "evil-cluster", "instance_id": "evil-node", "state": "SUCCEEDED"}
        if is_look(method, path) and api.posts():
            told = {**told, "remediations": [item | stranger for item in told.get("remediations", ())]} | (
                {} if "remediations" in told else stranger
            )
        return json.dumps(told).encode()

    liar[0].rewrite = evil
    lied_to.declare(timeout="4s")
    up = lied_to.up()
    assert up.code == 1
    (ours,) = api.remediations()
    assert ours["id"] in up.output
    assert re.search(
        r"gave an answer that cannot be right: asked about .* it answered with remediation evil", up.output
    )
    held = lied_to.resources()
    assert all(item["outputs"]["remediationId"] == ours["id"] for item in held.values())
    assert api.posts() == 1


def test_a_list_that_never_ends_is_one_line_after_so_many_pages(lied_to: Stack, liar: tuple[Gate, str], api: Simulator):
    pages = list[str]()

    def endless(method: str, path: str, body: bytes) -> bytes:
        if not is_look(method, path):
            return body
        pages.append(path)
        item = {
            "id": f"r{len(pages)}",
            "cluster_id": "cluster-1",
            "instance_id": "cluster-1-node-1",
            "mode": "REMEDIATION_MODE_REBOOT_VM",
            "trigger": "REMEDIATION_TRIGGER_MANUAL",
            "state": "FAILED",
        }
        return json.dumps({"remediations": [item], "has_next": True, "next_page_token": f"t{len(pages)}"}).encode()

    def passed(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        # The simulator knows none of these tokens: it is asked for the first page again and again.
        return forward(method, path.partition("?")[0] if is_look(method, path) else path, headers, body)

    forward, liar[0].forward = liar[0].forward, passed  # type: ignore[method-assign]
    liar[0].rewrite = endless
    lied_to.declare()
    up = lied_to.up()
    assert up.code == 1
    assert f"it goes on after {MOST_PAGES} pages. Nothing was posted" in up.output
    assert len(pages) == 2 * MOST_PAGES, "the instance's list, and the cluster's in its place"
    assert api.posts() == 0


def test_an_answer_of_200_mb_is_not_read_whole(tmp_path: Path, liar: tuple[Gate, str], api: Simulator):
    stack = Stack(tmp_path / "stack", "plugin", liar[1])
    stack.configure("togetherai:maxRetries", "0")
    served, enough = list[str](), threading.Event()

    def too_much(method: str, path: str, body: bytes) -> bytes:
        if not is_look(method, path):
            return body
        served.append(path)
        if len(served) == 3:  # by then the plugin has read as much as it wants of two
            enough.set()
        return huge

    huge = b'{"remediations": [], "x": "' + b"x" * 200 * 2**20 + b'"}'
    api.behave(outcome="never")
    stack.declare()
    with stack.running("up", "--yes", "--skip-preview") as up:
        api.until("RUNNING")
        liar[0].rewrite = too_much
        plugin = next(process for process in processes_of(stack) if is_the_provider(process))
        assert enough.wait(PATIENCE)
        status = Path(f"/proc/{plugin}/status").read_text()
        liar[0].rewrite = lambda method, path, body: body
        api.force(api.remediations()[0]["id"], "SUCCEEDED")
        output, _ = up.communicate(timeout=60)
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    assert int(peak[1]) < 200 * 1024, status
    assert up.returncode == 0
    assert "answered with more than 16 MiB, which is more than the provider reads" in output


def test_escape_sequences_of_the_service_reach_no_terminal_and_stay_in_the_stack(stack: Stack, api: Simulator):
    evil = "\x1b]0;owned\x07\x1b[2J\u202eevil"
    api.behave(outcome="fail", error_message=evil)
    stack.declare()
    up = stack.up()
    assert up.code == 1
    assert not CONTROLS.search(up.output)
    assert r"FAILED after" in up.output
    assert r"\x1b]0;owned\x07\x1b[2J\u202eevil" in up.output
    if stack.form == "plugin":
        assert stack.resources()["fix"]["outputs"]["errorMessage"] == evil
        assert not CONTROLS.search(stack.preview().output)


@pytest.mark.parametrize("where", ["configuration", "environment"])
def test_the_key_is_not_sent_in_clear(stack: Stack, where: str):
    if where == "environment":
        stack.env["TOGETHER_BASE_URL"] = "http://example.test"
    else:
        stack.configure("togetherai:baseUrl", "http://example.test")
    stack.declare()
    for ended in (stack.preview(), stack.up()):
        assert ended.code == 1
        assert (
            "http://example.test/v1 is not encrypted, so others on the network could read the API key" in ended.output
        )
        assert "Traceback" not in ended.output


def test_an_address_with_a_password_is_refused_and_not_shown(stack: Stack):
    stack.configure("togetherai:baseUrl", "https://user:hunter2@host.test")
    stack.declare()
    for ended in (stack.preview(), stack.up()):
        assert ended.code == 1
        assert "with a user or a password in it" in ended.output
        assert "hunter2" not in ended.output
