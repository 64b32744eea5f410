"""Scenario files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.simulator.driver import HOST_AWARE, NODE, OTHER_NODE, UNAVAILABLE, Driver, ok, refused
from togetherai_simulator import scenario as scenario_module
from togetherai_simulator.scenario import Scenario, ScenarioError, read_scenario, simulate

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "scenario.yaml"
        path.write_text(dedent(text))
        return path

    return write


def events(*events: dict[str, object]) -> dict[str, object]:
    return {"events": list(events)}


async def test_the_example_in_the_documentation_works(write: Write) -> None:
    documentation = scenario_module.__doc__ or ""
    example = documentation.split("\n\n")[1]
    scenario = read_scenario(write(example))
    async with Driver(scenario.model_dump()) as simulator:
        await simulator.control("DELETE", "/faults")
        await simulator.advance(100)
        [proposal] = ok(await simulator.list(NODE))["remediations"]
        assert proposal["mode"] == "REMEDIATION_MODE_REBOOT_VM"
        await simulator.advance(100)
        assert (await simulator.get(proposal))["mode"] == HOST_AWARE
        await simulator.advance(115)
        approved = await simulator.get(proposal)
        assert (approved["state"], approved["reviewed_by"]) == ("QUARANTINED", "scenario")


async def test_an_empty_file_is_a_scenario(write: Write) -> None:
    assert read_scenario(write("")) == Scenario()


async def test_events_happen_at_their_time() -> None:
    scenario = events(
        {"at": 30, "do": "reject", "instance": OTHER_NODE, "comment": "no"},
        {"at": 10, "do": "propose", "instance": NODE},
        {"at": 10, "do": "propose", "instance": OTHER_NODE},
        {"at": 20, "do": "clear_alerts", "instance": NODE},
        {"at": 40, "do": "expire", "instance": NODE},
    )
    async with Driver(scenario) as simulator:
        assert ok(await simulator.list())["remediations"] == []
        await simulator.advance(39)
        rejected, resolved = ok(await simulator.list())["remediations"]
        assert (resolved["state"], resolved["end_time"]) == ("AUTO_RESOLVED", "2027-01-15T08:00:20Z")
        assert (rejected["state"], rejected["review_comment"]) == ("CANCELLED", "no")
        await simulator.advance(1)
        assert len(ok(await simulator.list())["remediations"]) == 1


async def test_what_clients_start_can_be_cancelled_failed_or_changed() -> None:
    scenario = events(
        {"at": 5, "do": "cancel", "instance": NODE},
        {"at": 5, "do": "set_state", "instance": OTHER_NODE, "state": "FAILED", "error_message": "host on fire"},
        {"at": 6, "do": "behave", "instance": "cluster-1-node-3", "behaviour": {"outcome": "never"}},
    )
    async with Driver(scenario) as simulator:
        made = [await simulator.created(f"cluster-1-node-{number}") for number in (1, 2, 3)]
        await simulator.advance(1000)
        assert [await simulator.state(item) for item in made] == ["CANCELLED", "FAILED", "RUNNING"]


async def test_faults_can_come_and_go() -> None:
    scenario = events(
        {"at": 5, "do": "add_fault", "fault": {"kind": "error", "operation": "list"}}, {"at": 6, "do": "clear_faults"}
    )
    async with Driver(scenario) as simulator:
        await simulator.advance(5)
        refused(await simulator.list(), 503, UNAVAILABLE)
        await simulator.advance(1)
        ok(await simulator.list())


async def test_an_event_that_cannot_happen_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async with Driver(events({"at": 5, "do": "cancel", "instance": NODE})) as simulator:
        with caplog.at_level(logging.WARNING):
            await simulator.advance(5)
    assert caplog.messages == [f"scenario: cancel at 5 s did not happen: instance {NODE} has no active remediation"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour: red", "colour: no such field"),
        ("clusters: many", "clusters: Input should be a valid integer"),
        ("clusters: 0", "clusters: Input should be greater than or equal to 1"),
        ("settings: {running: -1}", "settings.running: Input should be greater than or equal to 0"),
        ("behaviours: {cluster-1-node-1: {outcome: explode}}", "behaviours.cluster-1-node-1.outcome: Input should be"),
        ("events: [{at: 1, do: dance}]", "events.0: Input tag 'dance' found using 'do'"),
        ("events: [{at: 1, do: cancel}]", "events.0.instance: Field required"),
        ("events: [{at: 1, do: propose, instance: a, mode: VM}]", "events.0.mode: 'VM' is not a mode"),
        ("- a", "the file: Input should be"),
        ("a: 1\nb: [", ":2: is not YAML"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_told_in_one_line_with_the_place(
    write: Write, text: str, problem: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(write(text))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "scenario", [{"behaviours": {"node": {}}}, events({"at": 0, "do": "cancel", "instance": "node"})]
)
def test_an_instance_that_cannot_be_is_told(scenario: dict[str, object]) -> None:
    with pytest.raises(ScenarioError, match="there is no instance node; they are named like cluster-1-node-1"):
        simulate(Scenario.model_validate(scenario))
