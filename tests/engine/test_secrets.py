"""What a program marks as secret is nowhere in clear: not in the stack, not in what a command prints, not in a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from pulumi_resource_togetherai.functions.function import FUNCTIONS
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.rolling.inputs import RollingInputs
from tests.collector import collecting
from tests.engine.programs import (
    NODE,
    PROGRAM_FILES,
    Declared,
    declare,
    remediation,
    review,
    rolling,
    secret,
    snake,
)
from tests.engine.stack import PLUGINS, Form, Run, Stack
from tests.simulated import Simulator

WORD = "hush"
"""Begins every secret of these tests, and is in nothing else."""
WITH_ARGUMENTS = [function for function in FUNCTIONS if function.arguments.model_fields]
LISTS = ("state", "mode", "trigger", "limit")
"""Arguments of functions that are no plain text."""
MODELS: dict[str, type[BaseModel]] = {
    "Remediation": RemediationInputs,
    "RemediationReview": ReviewInputs,
    "RollingRemediation": RollingInputs,
}


def leaks(stack: Stack, *runs: Run) -> list[str]:
    """Where the word is in clear: lines of output, and files that anything but the test wrote."""
    shown = [line for run in runs for line in run.output.splitlines() if WORD in line]
    exported = stack.run("stack", "export", check=True).output
    lines = [f"export: {line}" for line in exported.splitlines() if WORD in line]
    files = [
        f"{path.relative_to(stack.folder)}: {text[max(0, at - 80) : at + 40]}"
        for path in stack.folder.rglob("*")
        if path.is_file() and path.name not in PROGRAM_FILES and path.parent.name != "__pycache__"
        for text in [path.read_bytes().decode("latin-1")]
        if (at := text.find(WORD)) >= 0
    ]
    return shown + lines + files


@pytest.fixture(params=["plugin-yaml", "plugin-python", "dynamic-python"])
def language(request: pytest.FixtureRequest) -> str:
    """Each way to write a program."""
    return request.param.partition("-")[2]


@pytest.fixture
def form(request: pytest.FixtureRequest, language: str) -> Form:
    """The adapter of that way."""
    return "plugin" if "plugin" in request.node.callspec.params["language"] else "dynamic"


def texts(proposal: str) -> dict[str, Declared]:
    """Every input that holds what people write, of every resource, as a secret."""
    inside = {"triggers": {"incident": secret("hush-trigger")}}
    return {
        "fix": remediation(1, reason=secret("hush-reason"), **inside),
        "whole": remediation(4, reason="nothing", triggers=secret({"hush-name": "hush-whole"})),
        "review": review(proposal, 2, comment=secret("hush-comment")),
        "rack": rolling(3, reason=secret("hush-rack"), **inside),
    }


def test_no_text_is_in_clear_whatever_happens(stack: Stack, api: Simulator, language: str):
    proposal = api.propose(NODE(2), fault="xid")["id"]
    resources = texts(proposal)
    declare(stack, language, **resources)
    with collecting() as collector:
        stack.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc, "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
        runs = [stack.preview("--diff"), stack.up(check=True)]
        assert leaks(stack, *runs) == []
        sent = {entry["body"]["reason"].split(" [")[0] for entry in api.requests("created")}
        assert sent == {"hush-reason", "hush-rack", "nothing"}, "the API is told what the program says"
        assert {item.get("review_comment") for item in api.remediations()} >= {"hush-comment"}
        del stack.env["OTEL_EXPORTER_OTLP_ENDPOINT"]
        assert collector.spans()
        assert WORD.encode() not in collector.raw
    runs = [stack.up(check=True), stack.refresh(), stack.preview()]
    assert [run.summary("unchanged") for run in runs] == [6, 6, 6], runs[0].output
    fix = resources["fix"].inputs | {"reason": secret("hush-other"), "timeout": "50m"}
    declare(stack, language, **resources | {"fix": replace(resources["fix"], inputs=fix)})
    runs += [stack.preview("--diff"), stack.up(check=True), stack.refresh()]
    runs += [stack.run("stack", "output"), stack.run("stack", "history"), stack.destroy()]
    assert [run.code for run in runs] == [0] * len(runs)
    assert leaks(stack, *runs) == []


def test_no_text_is_in_clear_when_the_remediation_fails(stack: Stack, api: Simulator, language: str):
    api.behave(NODE(1), outcome="fail", error_message="cannot do hush-reason")
    declare(stack, language, fix=remediation(1, reason=secret("hush-reason")))
    runs = [stack.up(), stack.preview(), stack.refresh(), stack.up()]
    assert runs[0].code == 1
    assert "cannot do [secret]" in runs[0].output
    if stack.form == "plugin":
        assert stack.resources()["fix"]["outputs"]["state"] == "FAILED"
    assert leaks(stack, *runs) == []


def test_what_was_marked_late_is_in_clear_in_no_new_state(stack: Stack, api: Simulator, language: str):
    declare(stack, language, fix=remediation(1, reason="hush-reason"))
    stack.up(check=True)
    declare(stack, language, fix=remediation(1, reason=secret("hush-reason")))
    runs = [stack.preview(), stack.up(check=True), stack.up(check=True)]
    assert [run.summary("unchanged") for run in runs] == [1, 1, 2]
    assert api.posts() == 1
    assert WORD not in stack.run("stack", "export", check=True).output


def test_an_output_that_the_program_marks_is_in_clear_in_no_output(stack: Stack, api: Simulator, language: str):
    marked = {"additionalSecretOutputs": ["reason", "errorMessage"]}
    api.behave(NODE(1), outcome="fail", error_message="hush-error")
    declare(
        stack,
        language,
        fix=replace(remediation(1, reason="hush-reason", acceptFailure=True), options=marked),
    )
    stack.up(check=True)
    stack.refresh()
    exported = stack.exported()["deployment"]["resources"]
    fix = next(item for item in exported if item["urn"].endswith("::fix"))
    assert WORD not in json.dumps(fix["outputs"])
    if stack.form == "dynamic":  # there the program knows, and marks the input with it
        assert WORD not in json.dumps(fix)


def test_names_are_hidden_as_values_and_the_program_is_told_where_they_show(
    stack: Stack, api: Simulator, language: str
):
    named = remediation(1)
    declare(stack, language, fix=replace(named, inputs={key: secret(value) for key, value in named.inputs.items()}))
    preview, up = stack.preview(), stack.up(check=True)
    told = f"warning: {stack.spelt('clusterId')}, {stack.spelt('instanceId')}, mode are marked as secret"
    for run in (preview, up):
        assert told in " ".join(run.output.split())
    fix = stack.resources()["fix"]
    for properties in (fix["inputs"], fix["outputs"]):
        for name in named.inputs:
            assert "ciphertext" in properties[name]
    assert "warning" not in stack.up(check=True).output, "a resource that is there is not spoken of again"


def every_input(kind: str, language: str) -> dict[str, Any]:
    """A value of the wrong kind for every input that can have one, each a secret of its own."""
    wrong = {
        str(field.alias): secret({"hush": 1} if "dict" in str(field.annotation) else f"hush {name}")
        for name, field in MODELS[kind].model_fields.items()
        # YAML itself refuses a text for these, and shows the program.
        if language != "yaml" or not any(other in str(field.annotation) for other in ("bool", "int", "dict", "list"))
    }
    for text in ("reason", "comment"):
        if wrong.pop(text, None) and language != "yaml":
            wrong[text] = secret(4242424242)
    return wrong


@pytest.mark.parametrize("kind", MODELS)
def test_a_secret_of_the_wrong_kind_is_not_echoed(stack: Stack, api: Simulator, language: str, kind: str):
    if kind == "RollingRemediation" and stack.form == "dynamic":
        pytest.skip("its children check what is secret, as every Remediation")
    wrong = every_input(kind, language)
    declare(stack, language, fix=Declared(kind, wrong, {}))
    runs = [stack.preview(), stack.up()]
    for run in runs:
        assert run.code == 1
        for name in wrong:
            assert f"{stack.spelt(name)}: " in run.output, run.output
        assert "4242424242" not in run.output
    assert leaks(stack, *runs) == []
    assert api.requests() == []


@pytest.mark.parametrize("function", WITH_ARGUMENTS, ids=lambda function: function.name)
def test_a_secret_argument_of_a_function_is_not_echoed(plugin_stack: Stack, api: Simulator, function: Any):
    lookup = snake(function.name)
    arguments = {name: f"hush {name}" for name in function.arguments.model_fields if name not in LISTS}
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps({"name": "training", "runtime": "python"}))
    (plugin_stack.folder / "__main__.py").write_text(
        f"import pulumi, pulumi_togetherai as togetherai\n"
        f"hidden = {{name: pulumi.Output.secret(value) for name, value in {arguments}.items()}}\n"
        f"pulumi.export('found', togetherai.{lookup}_output(**hidden))\n"
    )
    run = plugin_stack.up()
    assert run.code == 1
    by_name = "cluster" in function.arguments.model_fields
    assert ("no cluster has this id or name" if by_name else "clusterId: what is given is not valid") in run.output
    assert leaks(plugin_stack, run) == []


def test_what_a_function_finds_by_a_secret_is_secret(plugin_stack: Stack, api: Simulator):
    invoke = {"function": "togetherai:getInstances", "arguments": {"clusterId": secret("cluster-1")}}
    project = {
        "name": "training",
        "runtime": "yaml",
        "plugins": PLUGINS,
        "outputs": {"found": {"fn::invoke": invoke}},
    }
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps(project))
    run = plugin_stack.up(check=True)
    assert "[secret]" in run.output
    assert NODE(1) not in run.output


def test_a_component_hands_on_what_its_inputs_depend_on(plugin_stack: Stack, api: Simulator):
    declare(
        plugin_stack,
        "yaml",
        first=remediation(1),
        rack=rolling(3, reason="after ${first.remediationId}", triggers={"first": "${first.state}"}),
    )
    plugin_stack.up(check=True)
    child = plugin_stack.resources()[f"rack-{NODE(3)}"]
    first = plugin_stack.urn("first")
    assert child["propertyDependencies"]["reason"] == [first]
    assert child["propertyDependencies"]["triggers"] == [first]
    assert first in child["dependencies"]
