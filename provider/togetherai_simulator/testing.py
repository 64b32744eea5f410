"""For tests and rehearsals: a simulator in a process of its own, what to tell it and ask it, and a Pulumi for it."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import httpx
from starlette.types import ASGIApp

from togetherai_simulator.app import App
from togetherai_simulator.clock import Clock
from togetherai_simulator.inprocess import InProcessTransport
from togetherai_simulator.operations import API_ROOT
from togetherai_simulator.scenario import Scenario, simulate
from togetherai_simulator.server import listen, serve

HOST = "127.0.0.1"
# With a fork server that has imported this module, a simulator starts in a moment: multiprocessing's
# set_forkserver_preload is for whoever starts many.
_PROCESSES = (
    multiprocessing.get_context("forkserver")
    if "forkserver" in multiprocessing.get_all_start_methods()
    else multiprocessing.get_context("spawn")
)


class Simulator:
    """A simulator, and a client of it. Everything raises `httpx.HTTPError` if the simulator refuses it."""

    def __init__(self, address: str, key: str, process: int, transport: httpx.BaseTransport | None = None) -> None:
        """`transport` is the way to it; by default the network."""
        self.address = address
        """Where its API is; ends in /v1."""
        self.key = key
        """An API key that it accepts."""
        self.process = process
        """The id of its process."""
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=60, transport=transport)
        """Sends requests to the API, with the key. Does not raise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    @property
    def root(self) -> str:
        """The address of its page, without a slash at the end."""
        return self.address.removesuffix(API_ROOT)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the provider uses it."""
        return {"TOGETHER_BASE_URL": self.address, "TOGETHER_API_KEY": self.key}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Any call of the control API, by its path below /_simulator. Returns the answer's JSON."""
        return self.http.request(method, f"{self.root}/_simulator{path}", json=body).raise_for_status().json()

    def advance(self, seconds: float) -> None:
        """Moves its clock ahead by so many simulated seconds."""
        self.control("POST", "/advance", {"seconds": seconds})

    def set(self, **settings: Any) -> None:
        """Changes settings of the platform, such as `dialect` or `pending`."""
        self.control("PATCH", "/settings", settings)

    def behave(self, instance: str = "cluster-1-node-1", **behaviour: Any) -> None:
        """Says how an instance's remediations go, such as `outcome="fail"`."""
        self.control("PUT", f"{_instance(instance)}/behaviour", behaviour)

    def propose(self, instance: str = "cluster-1-node-1", **proposal: Any) -> dict[str, Any]:
        """Has the platform propose a remediation, such as for `fault="xid"`; returns it."""
        return self.control("POST", f"{_instance(instance)}/propose", proposal)

    def break_node(self, instance: str = "cluster-1-node-1", **breaking: Any) -> None:
        """Lets a node not work any more, of which the platform knows no reason; `cured_by="REMEDIATION_MODE_VM_ONLY"`
        says that a reboot does not help."""
        self.control("POST", f"{_instance(instance)}/break", breaking)

    def mend_node(self, instance: str = "cluster-1-node-1") -> None:
        """Lets it work again, without any repair."""
        self.control("POST", f"{_instance(instance)}/mend")

    def force(self, remediation: str, state: str, **more: Any) -> None:
        """Brings a remediation into a state, as something outside would."""
        self.control("POST", f"/remediations/{remediation}/state", {"state": state} | more)

    def expire(self, remediation: str) -> None:
        """Has the platform forget a remediation, as after the time for which it keeps them."""
        self.control("POST", f"/remediations/{remediation}/expire")

    def add_fault(self, rule: Mapping[str, Any]) -> None:
        """Switches a fault on, such as `{"kind": "error", "status": 503, "count": 1}`."""
        self.control("POST", "/faults", rule)

    def clear_faults(self) -> None:
        """Switches all faults off."""
        self.control("DELETE", "/faults")

    def requests(self, effect: str | None = None) -> list[dict[str, Any]]:
        """The requests that reached the API, oldest first; of one effect only, such as `created`, if given."""
        return [entry for entry in self.control("GET", "/requests") if effect in (None, entry["effect"])]

    def forget_requests(self) -> None:
        """Empties the journal of requests."""
        self.control("DELETE", "/requests")

    def posts(self) -> int:
        """How many requests tried to start a remediation."""
        return sum(entry["method"] == "POST" and entry["path"].endswith("/remediations") for entry in self.requests())

    def create(self, instance: str = "cluster-1-node-1", mode: str = "REMEDIATION_MODE_REBOOT_VM") -> dict[str, Any]:
        """Starts a remediation, as somebody else would; returns it."""
        cluster = instance.partition("-node-")[0]
        path = f"/compute/clusters/{cluster}/instances/{instance}/remediations"
        return self.http.post(path, json={"mode": mode, "reason": "by hand"}).raise_for_status().json()

    def remediations(self, cluster: str = "cluster-1") -> list[dict[str, Any]]:
        """The newest 100 remediations of a cluster, newest first, as the API lists them."""
        path = f"/compute/clusters/{cluster}/instances/-/remediations"
        return self.http.get(path, params={"page_size": 100}).raise_for_status().json()["remediations"]

    def until(self, state: str, count: int = 1, cluster: str = "cluster-1", patience: float = 60.0) -> dict[str, Any]:
        """Waits until `count` remediations of the cluster are in a state; returns the newest. Raises TimeoutError after
        `patience` real seconds."""
        gives_up = time.monotonic() + patience
        while time.monotonic() < gives_up:
            found = [item for item in self.remediations(cluster) if item["state"] == state]
            if len(found) >= count:
                return found[0]
            time.sleep(0.02)
        raise TimeoutError(f"no remediation came to be {state}; there are {self.remediations(cluster)}")


@contextmanager
def running(scenario: Scenario | Mapping[str, Any] | None = None, *, speed: float = 1.0) -> Generator[Simulator]:
    """Starts a simulator in a process of its own, on a free port of the loopback, and stops it at the end.

    `scenario` is what a scenario file holds: `running({"clusters": 2, "settings": {"pending": 5}})`. `speed` is in
    simulated seconds per real second; 0 stops the clock. The simulator's `key` is the scenario's first.

    The process imports the program's main module, as all of multiprocessing's do: keep what a script does behind
    `if __name__ == "__main__":`. Raises `pydantic.ValidationError` or `ScenarioError` if the scenario has a mistake.
    """
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.model_validate(scenario or {})
    simulate(chosen)  # raises here what the process would raise
    with (
        serving(_simulated, chosen, speed) as (root, process),
        Simulator(root + API_ROOT, chosen.api_keys[0].key, process) as simulator,
    ):
        yield simulator


def in_process(app: App) -> Simulator:
    """What `running` gives, for a simulator in this process. Its address is for its own client: nothing listens. Its
    calls raise RuntimeError if an answer takes time, as under an injected latency."""
    key = next(iter(app.access.keys.values())).key
    return Simulator(f"http://simulator{API_ROOT}", key, os.getpid(), InProcessTransport(app))


@contextmanager
def serving(make: Callable[..., ASGIApp], *arguments: Any) -> Generator[tuple[str, int]]:
    """Serves what `make(*arguments)` returns, called in a process of its own, on a free port of the loopback. Yields
    the address and the process's id, and ends the process. Raises RuntimeError if the process ends before it listens.
    """
    port, its_port = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_serve, args=(its_port, make, arguments), daemon=True)
    process.start()
    its_port.close()
    assert process.pid is not None
    try:
        try:
            address = f"http://{HOST}:{port.recv()}"
        except EOFError:
            raise RuntimeError("the simulator did not start; what it said stands above") from None
        yield address, process.pid
    finally:
        process.terminate()
        process.join()
        process.close()
        port.close()


def _serve(port: Connection, make: Callable[..., ASGIApp], arguments: tuple[Any, ...]) -> None:
    app = make(*arguments)
    listener = listen(HOST, 0)
    port.send(listener.getsockname()[1])
    serve(app, listener)


def _simulated(scenario: Scenario, speed: float) -> App:
    app = simulate(scenario, clock=Clock(speed=speed))
    app.own_host = HOST
    return app


def _instance(instance: str) -> str:
    return f"/instances/{instance.partition('-node-')[0]}/{instance}"


def pulumi_environment(folder: Path) -> dict[str, str]:
    """The environment variables with which Pulumi's commands keep everything in a folder, state and plugins too, and
    know nothing of the Pulumi on this machine. Makes the folder for the state."""
    folder = folder.absolute()
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(folder),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "simulated",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
