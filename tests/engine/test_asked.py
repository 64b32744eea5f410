"""Nothing runs that nobody asked for, and all that was asked for runs, on the real engine: preview says before what it
will be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import ENDS_WHEN_INTERRUPTED, Form, Run, Stack
from tests.simulated import Simulator

HOUR = 3600
TAKEN_OVER = re.compile(
    r"warning: (`pulumi up` will start nothing and take over|taking over) remediation (\S+) .*SUCCEEDED .* ago, so "
    r"nothing runs; to run another one, change `triggers`, or: pulumi up --replace 'urn:pulumi:\S+'"
)
"""What preview and `up` say where one that ended well is there already; the last group is its id."""


DEPENDENT = (
    ENDS_WHEN_INTERRUPTED
    + """\
from pulumi_resource_togetherai.dynamic import Remediation

REBOOT = {{"cluster_id": "cluster-1", "mode": "REBOOT_VM"}}
first = Remediation("first", **REBOOT, instance_id="cluster-1-node-1", triggers={{"run": "{}"}})
Remediation("second", **REBOOT, instance_id="cluster-1-node-2", triggers={{"after": first.state}})
"""
)


def taken_over(run: Run) -> str:
    """The id of the remediation that a command says it takes over in place of starting one."""
    (found,) = set(TAKEN_OVER.findall(run.diagnostics))
    return found[1]


def announced(preview: Run, attempt: int) -> bool:
    """Whether a preview says that this attempt will be started, and nothing else. A first one has no number."""
    starts = re.findall(r"`pulumi up` will start a .*", preview.diagnostics)
    numbers = {number for line in starts for number in re.findall(r"\(attempt (\d+): ", line) or ["1"]}
    return preview.code == 0 and numbers == {str(attempt)}


def test_a_refused_replacement_keeps_the_record_and_reverting_it_runs_nothing(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    held = stack.resources()
    api.behave(outcome="never")
    other = api.create()
    stack.declare(triggers={"run": "2"})
    refused = stack.up()
    assert refused.code == 1
    assert f"is being repaired already: remediation {other['id']}" in refused.output
    assert "Nothing was deleted" in refused.output
    assert stack.resources() == held
    api.force(other["id"], "SUCCEEDED")
    api.advance(2 * HOUR)
    stack.declare()
    assert stack.preview().summary("unchanged") == 2
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.resources()["fix"]["outputs"] == held["fix"]["outputs"]
    assert len(api.remediations()) == 2


def test_what_was_removed_and_comes_back_with_a_reverted_commit_runs_nothing(stack: Stack, api: Simulator):
    stack.declare()
    stack.up(check=True)
    (ran,) = api.remediations()
    stack.forget()
    stack.up(check=True)
    assert stack.resources() == {}
    api.advance(HOUR)
    stack.declare()
    assert taken_over(stack.preview()) == ran["id"]
    assert taken_over(stack.up(check=True)) == ran["id"]
    assert stack.resources()["fix"]["outputs"]["remediationId"] == ran["id"]
    assert api.posts() == 1


def test_what_adopt_was_promised_and_ended_before_up_is_still_taken_over(stack: Stack, api: Simulator):
    stack.configure("togetherai:recentWindow", "24h")  # the default hour is 18 real seconds here
    api.behave(outcome="never")
    other = api.create()
    stack.declare(ifActive="ADOPT")
    assert f"`pulumi up` will start nothing and take over remediation {other['id']}" in stack.preview().output
    api.force(other["id"], "SUCCEEDED")
    up = stack.up(check=True)
    assert f"taking over remediation {other['id']}" in up.diagnostics
    outputs = stack.resources()["fix"]["outputs"]
    assert (outputs["remediationId"], outputs["adopted"]) == (other["id"], True)
    assert api.posts() == 1


def test_a_change_replaces_what_was_adopted_and_has_just_succeeded(stack: Stack, api: Simulator):
    stack.configure("togetherai:recentWindow", "24h")
    api.behave(outcome="never")
    other = api.create()
    stack.declare(ifActive="ADOPT", wait=False)
    stack.up(check=True)
    api.force(other["id"], "SUCCEEDED")
    api.behave(outcome="succeed")
    stack.declare(ifActive="ADOPT", triggers={"run": "2"})
    preview = stack.preview()
    assert announced(preview, attempt=1)
    assert f"by remediation {other['id']}" in preview.diagnostics
    stack.up(check=True)
    outputs = stack.resources()["fix"]["outputs"]
    assert (outputs["attempt"], outputs["adopted"]) == (1, False)
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 2


@pytest.mark.parametrize("typed", [True, False], ids=["--replace", "PULUMI_OPTION_REPLACE"])
def test_told_to_replace_what_has_just_succeeded_it_runs_once_more(stack: Stack, api: Simulator, typed: bool):
    stack.declare()
    stack.up(check=True)
    flags = [f"--replace={stack.urn()}"] if typed else []
    if not typed:
        stack.env["PULUMI_OPTION_REPLACE"] = stack.urn()
    assert announced(stack.preview(*flags), attempt=2)
    up = stack.up(*flags, check=True)
    assert up.summary("replaced") == 1
    assert "SUCCEEDED" in up.diagnostics
    assert "another attempt was asked for" in up.diagnostics
    assert stack.resources()["fix"]["outputs"]["attempt"] == 2
    assert api.posts() == 2


@pytest.mark.parametrize("by", ["pulumi state taint", "replacementTrigger"])
def test_a_silent_replacement_by_the_engine_runs_nothing_and_commands_say_so(stack: Stack, api: Simulator, by: str):
    stack.declare()
    stack.option("fix", replacementTrigger="1")
    stack.up(check=True)
    (ran,) = api.remediations()
    if by == "replacementTrigger":
        stack.option("fix", replacementTrigger="2")
    else:
        stack.run("state", "taint", "--yes", stack.urn(), check=True)
    preview = stack.preview()
    assert preview.summary("replace") == 1
    assert taken_over(preview) == ran["id"]
    up = stack.up(check=True)
    assert up.summary("replaced") == 1
    assert taken_over(up) == ran["id"]
    assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_a_dependant_whose_input_turns_out_unchanged_is_not_run_again(stack: Stack, api: Simulator):
    """Where one is replaced, the engine asks Diff about those that depend on it before it knows their inputs."""

    def declare(run: str) -> None:
        if stack.form == "plugin":
            stack.declare("first", triggers={"run": run})
            stack.declare("second", instanceId="cluster-1-node-2", triggers={"after": "${first.state}"})
        else:
            (stack.folder / "__main__.py").write_text(DEPENDENT.format(run))

    declare("1")
    stack.up(check=True)
    declare("2")
    preview = stack.preview()
    assert announced(preview, attempt=2)
    assert "`pulumi up` will decide what to do once it knows triggers" in preview.diagnostics
    up = stack.up(check=True)
    assert up.summary("replaced") == 2
    assert taken_over(up) == stack.resources()["second"]["outputs"]["remediationId"]
    assert [item["instance_id"][-6:] for item in api.remediations()] == ["node-1", "node-2", "node-1"]


def test_a_stack_of_the_same_names_in_another_backend_cancels_nothing_of_the_first(
    tmp_path: Path, api: Simulator, form: Form
):
    first, second = (Stack(tmp_path / name, form, api.address) for name in ("first", "second"))
    api.behave(outcome="hold")
    first.declare(wait=False)
    first.up(check=True)
    (ours,) = api.remediations()

    def goes_on() -> bool:
        return [(item["id"], item["state"]) for item in api.remediations()] == [(ours["id"], "PENDING")]

    second.declare(wait=False)
    assert f"will start nothing and take over remediation {ours['id']}" in second.preview().diagnostics
    up = second.up(check=True)
    assert f"taking over remediation {ours['id']}" in up.diagnostics
    assert "it belongs to this resource and is PENDING" in up.diagnostics
    second.declare(wait=False, triggers={"run": "2"})
    refusing = second.preview()
    assert f"will leave remediation {ours['id']}" in refusing.diagnostics
    assert "`pulumi up` will refuse: " in refusing.output
    assert second.up().code == 1
    assert goes_on()
    destroyed = second.destroy()
    assert destroyed.code == 0
    assert f"leaving remediation {ours['id']}" in destroyed.diagnostics
    assert f"tg clusters remediations cancel {ours['id']}" in destroyed.diagnostics
    assert goes_on()
    assert first.destroy().code == 0
    assert [item["state"] for item in api.remediations()] == ["CANCELLED"]


def test_a_mode_and_another_and_the_first_again_are_three_attempts(stack: Stack, api: Simulator):
    for attempt, mode in enumerate(["REBOOT_VM", "HOST_POWER_CYCLE", "REBOOT_VM"], start=1):
        stack.declare(mode=mode)
        assert announced(stack.preview(), attempt=attempt)
        stack.up(check=True)
        outputs = stack.resources()["fix"]["outputs"]
        assert (outputs["attempt"], outputs["mode"]) == (attempt, f"REMEDIATION_MODE_{mode}")
        assert api.posts() == attempt


def test_triggers_without_entries_are_no_triggers(stack: Stack, api: Simulator):
    stack.declare(triggers={})
    stack.up(check=True)
    without: tuple[dict[str, Any], ...] = ({}, {"triggers": {}})
    for inputs in without:
        stack.declare(**inputs)
        assert stack.preview().summary("unchanged") == 2
        assert stack.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1
