"""The command `togetherai-simulator`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.simulator.driver import NODE, OTHER_NODE, VM_ONLY, instance_path
from togetherai_simulator import DEFAULT_API_KEY, Simulator
from togetherai_simulator.server import listen
from togetherai_simulator.settings import Settings

COMMAND = [sys.executable, "-m", "togetherai_simulator"]
PATH = instance_path().removeprefix("/v1")


class Started(Simulator):
    """A simulator that was started as its users start it."""

    def __init__(self, popen: subprocess.Popen[str], address: str) -> None:
        super().__init__(address, DEFAULT_API_KEY, popen.pid)
        self.popen = popen


@contextmanager
def running(*arguments: str) -> Generator[Started]:
    """The command, on a port of its own. It is gone at the end, and has written no error."""
    popen = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert popen.stdout is not None
    assert popen.stderr is not None
    try:
        first = popen.stdout.readline()
        assert first.startswith("Together AI simulator listening on http://"), popen.stderr.read()
        with Started(popen, first.split()[-1]) as simulator:
            yield simulator
    finally:
        popen.terminate()
        _, errors = popen.communicate(timeout=10)
    assert errors == ""


def failing(*arguments: str) -> tuple[int, str]:
    """Status and error output of a start that is refused."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_and_without_a_word_when_told(number: signal.Signals) -> None:
    with running() as simulator:
        simulator.http.get(PATH)
        began = time.monotonic()
        simulator.popen.send_signal(number)
        assert simulator.popen.wait(timeout=10) == 0
        assert time.monotonic() - began < 2


def test_it_ends_at_once_even_while_an_answer_is_due() -> None:
    with running() as simulator:
        simulator.control("POST", "/faults", {"kind": "latency", "seconds": 600})
        failures: list[Exception] = []

        def ask() -> None:
            try:
                httpx.get(f"{simulator.address}{PATH}", timeout=60)
            except httpx.TransportError as error:
                failures.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        while not simulator.control("GET", "/requests"):
            time.sleep(0.01)
        simulator.popen.send_signal(signal.SIGTERM)
        assert simulator.popen.wait(timeout=10) == 0
        asking.join()
        assert len(failures) == 1


def test_it_says_how_to_use_it() -> None:
    with running("--clusters", "4", "--instances", "5", "--api-key", "simulator-key") as simulator:
        said = rest(simulator)
    assert f"TOGETHER_BASE_URL={simulator.root} TOGETHER_API_KEY=simulator-key" in said
    listed = [line for line in said.splitlines() if line.startswith("  cluster-")]
    assert [line.split()[:2] for line in listed] == [[f"cluster-{n}", f"cluster-{n}-node-1,"] for n in (1, 2, 3, 4)]


def rest(simulator: Started) -> str:
    """What it prints after its first line, up to its end."""
    simulator.popen.terminate()
    assert simulator.popen.stdout is not None
    return simulator.popen.stdout.read()


def test_of_many_clusters_it_lists_the_first_and_counts_the_others() -> None:
    with running("--clusters", "200", "--instances", "1") as simulator:
        said = rest(simulator)
    assert said.splitlines()[-1] == "  ... and 190 more clusters, up to cluster-200"
    assert len(said.splitlines()) < 20


def test_it_prints_each_request_with_what_came_of_it_and_no_control_character() -> None:
    with running("--log") as simulator:
        simulator.http.post(PATH, json={"mode": VM_ONLY}, params={"remediation_id": "not one"})
        simulator.create(NODE)
        simulator.add_fault({"kind": "drop_after", "operation": "create", "count": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            simulator.create(OTHER_NODE)
        simulator.http.get("/no%1b[2Jwhere")
        lines = [line for line in rest(simulator).splitlines() if line[2:3] == ":"]
    path = "/v1/compute/clusters/cluster-1/instances"
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        f"400           POST   {path}/{NODE}/remediations?remediation_id=not+one",
        f"200 created   POST   {path}/{NODE}/remediations",
        f"none created, fault drop_after POST   {path}/{OTHER_NODE}/remediations",
        r"404           GET    /v1/no\x1b[2Jwhere",
    ]


def test_where_nobody_reads_it_prints_no_requests() -> None:
    with running() as simulator:
        simulator.create(NODE)
        assert "remediations" not in rest(simulator)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncated"])
def test_a_dropped_connection_is_a_broken_one(kind: str) -> None:
    with running() as simulator:
        simulator.control("POST", "/faults", {"kind": kind, "count": 1})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            simulator.http.post(PATH, json={"mode": VM_ONLY})
        listed = simulator.http.get(PATH).json()["remediations"]
        assert len(listed) == (0 if kind == "drop_before" else 1)


def test_a_dialect_is_a_seed_or_single_choices_and_outlives_a_restart(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "simulator.db"))
    with running(*data, "--dialect", "7", "--dialect", "list_lag=3", "--dialect", "unset_times=null") as simulator:
        said = simulator.control("GET", "/settings")
        drawn = Settings.model_validate({"dialect": {"seed": 7, "list_lag": 3, "unset_times": "null"}})
        assert said == drawn.model_dump()
    with running(*data, "--dialect", "list_lag=4") as simulator:
        assert simulator.control("GET", "/settings")["dialect"] == said["dialect"] | {"list_lag": 4}


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ("list_lag=soon", "dialect.list_lag: Input should be a valid number"),
        ("colour=red", "dialect.colour: no such field"),
        ("funny", "dialect: Input should be"),
    ],
)
def test_a_choice_that_is_none_is_refused(choice: str, problem: str) -> None:
    code, errors = failing("--dialect", choice)
    assert (code, errors.count("\n")) == (1, 1)
    assert problem in errors


def test_nothing_that_was_answered_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "simulator.db"))
    with running(*data, "--instances", "3", "--idempotency", "existing", "--seed", "5") as simulator:
        simulator.control("POST", "/advance", {"seconds": 1000})
        simulator.control("PUT", f"/instances/cluster-1/{OTHER_NODE}/behaviour", {"outcome": "never"})
        simulator.control("PATCH", "/settings", {"pending": 30})
        made = simulator.http.post(PATH, params={"remediation_id": "k"}, json={"mode": VM_ONLY}).json()
        simulator.control("POST", "/advance", {"seconds": 95})
        simulator.control("POST", f"/instances/cluster-1/{OTHER_NODE}/propose", {"fault": "xid"})
        state = simulator.control("GET", "/state")
        simulator.popen.kill()
        simulator.popen.wait()
    with running(*data) as simulator:
        again = simulator.control("GET", "/state")
        assert again["clusters"] == state["clusters"]
        assert again["settings"] == state["settings"]
        assert again["now"] >= state["now"]
        repeated = simulator.http.post(PATH, params={"remediation_id": "k"}, json={"mode": VM_ONLY}).json()
        assert repeated["id"] == made["id"]
        assert repeated["state"] == "SUCCEEDED"
        assert (
            simulator.http.get("/compute/clusters/cluster-1").json()["gpu_worker_nodes"][0]["instance_id"]
            == f"{NODE}-r2"
        )
        fresh = simulator.http.post(PATH.replace(NODE, "cluster-1-node-3"), json={"mode": VM_ONLY}).json()
        assert fresh["id"] not in {item["id"] for item in state["clusters"][0]["remediations"]}


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "simulator.db"))
    answered: list[str] = []
    with running(*data) as simulator:

        def ask() -> None:
            with httpx.Client(headers=simulator.http.headers) as http:
                try:
                    while True:
                        made = http.post(f"{simulator.address}{PATH}", json={"mode": VM_ONLY})
                        answered.append(made.json()["id"])
                except httpx.TransportError:
                    return

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        while len(answered) < 100:
            time.sleep(0.01)
        simulator.popen.kill()
        for thread in asking:
            thread.join()
    with running(*data) as simulator:
        [cluster] = simulator.control("GET", "/state?limit=1000000")["clusters"]
        assert set(answered) <= {item["id"] for item in cluster["remediations"]}


def test_a_remediation_goes_on_after_a_restart(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "simulator.db"))
    with running(*data) as simulator:
        simulator.http.post(PATH, json={"mode": VM_ONLY})
    with running(*data) as simulator:
        simulator.control("POST", "/advance", {"seconds": 100})
        [remediation] = simulator.http.get(PATH).json()["remediations"]
        assert remediation["state"] == "SUCCEEDED"


def test_scenario_events_happen_once_across_restarts(tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path / "simulator.db"), "--propose", NODE)
    for _ in range(2):
        with running(*arguments) as simulator:
            [proposal] = simulator.http.get(PATH).json()["remediations"]
            assert len(proposal["linked_alerts"]) == 1


def test_options_say_what_becomes_of_instances() -> None:
    with running("--fail", NODE, "--never", OTHER_NODE, "--running", "1", "--propose", "cluster-1-node-3") as simulator:
        for instance in (NODE, OTHER_NODE):
            simulator.http.post(PATH.replace(NODE, instance), json={"mode": VM_ONLY})
        simulator.control("POST", "/advance", {"seconds": 500})
        listed = simulator.http.get(PATH.replace(NODE, "-"), params={"order_by": "create_time"}).json()["remediations"]
        assert [item["state"] for item in listed] == ["PENDING_APPROVAL", "FAILED", "RUNNING"]


def test_time_can_run_fast() -> None:
    with running("--speed", "10000") as simulator:
        path = f"{PATH}/{simulator.http.post(PATH, json={'mode': VM_ONLY}).json()['id']}"
        deadline = time.monotonic() + 10
        while simulator.http.get(path).json()["state"] != "SUCCEEDED":
            assert time.monotonic() < deadline


def test_no_answer_waits_for_more_to_send() -> None:
    with listen("127.0.0.1", 0) as listener:
        # What asyncio looks at before it turns Nagle's delay off; without, each answer takes 40 ms.
        assert listener.proto == socket.IPPROTO_TCP


def test_a_busy_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failing("--port", str(port)) == (
            1,
            f"togetherai-simulator: cannot listen on 127.0.0.1:{port}: Address already in use\n",
        )


def test_what_makes_no_sense_is_told_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("this is no database" * 100)
    for arguments, problem in (
        (("--fail", "node"), "there is no instance node; they are named like cluster-1-node-1"),
        (("--clusters", "0"), "argument --clusters: '0' is not a whole number from 1 up"),
        (("--speed", "-1"), "argument --speed: '-1' is not a number from 0 up"),
        (("--scenario", str(tmp_path / "none")), "No such file or directory"),
        (("--data", str(other)), "file is not a database"),
        (("--data", str(tmp_path / "no" / "folder")), "unable to open database file"),
    ):
        status, message = failing("--port", "0", *arguments)
        assert status in (1, 2)
        assert problem in message.splitlines()[-1]
        assert "Traceback" not in message


def test_one_data_file_is_for_one_simulator(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "simulator.db"))
    with running(*data):
        status, message = failing("--port", "0", *data)
    assert (status, "database is locked" in message) == (1, True)
