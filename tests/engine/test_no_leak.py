"""The API key is in nothing that this project writes, however much is asked for, and whatever goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from tests.engine.processes import processes_of
from tests.engine.stack import Form, Run, Stack
from tests.simulated import Simulator, simulator

KEY = "tgp-marked-a81f3c77e5"
ENGINES_LOG = re.compile(r'^(@ [a-z ]+\.+)?([IWEF]\d{4} \d\d:\d\d:\d\d|\{"time":")')
"""How a line of the engine's own log begins, and of its language hosts'; perhaps after the dots that show progress."""
LOUD = """\
import logging
import os
from pathlib import Path

logging.basicConfig(level=1, filename=Path(__file__).with_name(f"{os.getpid()}.log"), format="%(name)s %(message)s")
"""
"""Every logger of every Python process at its most talkative: httpx and httpcore tell of each request."""


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API that wants the marked key."""
    with simulator(api_key=KEY) as running:
        yield running


@pytest.fixture(params=["environment", "configuration", "explicit"])
def stack(request: pytest.FixtureRequest, tmp_path: Path, form: Form, api: Simulator) -> Stack:
    """A stack that has the key from one place."""
    if request.param == "explicit" and form == "dynamic":
        pytest.skip("pulumi.dynamic has no explicit providers")
    made = Stack(tmp_path / "stack", form, api.address, api_key=KEY if request.param == "environment" else None)
    loud = made.folder / "loud"
    loud.mkdir()
    (loud / "sitecustomize.py").write_text(LOUD)
    made.env |= {"PYTHONPATH": str(loud), "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}
    if request.param != "environment":
        made.run("config", "set", "--secret", "togetherai:apiKey" if request.param == "configuration" else "key", KEY)
        made.config = {}
    if request.param == "explicit":
        declare_explicit(made)
    else:
        made.declare()
    return made


def declare_explicit(stack: Stack, **inputs: Any) -> None:
    stack.declare(**inputs)
    path = stack.folder / "Pulumi.yaml"
    program: dict[str, Any] = json.loads(path.read_text())
    program["config"] = {"key": {"type": "string", "secret": True}}
    program["resources"]["mine"] = {
        "type": "pulumi:providers:togetherai",
        "properties": {"apiKey": "${key}", "pollInterval": "50ms"},
    }
    program["resources"]["fix"]["options"] = {"provider": "${mine}"}
    path.write_text(json.dumps(program))


def every_command(stack: Stack, api: Simulator, *verbose: str) -> list[Run]:
    """Good ends and bad ones, interruptions of the network, and errors that the service words."""
    runs = [stack.run("preview", *verbose)]
    api.behave(outcome="fail")
    runs.append(stack.run("up", "--yes", "--skip-preview", *verbose))
    api.add_fault({"kind": "error", "status": 500, "operation": "get", "count": 2})
    api.add_fault({"kind": "drop_after", "operation": "list", "count": 1})
    runs.append(stack.run("up", "--yes", "--skip-preview", *verbose))
    runs.append(stack.run("refresh", "--yes", "--skip-preview", *verbose))
    if stack.form == "plugin":
        other = api.create("cluster-1-node-2")
        where = f"cluster-1/cluster-1-node-2/{other['id']}"
        imported = ("togetherai:index:Remediation", "other", where, "--yes", "--skip-preview", "--generate-code=false")
        runs.append(stack.run("import", *imported, "--protect=false", *verbose))
    runs.append(stack.run("cancel", "--yes", *verbose))
    api.add_fault({"kind": "malformed", "count": 1})
    runs.append(stack.run("destroy", "--yes", "--skip-preview", *verbose))
    assert {run.code for run in runs} == {0, 1}, [run.output for run in runs]
    assert api.requests("created"), "the key did not open the API"
    return runs


def written(folder: Path) -> dict[str, str]:
    """Every file that was written below a folder, but for the configuration with its encrypted secrets."""
    found = dict[str, str]()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".so" and path.stat().st_size < 10**7:
            found[str(path)] = path.read_bytes().decode("latin-1")
    return found


def test_at_top_verbosity_only_the_engine_shows_the_key_nothing_keeps_it(stack: Stack, api: Simulator):
    for run in every_command(stack, api, "--logtostderr", "--logflow", "-v=11"):
        assert [line for line in run.output.splitlines() if KEY in line and not ENGINES_LOG.match(line)] == []
    kept = written(stack.folder)
    assert any(path.endswith(".log") and "httpx" in text for path, text in kept.items()), "nobody was talkative"
    assert [path for path, text in kept.items() if KEY in text] == []
    assert KEY not in stack.run("stack", "export").output
    assert KEY not in json.dumps(api.requests())


def test_no_process_has_it_on_its_command_line(stack: Stack, api: Simulator):
    api.behave(outcome="never")
    with stack.running("up", "--yes", "--skip-preview"):
        api.until("RUNNING")
        processes = processes_of(stack)
        lines = [Path(f"/proc/{process}/cmdline").read_bytes() for process in processes]
        assert len(lines) >= 2
        assert not [line for line in lines if KEY.encode() in line]


async def test_checking_the_configuration_keeps_the_mark_of_secrecy():
    from pulumi_resource_togetherai import __version__
    from pulumi_resource_togetherai.plugin.provider import TogetherAiProvider
    from pulumi_resource_togetherai.plugin.servicer import Servicer

    engine: Any = None
    servicer = Servicer([], __version__, TogetherAiProvider(engine), "", engine)
    request = provider_pb2.CheckRequest(urn="urn:pulumi:s::p::pulumi:providers:togetherai::default")
    request.news.update({"apiKey": KEY, "pollInterval": "5s"})
    context: Any = None
    answer = await servicer.CheckConfig(request, context)  # pyright: ignore[reportUnknownMemberType]
    assert not answer.failures
    marked = answer.inputs.fields["apiKey"].struct_value.fields
    assert marked["4dabf18193072939515e22adb298388d"].string_value == "1b47061264138c4ac30d75fd1eb44270"
    assert marked["value"].string_value == KEY
    assert answer.inputs.fields["pollInterval"].string_value == "5s"


@pytest.mark.parametrize("setting", ["apiKey", "baseUrl"])
def test_a_bad_setting_that_may_hold_a_secret_is_not_shown(form: Form, tmp_path: Path, api: Simulator, setting: str):
    stack = Stack(tmp_path / "stack", form, api.address, api_key=None)
    stack.configure(f"togetherai:{setting}", f"{KEY} {KEY}" if setting == "apiKey" else f"https://{KEY}@host.test")
    stack.declare()
    up = stack.up()
    assert up.code == 1
    assert KEY not in up.output
