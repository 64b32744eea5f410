"""Bad input ends in one clear line and exit code 1: nothing sent to the API, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import Form, Run, Stack
from tests.simulated import Simulator


def is_refused(stack: Stack, api: Simulator, *parts: str) -> Run:
    up = stack.up()
    assert up.code == 1, up.output
    (error,) = up.errors
    for part in parts:
        assert part in error
    assert "Traceback" not in up.output
    assert api.requests() == []
    assert stack.resources() == {}
    return up


@pytest.mark.parametrize(
    ("inputs", "part"),
    [
        ({"clusterId": ""}, " is empty"),
        ({"instanceId": ""}, " is empty"),
        ({"mode": "VM_ONYL"}, "did you mean VM_ONLY?"),
        ({"timeout": "soon"}, "is not a duration"),
        ({"instanceId": "../other"}, "is not an id"),
        ({"instanceId": "a b"}, "is not an id"),
        ({"clusterId": "a/b"}, "is not an id"),
    ],
    ids=str,
)
def test_a_bad_value(stack: Stack, api: Simulator, inputs: dict[str, Any], part: str):
    stack.declare(**inputs)
    is_refused(stack, api, part, stack.spelt(next(iter(inputs))))


def test_an_unknown_property(plugin_stack: Stack, api: Simulator):
    plugin_stack.declare(instance="cluster-1-node-1")
    up = plugin_stack.up()
    assert up.code == 1
    assert "instance" in up.output
    assert "Traceback" not in up.output
    assert api.requests() == []


def test_a_missing_api_key(tmp_path: Path, form: Form, api: Simulator):
    stack = Stack(tmp_path / "stack", form, api.address, api_key=None)
    stack.declare()
    is_refused(stack, api, "there is no API key", "TOGETHER_API_KEY", "togetherai:apiKey")
    preview = stack.preview()
    assert preview.code == 0
    assert "there is no API key" in preview.output


def test_a_base_url_that_is_no_url(stack: Stack, api: Simulator):
    stack.declare()
    stack.configure("togetherai:baseUrl", "not a url")
    is_refused(stack, api, '"not a url" is not the address of an API')


def test_a_base_url_in_the_environment_that_is_no_url(stack: Stack, api: Simulator):
    stack.declare()
    stack.env["TOGETHER_BASE_URL"] = "not a url"
    is_refused(stack, api, '"not a url" is not the address of an API')


def test_an_unknown_setting(stack: Stack, api: Simulator):
    stack.declare()
    stack.configure("togetherai:pollIntervall", "5s")
    stack.configure("training:pollIntervall", "5s")  # the program's own
    refused = is_refused(stack, api, "did you mean pollInterval?")
    assert "training:" not in refused.output
    assert "did you mean pollInterval?" in stack.preview().output


def test_an_unknown_setting_stops_a_lookup_too(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    (stack.folder / "__main__.py").write_text(
        'from pulumi_resource_togetherai.dynamic import get_instances\n\nget_instances("cluster-1")\n'
    )
    stack.configure("togetherai:pollIntervall", "5s")
    up = stack.up()
    assert up.code == 1
    assert "did you mean pollInterval?" in up.output
    assert api.requests() == []


def test_a_wrong_api_key_names_where_it_came_from_and_not_itself(stack: Stack, api: Simulator):
    stack.env["TOGETHER_API_KEY"] = "tgp-wrong"
    stack.declare()
    up = stack.up()
    assert up.code == 1
    (error,) = up.errors
    assert "401 UNAUTHENTICATED" in error
    assert "the environment variable TOGETHER_API_KEY" in error
    preview = stack.preview()
    assert preview.code == 1
    assert "`pulumi up` will fail, because the API refuses the key: " in preview.output
    assert "tgp-wrong" not in up.output + preview.output


def test_an_unknown_instance_fails_the_preview(stack: Stack, api: Simulator):
    stack.declare(instanceId="cluster-1-node-99")
    preview = stack.preview()
    assert preview.code == 1
    assert "cluster cluster-1 has no instance cluster-1-node-99" in preview.output
    assert stack.up().code == 1
    assert api.remediations() == []


def test_an_unknown_cluster_fails_the_preview(stack: Stack, api: Simulator):
    stack.declare(clusterId="cluster-99")
    preview = stack.preview()
    assert preview.code == 1
    assert "cluster cluster-99 is not known to the API" in preview.output


def test_a_preview_without_an_api_that_answers_is_a_warning(stack: Stack):
    stack.env["TOGETHER_BASE_URL"] = "http://127.0.0.1:9"
    stack.configure("togetherai:maxRetries", "0")
    stack.declare()
    preview = stack.preview()
    assert preview.code == 0
    assert "warning: cannot check what `pulumi up` will do" in preview.output


def test_a_preview_can_be_told_not_to_look(stack: Stack, api: Simulator):
    stack.configure("togetherai:preflight", "false")
    stack.declare(instanceId="cluster-1-node-99")
    assert stack.preview().code == 0
    assert api.requests() == []
