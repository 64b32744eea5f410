"""A program that changes from one form of the provider to the other, on the real engine: nothing runs again and nothing
is cancelled, whatever the stack holds."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.processes import kill_what_is_left
from tests.engine.programs import NODE, Declared, declare, remediation, review, rolling, secret
from tests.engine.stack import Form, Run, Stack
from tests.simulated import PATIENCE, Simulator, simulator

PLUGIN, DYNAMIC = "togetherai:index:", "pulumi-python:dynamic/togetherai:"
WITHOUT_ALIASES = """\
import pulumi


def without_aliases(args):
    args.opts.aliases = []
    return pulumi.ResourceTransformationResult(args.props, args.opts)


pulumi.runtime.register_stack_transformation(without_aliases)
"""


def write(stack: Stack, form: Form, language: str = "python", /, **resources: Declared) -> None:
    """Has the program declare resources in a form."""
    stack.form = form
    declare(stack, language, **resources)


def other(form: Form) -> Form:
    return "dynamic" if form == "plugin" else "plugin"


def counts(run: Run) -> dict[str, int]:
    """What a command did, or would do."""
    words = ("create", "update", "delete", "replace", "unchanged")
    return {word: number for word in words if (number := run.summary(word))}


def types(stack: Stack) -> set[str]:
    """The types of the resources that the stack holds, but for the component, which is the same in both forms."""
    return {held["type"] for held in stack.resources().values()} - {f"{PLUGIN}RollingRemediation"}


def effects(api: Simulator) -> list[str]:
    return [entry["effect"] for entry in api.requests() if entry["effect"]]


@pytest.mark.parametrize("language", ["yaml", "python"])
def test_there_and_back_nothing_runs_and_nothing_is_cancelled(tmp_path: Path, language: str):
    with simulator(instances=8) as api:
        stack = Stack(tmp_path / "stack", "plugin", api.address)
        api.behave(NODE(2), outcome="never")
        api.behave(NODE(3), outcome="hold")
        api.behave(NODE(4), outcome="fail")
        resources = {
            "done": remediation(1, reason="GPU 3 fell off the bus"),
            "running": remediation(2, wait=False),
            "pending": remediation(3, wait=False),
            "failed": remediation(4, acceptFailure=True, triggers={"incident": "INC-1"}),
            "review": review(api.propose(NODE(5), fault="xid")["id"], 5, comment="PR 12"),
            "rack": rolling(6, 7),
            "hidden": remediation(8, reason=secret("hush-hush")),
        }
        write(stack, "plugin", language, **resources)
        stack.up(check=True)
        running = api.until("RUNNING")
        before = effects(api)
        assert sorted(before) == ["approved", *["created"] * 7]
        of_the_plugin = types(stack)
        there: tuple[Form, str] = "dynamic", "python"
        back: tuple[Form, str] = "plugin", language
        for form, spoken in (there, back):
            write(stack, form, spoken, **resources)
            preview, up = stack.preview(), stack.up(check=True)
            # The resources but the stack and the component.
            assert counts(preview) == counts(up) == {"update": 8, "unchanged": 2}, preview.output
            for told in ("SUCCEEDED, and start nothing", "FAILED, and start nothing", "RUNNING, and start nothing"):
                assert told in " ".join(preview.diagnostics.split())
            assert counts(stack.up(check=True)) == {"unchanged": 10}
            names = {name.removeprefix(PLUGIN).removeprefix(DYNAMIC) for name in types(stack)}
            assert names == {"Remediation", "RemediationReview"}
            assert (types(stack) == of_the_plugin) is (form == "plugin")
            assert "hush" not in stack.run("stack", "export", check=True).output
        assert effects(api) == before
        # The stack still knows what it has started itself.
        assert not any(held["outputs"].get("resumed") for held in stack.resources().values() if "outputs" in held)
        api.force(running["id"], "SUCCEEDED")
        assert stack.destroy().code == 0
        assert effects(api) == [*before, "cancelled"]


def test_what_was_interrupted_is_waited_for(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="never")
    write(stack, form, fix=remediation())
    with stack.running("up", "--yes", "--skip-preview") as up:
        running = api.until("RUNNING")
        os.kill(up.pid, signal.SIGINT if form == "plugin" else signal.SIGKILL)
        up.communicate(timeout=PATIENCE)
        kill_what_is_left(stack)
    stack.run("cancel", "--yes")
    assert ("fix" in stack.resources()) == (form == "plugin")
    write(stack, other(form), fix=remediation())
    preview = stack.preview()
    words = "will wait for remediation" if form == "plugin" else "will start nothing and take over remediation"
    assert f"`pulumi up` {words} {running['id']}" in " ".join(preview.output.split())
    api.force(running["id"], "SUCCEEDED")
    stack.up(check=True)
    assert stack.resources()["fix"]["outputs"]["state"] == "SUCCEEDED"
    assert counts(stack.up(check=True)) == {"unchanged": 2}
    assert effects(api) == ["created"]


def test_a_wait_cut_off_in_the_new_form_resumes_in_the_old(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    api.behave(outcome="never")
    write(stack, "dynamic", fix=remediation(wait=False))
    stack.up(check=True)
    running = api.until("RUNNING")
    write(stack, "plugin", fix=remediation(timeout="2s"))
    assert stack.up().code == 1
    assert types(stack) == {f"{PLUGIN}Remediation"}
    for form in ("plugin", "dynamic"):
        write(stack, form, fix=remediation())
        assert f"`pulumi up` will wait for remediation {running['id']}" in " ".join(stack.preview().output.split())
    assert stack.run("refresh", "--yes").code == 0
    api.force(running["id"], "SUCCEEDED")
    stack.up(check=True)
    assert types(stack) == {f"{DYNAMIC}Remediation"}
    assert counts(stack.up(check=True)) == {"unchanged": 2}
    assert effects(api) == ["created"]


def test_what_failed_is_reported_again_and_runs_again_only_on_the_users_word(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="fail", error_message="host did not come back")
    write(stack, form, fix=remediation())
    assert stack.up().code == 1
    write(stack, other(form), fix=remediation())
    assert "`pulumi up` will start nothing and fail" in stack.preview().output
    up = stack.up()
    assert up.code == 1
    assert "host did not come back" in up.output
    assert "Traceback" not in up.output
    assert api.posts() == 1
    api.behave(outcome="succeed")
    write(stack, other(form), fix=remediation(retryFailed=True))
    assert "(attempt 2: attempt 1" in stack.preview().output
    stack.up(check=True)
    assert counts(stack.up(check=True)) == {"unchanged": 2}
    assert api.posts() == 2


def test_a_change_that_comes_with_it_runs_once_as_the_preview_says(stack: Stack, api: Simulator, form: Form):
    api.behave(NODE(2), outcome="hold")
    write(stack, form, done=remediation(1), pending=remediation(2, wait=False))
    stack.up(check=True)
    again: dict[str, Any] = {"triggers": {"again": "1"}}
    write(stack, other(form), done=remediation(1, **again), pending=remediation(2, wait=False, **again))
    preview = stack.preview()
    assert counts(preview) == {"replace": 2, "unchanged": 1}
    assert "`pulumi up` will first cancel remediation" in preview.output
    assert counts(stack.up(check=True)) == {"replace": 2, "unchanged": 1}
    assert counts(stack.up(check=True)) == {"unchanged": 3}
    assert sorted(effects(api)) == ["cancelled", *["created"] * 4]


def test_without_the_alias_the_provider_recognises_its_own_and_says_so(stack: Stack, api: Simulator, form: Form):
    write(stack, form, fix=remediation())
    stack.up(check=True)
    write(stack, other(form), fix=remediation())
    program = stack.folder / "__main__.py"
    program.write_text(WITHOUT_ALIASES + program.read_text())
    for run, word in ((stack.preview(), "take over"), (stack.up(check=True), "taking over")):
        assert counts(run) == {"create": 1, "delete": 1, "unchanged": 1}
        told = " ".join(run.diagnostics.split())
        assert f"{word} remediation {api.remediations()[0]['id']}" in told
        assert "it belongs to this resource and SUCCEEDED" in told
        assert "so nothing runs" in told
    assert counts(stack.up(check=True)) == {"unchanged": 2}
    assert effects(api) == ["created"]


def test_what_the_stack_has_forgotten_before_is_taken_over_and_left_alone(stack: Stack, api: Simulator, form: Form):
    api.behave(outcome="hold")
    write(stack, form, fix=remediation(wait=False))
    stack.up(check=True)
    stack.run("state", "delete", "--yes", stack.urn(), check=True)
    write(stack, other(form), fix=remediation(wait=False))
    assert "taking over remediation" in stack.up(check=True).output
    assert counts(stack.up(check=True)) == {"unchanged": 2}
    assert stack.destroy().code == 0
    assert [item["state"] for item in api.remediations()] == ["PENDING"]
    assert effects(api) == ["created"]


def test_both_forms_with_providers_of_their_own_keep_what_they_have(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address, api_key=None)
    del stack.env["TOGETHER_BASE_URL"]
    write(stack, "dynamic")
    api.behave(NODE(2), outcome="hold")
    begins = (
        "import pulumi, pulumi_togetherai\n"
        "from pulumi_resource_togetherai import dynamic\n"
        f"api = {api.address!r}\n"
        'settings = {"togetherai:apiKey": "test-key", "togetherai:baseUrl": api, "togetherai:pollInterval": "50ms"}\n'
    )
    providers = {
        "pulumi_togetherai": 'pulumi_togetherai.Provider("own", api_key="test-key", base_url=api)',
        "dynamic": 'pulumi.ProviderResource("pulumi-python", "own", settings)',
    }
    declared = "".join(
        f'{{module}}.Remediation("{name}", cluster_id="cluster-1", instance_id="{NODE(node)}", mode="REBOOT_VM", '
        f"wait={node == 1}, opts=pulumi.ResourceOptions(provider=provider))\n"
        for name, node in (("done", 1), ("pending", 2))
    )
    for module in ("pulumi_togetherai", "dynamic", "pulumi_togetherai"):
        lines = [begins, f"provider = {providers[module]}\n", declared.format(module=module)]
        (stack.folder / "__main__.py").write_text("".join(lines))
        up = stack.up(check=True)
        assert counts(up).get("replace") is None
        assert counts(stack.up(check=True)) == {"unchanged": 4}
    assert sorted(effects(api)) == ["created", "created"]
