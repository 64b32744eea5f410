"""What earlier versions left in the state is read by this one: nothing runs again, and nothing is lost.

Each folder of tests/states holds the stacks of one version; `make states` records those of this version.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pulumi_resource_togetherai import __version__
from tests.engine.stack import Run, Stack
from tests.simulated import Simulator, simulator_holding
from tests.states.recording import INSTANCES, RECORDINGS, WAYS, Recording

ENDS = ("unfinished", "running")
"""The resources whose remediations are RUNNING, and come to their end in the tests."""


@pytest.fixture(params=Recording.all(), ids=lambda recording: recording.name)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each stack of each version."""
    return request.param


@pytest.fixture
def api(recording: Recording) -> Generator[Simulator]:
    """An API that holds what it held when the stack was recorded."""
    with simulator_holding(recording.answers, instances=INSTANCES) as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, recording: Recording, api: Simulator) -> Stack:
    """The recorded stack, with its program."""
    made = Stack(tmp_path / "stack", recording.form, api.address)
    recording.restore(made)
    return made


def operations(preview: Run) -> dict[str, str]:
    """What a preview says about each remediation, review and component, by name."""
    plan: dict[str, Any] = json.loads(preview.output[preview.output.index("{\n") :])
    found = dict[str, str]()
    for step in plan["steps"]:
        if "Remediation" in step["urn"].split("::")[2]:
            operation = "replace" if "replace" in step["op"] else step["op"]
            found[step["urn"].rpartition("::")[2]] = operation
    return found


def in_any_cipher(value: Any) -> str:
    """The same without the texts of secrets, which Pulumi encrypts anew each time."""
    return re.sub(r'"ciphertext": "[^"]*"', '"ciphertext": ""', json.dumps(value, sort_keys=True))


def test_an_earlier_stack_is_previewed_without_a_change_and_lives_on(
    recording: Recording, stack: Stack, api: Simulator
):
    held, expected = stack.resources(), recording.expected
    assert operations(stack.preview("--json", "--show-sames")) == {name: one.preview for name, one in expected.items()}
    nodes = {str(one["id"]): str(one["instance_id"]) for one in recording.answers}
    named = {str(one["reason"]).split()[-3]: str(one["id"]) for one in recording.answers if "[pulumi " in one["reason"]}
    for name in ENDS:
        api.force(named[name], "SUCCEEDED")
    stack.up("--continue-on-error")
    started = Counter(entry["path"].split("/")[6] for entry in api.requests("created"))
    assert started == Counter({nodes[named[name]]: one.starts for name, one in expected.items() if one.starts})
    now = stack.resources()
    for name, one in expected.items():
        if one.preview == "same" and now[name]["custom"]:  # a component's may be unknown after a child of it has failed
            assert in_any_cipher(now[name].get("outputs")) == in_any_cipher(held[name].get("outputs"))
    # What was unfinished has come to its end; what has ended badly is reported each time.
    again = {name for name, done in operations(stack.preview("--json", "--show-sames")).items() if done != "same"}
    assert again == {name for name, one in expected.items() if one.preview != "same" and not one.starts} - {*ENDS}
    assert stack.refresh().code == 0
    assert stack.destroy().code == 0
    assert stack.resources() == {}
    assert [entry["effect"] for entry in api.requests() if entry["effect"]] == ["created", "cancelled"]


def test_this_version_has_recorded_its_stacks():
    assert {one.name for one in Recording.all()} >= {f"{__version__}/{way}" for way in WAYS}, "run `make states`"


def test_nothing_recorded_is_of_a_machine_or_in_clear(recording_files: list[Path]):
    for path in recording_files:
        text = path.read_text()
        assert not re.search(r"/(root|home|tmp|Users|work)/|sourcePosition", text), path
        assert "hush" not in text or path.name != "state.json", path


@pytest.fixture
def recording_files() -> list[Path]:
    """Every file of every recording."""
    return [path for path in RECORDINGS.glob("*/*/*") if path.is_file() and path.suffix != ".pyc"]
