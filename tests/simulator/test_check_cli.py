"""`togetherai-check` against a simulator: a line each, and non-zero with the first that is not good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from togetherai_simulator import Simulator, running

KEY = "simulator-key"
CHECKS = ["network", "address", "key", "cluster", "clock"]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running({"instances": 3}) as process:
        yield process


def run(*arguments: str, address: str, key: str | None = KEY) -> tuple[int, list[str], list[str]]:
    """The command's exit status, and what it writes to stdout and to stderr."""
    env = {"TOGETHER_BASE_URL": address, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    env |= {"TOGETHER_API_KEY": key} if key else {}
    command = [sys.executable, "-m", "pulumi_resource_togetherai.check_cli", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert not key or key not in done.stdout + done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def check(*arguments: str, address: str, key: str | None = KEY) -> tuple[int, list[str]]:
    code, lines, wrong = run(*arguments, address=address, key=key)
    assert wrong == []
    return code, lines


def test_all_is_well(simulator: Simulator):
    code, lines = check("cluster-1", address=simulator.address)
    assert code == 0
    assert [line[:13].split() for line in lines] == [["ok", name] for name in CHECKS]
    assert "cluster-1 (training-1) is known: 3 GPU worker nodes (3 Ready), 0 active remediations" in lines[3]
    assert lines[2].endswith("the one from the environment variable TOGETHER_API_KEY is accepted")
    assert lines[4].endswith("the API's clock and this machine's agree")


def test_a_cluster_by_its_name_is_checked_and_described(simulator: Simulator):
    code, lines = check("training-1", address=simulator.address)
    assert code == 0
    assert "cluster-1 (training-1) is known: 3 GPU worker nodes" in lines[3]
    code, lines, wrong = run("training-1", "--describe", address=simulator.address)
    assert (code, wrong) == (0, [])
    assert lines


def test_it_only_reads(simulator: Simulator):
    simulator.control("DELETE", "/requests")
    check("cluster-1", address=simulator.address)
    asked = simulator.control("GET", "/requests")
    assert {entry["method"] for entry in asked if entry["path"].startswith("/v1")} == {"GET"}


@pytest.mark.parametrize(
    ("arguments", "address", "key", "failing", "part"),
    [
        (["cluster-1"], "http://127.0.0.1:9/v1", KEY, "address", "cannot reach http://127.0.0.1:9/v1"),
        (["cluster-1"], "http://example.test", KEY, "address", "is not encrypted"),
        (["cluster-1"], "nonsense", KEY, "address", "is not the address of an API"),
        (["cluster-1"], None, None, "key", "there is no API key"),
        (["cluster-1"], None, "another", "key", "401"),
        (
            ["cluster-9"],
            None,
            KEY,
            "cluster",
            "cluster-9: find cluster: no cluster has this id or name; the closest are cluster-1",
        ),
        (
            ["cluster-1", "cluster-9"],
            None,
            KEY,
            "cluster",
            "cluster-9: find cluster: no cluster has this id or name; the closest are cluster-1",
        ),
        ([".."], None, KEY, "cluster", "..: find cluster: no cluster has this id or name"),
    ],
)
def test_the_first_that_is_not_good_is_the_last_line(
    simulator: Simulator, arguments: list[str], address: str | None, key: str | None, failing: str, part: str
):
    code, lines = check(*arguments, address=address or simulator.address, key=key)
    assert code == 1
    assert lines[-1].split()[:2] == ["FAIL", failing]
    assert part in lines[-1]
    assert all(line.startswith("ok") for line in lines[:-1])


def test_on_request_it_is_json(simulator: Simulator):
    code, lines = check("cluster-1", "--json", address=simulator.address)
    told = json.loads("\n".join(lines))
    assert (code, [line["check"] for line in told]) == (0, CHECKS)
    assert all(line["ok"] for line in told)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_an_api_that_lists_no_whole_cluster_is_no_failure(simulator: Simulator, status: int):
    simulator.control("PATCH", "/settings", {"dialect": {"wildcard": status}})
    try:
        code, lines = check("cluster-1", address=simulator.address)
    finally:
        simulator.control("PATCH", "/settings", {"dialect": {"wildcard": "served"}})
    assert code == 0
    assert "an unknown number of active remediations" in lines[3]


@pytest.mark.parametrize(
    ("arguments", "address", "key", "failing"),
    [
        (["cluster-1"], "http://127.0.0.1:9/v1", KEY, "address"),
        (["cluster-1"], "nonsense", KEY, "address"),
        (["cluster-1"], None, None, "key"),
        (["cluster-1"], None, "another", "key"),
        (["cluster-9"], None, KEY, "cluster"),
        ([".."], None, KEY, "cluster"),
    ],
)
def test_without_a_cluster_that_answers_there_is_nothing_to_describe(
    simulator: Simulator, arguments: list[str], address: str | None, key: str | None, failing: str
):
    code, lines, wrong = run(*arguments, "--describe", address=address or simulator.address, key=key)
    assert (code, lines) == (1, [])
    assert [line.split()[:2] for line in wrong] == [["FAIL", failing]]


def test_a_cluster_that_cannot_be_read_fails_and_is_described_all_the_same(simulator: Simulator):
    simulator.control("POST", "/faults", {"operation": "get_cluster", "kind": "html"})
    try:
        code, lines, wrong = run("cluster-1", "--describe", address=simulator.address)
    finally:
        simulator.control("DELETE", "/faults")
    assert code == 1
    assert wrong[0].startswith("FAIL  address  get cluster: ")
    assert "answers without a JSON object" in "\n".join(lines)


def test_one_cluster_is_described_at_a_time(simulator: Simulator):
    code, lines, wrong = run("cluster-1", "cluster-2", "--describe", address=simulator.address)
    assert (code, lines) == (2, [])
    assert wrong[-1].endswith("--describe takes one CLUSTER")
