"""Inputs that a preview does not know yet, and the options of Pulumi that this provider must answer with a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.stack import ENDS_WHEN_INTERRUPTED, Stack
from tests.simulated import Simulator, simulator

FIRST = 'Remediation("first", cluster_id="cluster-1", instance_id="cluster-1-node-1", mode="REBOOT_VM")'
DYNAMIC = (
    ENDS_WHEN_INTERRUPTED
    + """\
import pulumi
import pulumi_togetherai
from pulumi_resource_togetherai.dynamic import ClusterRepair, Remediation, RemediationReview, RollingRemediation

NODE = {{"cluster_id": "cluster-1", "instance_id": "cluster-1-node-2", "mode": "REBOOT_VM"}}
{}
"""
)


def write(stack: Stack, *lines: str) -> None:
    (stack.folder / "Pulumi.yaml").write_text(json.dumps({"name": "training", "runtime": "python"}))
    (stack.folder / "__main__.py").write_text(DYNAMIC.format("\n".join(lines)))


def depends(stack: Stack, **inputs: str) -> None:
    """Declares a remediation some of whose inputs are outputs of another one."""
    if stack.form == "dynamic":
        given = ", ".join(f"{name}=first.{output}" for name, output in inputs.items())
        write(stack, f"first = {FIRST}", f'Remediation("second", **NODE | dict({given}))')
        return
    stack.declare("first")
    snake = {name: f"${{first.{output}}}" for name, output in inputs.items()}
    stack.declare("second", **{"instanceId": "cluster-1-node-2", **snake})


@pytest.mark.parametrize("inputs", [{"reason": "id"}, {"reason": "id", "mode": "mode"}], ids=str)
def test_inputs_that_are_not_known_yet_pass_the_preview(stack: Stack, api: Simulator, inputs: dict[str, str]):
    depends(stack, **inputs)
    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert "`pulumi up` will start a REBOOT_VM remediation of instance cluster-1-node-1" in preview.output
    assert "`pulumi up` will decide what to do once it knows" in preview.output
    assert stack.run("up", "--yes").code == 0
    assert api.posts() == 2
    assert stack.preview().summary("unchanged") == 3


def test_a_value_inside_an_input_that_is_not_known_yet_passes_too(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    write(
        stack,
        f"first = {FIRST}",
        'Remediation("second", **NODE, triggers={"after": first.remediation_id}, wait=first.wait.apply(bool))',
        'RollingRemediation("rack", cluster_id="cluster-1", instances=["cluster-1-node-3"], mode="REBOOT_VM", '
        "reason=first.id)",
    )
    assert stack.run("up", "--yes").code == 0
    assert api.posts() == 3
    assert stack.up(check=True).summary("unchanged") == 5


PROVIDER = 'other = pulumi_togetherai.Provider("other", api_key="another", base_url="https://other.test")'
WHERE = 'cluster_id="cluster-1", instance_id="cluster-1-node-2"'


@pytest.mark.parametrize(
    "declared",
    [
        'Remediation("fix", **NODE, opts=pulumi.ResourceOptions(provider=other))',
        f'RemediationReview("fix", {WHERE}, remediation_id="x", decision="REJECT", '
        "opts=pulumi.ResourceOptions(provider=other))",
        'RollingRemediation("fix", cluster_id="cluster-1", instances=["cluster-1-node-2"], mode="REBOOT_VM", '
        "opts=pulumi.ResourceOptions(providers=[other]))",
        'ClusterRepair("fix", cluster_id="cluster-1", rules=[], opts=pulumi.ResourceOptions(provider=other))',
        'parent = pulumi.ComponentResource("a:b:C", "c", None, pulumi.ResourceOptions(providers={"togetherai": other}))'
        '\nRemediation("fix", **NODE, opts=pulumi.ResourceOptions(parent=parent))',
    ],
)
def test_a_provider_of_the_plugin_is_refused_before_anything_is_sent(tmp_path: Path, api: Simulator, declared: str):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    write(stack, PROVIDER, declared)
    for run in (stack.preview(), stack.up()):
        assert run.code == 1
        assert "fix: the dynamic form cannot use a togetherai.Provider. Nothing was sent" in run.output
        assert 'pulumi.ProviderResource("pulumi-python"' in run.output
        assert "Traceback" not in run.output
    assert api.requests() == []


@pytest.mark.parametrize(
    "opts",
    [
        "provider=other",
        "providers=[other]",
        'parent=pulumi.ComponentResource("a:b:C", "c", None, pulumi.ResourceOptions(providers=[other]))',
    ],
)
def test_a_repair_that_would_look_with_other_settings_than_it_acts_with_is_refused(
    tmp_path: Path, api: Simulator, opts: str
):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    write(
        stack,
        "other = pulumi.ProviderResource('pulumi-python', 'other', {'togetherai:apiKey': 'another'})",
        f'ClusterRepair("fix", cluster_id="cluster-1", rules=[], opts=pulumi.ResourceOptions({opts}))',
    )
    preview = stack.preview()
    assert preview.code == 1
    assert "fix: in the dynamic form a ClusterRepair looks at its cluster with the stack's settings" in preview.output
    assert "Traceback" not in preview.output
    assert api.requests() == []


def test_a_provider_of_its_own_acts_with_its_own_key(tmp_path: Path, api: Simulator):
    with simulator(api_key="other-key") as other:
        stack = Stack(tmp_path / "stack", "dynamic", api.address)
        write(
            stack,
            "key = pulumi.Output.secret('other-key')",
            f"settings = {{'togetherai:apiKey': key, 'togetherai:baseUrl': '{other.address}', "
            "'togetherai:pollInterval': '50ms'}",
            "other = pulumi.ProviderResource('pulumi-python', 'other', settings)",
            'Remediation("fix", **NODE, opts=pulumi.ResourceOptions(provider=other))',
            'Remediation("mine", **NODE)',
        )
        runs = [stack.preview(), stack.up(check=True)]
        assert [entry["path"].split("/")[6] for entry in other.requests("created")] == ["cluster-1-node-2"]
        assert api.posts() == 1
        runs += [stack.up(check=True), stack.run("stack", "export", check=True)]
        assert not [run for run in runs if "other-key" in run.output]


def test_replacing_on_a_change_that_runs_nothing_is_answered_with_a_word(stack: Stack, api: Simulator):
    stack.declare(reason="one")
    stack.option("fix", replaceOnChanges=["reason"])
    stack.up(check=True)
    stack.declare(reason="two")
    for run in (stack.preview(), stack.up(check=True)):
        assert run.code == 0
        assert "`replaceOnChanges` runs no remediation: a change of reason needs none" in run.output
        assert "put the value into `triggers` too" in run.output
    assert api.posts() == 1
    assert [item["state"] for item in api.remediations()] == ["SUCCEEDED"]
    again = stack.up(check=True)
    assert again.summary("unchanged") == 2
    assert "warning" not in again.output


def test_without_the_package_the_resources_of_the_dynamic_form_can_only_be_forgotten(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    stack.declare()
    stack.up(check=True)
    (stack.folder / "__main__.py").write_text("")
    gone = stack.folder / "gone"
    gone.mkdir()
    (gone / "pulumi_resource_togetherai.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'pulumi_resource_togetherai'\")"
    )
    stack.env["PYTHONPATH"] = str(gone)
    assert stack.preview().summary("delete") == 1
    for run in (stack.up(), stack.refresh(), stack.destroy()):
        assert run.code != 0
        assert "No module named 'pulumi_resource_togetherai'" in run.output
    asked = len(api.requests())
    stack.run("state", "delete", stack.urn(), "--yes", check=True)
    assert stack.up(check=True).summary("unchanged") >= 0
    assert stack.resources() == {}
    assert len(api.requests()) == asked


def test_a_changed_setting_is_recorded_and_runs_nothing(stack: Stack, api: Simulator):
    stack.declare(timeout="50m")
    stack.up(check=True)
    stack.declare(timeout="40m", reason="said later")
    asked = len(api.requests())
    for run in (stack.preview(), stack.up(check=True)):
        assert run.summary("update") == 1  # or `updated`
    fix = stack.resources()["fix"]
    assert (fix["inputs"]["timeout"], fix["outputs"]["timeout"]) == ("40m", "40m")
    assert len(api.requests()) == asked, "it has ended: there is nothing to ask"
    assert stack.up(check=True).summary("unchanged") == 2
