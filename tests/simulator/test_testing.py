"""What the package offers to tests: `running` and the rest."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.types import ASGIApp

import togetherai_simulator
from togetherai_simulator import (
    DEFAULT_API_KEY,
    Clock,
    ScenarioError,
    Simulator,
    in_process,
    pulumi_environment,
    running,
    serving,
    simulate,
)

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_the_example_of_its_page_runs():
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(example, {})


def test_it_is_gone_at_the_end_and_its_key_is_the_scenarios_first():
    with running({"api_keys": [{"key": "one"}, {"key": "two"}]}) as simulator:
        assert simulator.environment == {"TOGETHER_BASE_URL": simulator.address, "TOGETHER_API_KEY": "one"}
        assert simulator.address.endswith("/v1")
        assert simulator.remediations() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(simulator.root)


def test_it_does_what_it_is_told():
    with running({"clusters": 2}, speed=0) as simulator:
        proposal = simulator.propose("cluster-2-node-1", fault="xid")
        assert simulator.until("PENDING_APPROVAL", cluster="cluster-2")["id"] == proposal["id"]
        simulator.force(proposal["id"], "CANCELLED")
        simulator.expire(proposal["id"])
        assert simulator.remediations("cluster-2") == []
        simulator.add_fault({"kind": "error", "status": 503, "operation": "create"})
        with pytest.raises(httpx.HTTPStatusError):
            simulator.create()
        simulator.clear_faults()
        simulator.set(active_limit=1)
        made = simulator.create()
        assert [entry["effect"] for entry in simulator.requests("created")] == ["created"]
        assert simulator.posts() == 2
        simulator.forget_requests()
        assert simulator.posts() == 0
        with pytest.raises(TimeoutError, match=made["id"]):
            simulator.until("SUCCEEDED", patience=0.1)


async def test_one_in_this_process_does_what_it_is_told_too_in_an_event_loop():
    told_what_to_do()


def test_one_in_this_process_does_what_it_is_told_too():
    told_what_to_do()


def told_what_to_do() -> None:
    simulator = in_process(simulate({"api_keys": [{"key": "its own"}]}, clock=Clock(lambda: 0.0)))
    made = simulator.create()
    simulator.advance(600)
    assert [(item["id"], item["state"]) for item in simulator.remediations()] == [(made["id"], "SUCCEEDED")]
    simulator.add_fault({"kind": "drop_after", "operation": "list", "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        simulator.remediations()
    simulator.add_fault({"kind": "latency", "operation": "list"})
    with pytest.raises(RuntimeError):
        simulator.remediations()


def test_a_scenario_that_makes_no_sense_is_refused_where_it_is_given():
    with pytest.raises(ValidationError, match="colour"), running({"colour": "red"}):
        pass
    with pytest.raises(ScenarioError, match="there is no instance node"), running({"behaviours": {"node": {}}}):
        pass


def broken() -> ASGIApp:
    raise SystemExit(3)


def test_a_process_that_ends_before_it_answers_is_told():
    with pytest.raises(RuntimeError, match="did not start"), serving(broken):
        pass


def test_pulumi_keeps_everything_in_the_folder(tmp_path: Path):
    environment = pulumi_environment(tmp_path / "new")
    assert environment["PULUMI_BACKEND_URL"] == (tmp_path / "new" / "state").as_uri()
    assert (tmp_path / "new" / "state").is_dir()
    assert all(str(tmp_path) in environment[name] for name in ("HOME", "PULUMI_HOME", "PULUMI_BACKEND_URL"))


def test_all_that_the_package_offers_is_there_and_described():
    for name in togetherai_simulator.__all__:
        assert name.isupper() or getattr(togetherai_simulator, name).__doc__
    assert Simulator.__doc__
    assert DEFAULT_API_KEY == "simulator-key"
    with pytest.raises(AttributeError, match="nothing"):
        togetherai_simulator.nothing  # noqa: B018
