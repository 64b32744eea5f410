"""RemediationReview on the real engine: merging a pull request is the approval."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.engine.stack import ENDS_WHEN_INTERRUPTED, PLUGINS, Stack
from tests.simulated import Simulator

NODE = "cluster-1-node-1"
PYTHON = (
    ENDS_WHEN_INTERRUPTED
    + """\
import json
from pathlib import Path
from pulumi_resource_togetherai.dynamic import RemediationReview

RemediationReview("review", **json.loads(Path("declared.json").read_text()))
"""
)


def declare(stack: Stack, remediation: str | None, decision: str = "APPROVE", **more: Any) -> None:
    """Has the program declare a review. Arguments in snake_case."""
    proposal = {"instance_id": NODE, "remediation_id": remediation} if remediation else {}
    declared = {"cluster_id": "cluster-1", "decision": decision} | proposal | more
    if stack.form == "dynamic":
        (stack.folder / "declared.json").write_text(json.dumps(declared))
        (stack.folder / "__main__.py").write_text(PYTHON)
        return
    project = {
        "name": "training",
        "runtime": "yaml",
        "plugins": PLUGINS,
        "resources": {
            "review": {
                "type": "togetherai:RemediationReview",
                "properties": {camelled(name): value for name, value in declared.items()},
            }
        },
    }
    (stack.folder / "Pulumi.yaml").write_text(json.dumps(project))


def camelled(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def effects(api: Simulator) -> list[str]:
    return [entry["effect"] for entry in api.requests() if entry["effect"]]


def test_an_approval_is_previewed_made_once_and_waited_for(stack: Stack, api: Simulator):
    proposal = api.propose(NODE, fault="xid")
    declare(stack, proposal["id"], comment="PR 12", expected_mode="REBOOT_VM")
    preview = stack.preview()
    assert preview.code == 0
    told = " ".join(preview.output.split())
    for part in ("`pulumi up` will approve remediation", proposal["id"], NODE, "alert DmesgXidError", "ago"):
        assert part in told
    assert effects(api) == []

    stack.up(check=True)
    outputs = stack.resources()["review"]["outputs"]
    assert (outputs["state"], outputs["reviewComment"], outputs["adopted"]) == ("SUCCEEDED", "PR 12", False)
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.refresh().summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert effects(api) == ["approved"]


def test_a_node_by_its_name_is_approved_once_and_what_is_proposed_later_is_not(stack: Stack, api: Simulator):
    proposal = api.propose(NODE, fault="gpu_lost")
    declare(stack, None, node="CLUSTER-1-HOST-1")
    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert f"`pulumi up` will approve remediation {proposal['id']}" in " ".join(preview.output.split())
    stack.up(check=True)
    outputs = stack.resources()["review"]["outputs"]
    assert outputs["node"] == "CLUSTER-1-HOST-1"
    assert (outputs["remediationId"], outputs["instanceId"], outputs["state"]) == (proposal["id"], NODE, "SUCCEEDED")
    api.propose(f"{NODE}-r2", fault="xid", force=True)
    assert stack.refresh().summary("unchanged") == 2
    assert stack.up(check=True).summary("unchanged") == 2
    assert effects(api) == ["approved"]
    assert stack.destroy().code == 0


def test_a_node_without_a_proposal_is_refused_in_preview(stack: Stack, api: Simulator):
    declare(stack, None, node="cluster-1-worker-1")
    preview = stack.preview()
    assert preview.code != 0
    assert "node cluster-1-worker-1 of cluster cluster-1 has no proposal to review" in " ".join(preview.output.split())


def test_a_rejection_is_made_once_and_destroying_it_changes_nothing(stack: Stack, api: Simulator):
    proposal = api.propose(NODE)
    declare(stack, proposal["id"], "REJECT")
    stack.up(check=True)
    assert stack.resources()["review"]["outputs"]["state"] == "CANCELLED"
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.refresh().summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert effects(api) == ["rejected"]


def test_a_proposal_that_became_another_is_not_approved(stack: Stack, api: Simulator):
    proposal = api.propose(NODE, fault="gpu_lost")
    declare(stack, proposal["id"], expected_mode="REBOOT_VM")
    for run in (stack.preview(), stack.up()):
        assert run.code != 0
        assert "its mode is HOST_AWARE now" in " ".join(run.output.split())
        assert "Traceback" not in run.output
    assert effects(api) == []


def test_a_proposal_that_vanished_is_a_success_with_a_note_or_an_error(stack: Stack, api: Simulator):
    proposal = api.propose(NODE)
    api.force(proposal["id"], "AUTO_RESOLVED")
    declare(stack, proposal["id"], if_gone="FAIL")
    failing = stack.up()
    assert failing.code != 0
    assert f"`{stack.spelt('ifGone')}` is FAIL" in " ".join(failing.output.split())
    api.expire(proposal["id"])
    declare(stack, proposal["id"])
    up = stack.up(check=True)
    assert "the proposal has vanished" in up.output
    assert stack.resources()["review"]["outputs"]["gone"] is True
    assert stack.refresh().summary("unchanged") == 2
    assert stack.up(check=True).summary("unchanged") == 2
    assert stack.destroy().code == 0
    assert effects(api) == []


def test_the_other_decision_is_an_error_and_the_same_one_is_adopted(stack: Stack, api: Simulator):
    api.behave(outcome="never")
    proposal = api.propose(NODE)
    declare(stack, proposal["id"], wait=False)
    stack.up(check=True)
    stack.run("state", "delete", stack.urn("review"), "--yes", check=True)
    declare(stack, proposal["id"], "REJECT")
    refused = stack.up()
    assert refused.code != 0
    assert "was approved already by" in " ".join(refused.output.split())
    declare(stack, proposal["id"], wait=False)
    assert "recording the existing review" in stack.up(check=True).output
    assert stack.resources()["review"]["outputs"]["adopted"] is True
    assert effects(api) == ["approved"]


def test_destroying_an_approval_cancels_what_has_not_begun(stack: Stack, api: Simulator):
    api.behave(outcome="hold")
    proposal = api.propose(NODE)
    declare(stack, proposal["id"], wait=False)
    stack.up(check=True)
    assert "cancelled remediation" in stack.destroy().output
    assert effects(api) == ["approved", "cancelled"]


def test_an_approved_remediation_that_fails_is_an_error_and_stays_one(stack: Stack, api: Simulator):
    api.behave(outcome="fail", error_message="host did not come back")
    proposal = api.propose(NODE)
    declare(stack, proposal["id"])
    for _ in range(2):
        up = stack.up()
        assert up.code != 0
        assert "host did not come back" in " ".join(up.output.split())
        assert "Traceback" not in up.output
    assert ("review" in stack.resources()) == (stack.form == "plugin")
    assert stack.destroy().code == 0
    assert effects(api) == ["approved"]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"decision": "APROVE"}, "APPROVE.*, .*REJECT"),  # in YAML it is Pulumi that says so, from the schema
        ({"decision": "REJECT", "mode": "VM_ONLY"}, "is for APPROVE only"),
    ],
)
def test_bad_input_is_one_clear_line_and_asks_nothing(stack: Stack, api: Simulator, more: dict[str, Any], line: str):
    declare(stack, "r1", **more)
    up = stack.up()
    assert up.code != 0
    assert re.search(line, up.output)
    assert "Traceback" not in up.output
    assert api.requests() == []


def test_a_mistyped_instance_is_no_vanished_proposal(stack: Stack, api: Simulator):
    declare(stack, "r1", instance_id="cluster-1-node-99")
    up = stack.up()
    assert up.code != 0
    assert "404 NOT_FOUND" in up.output


def test_an_imported_review_shows_no_change(plugin_stack: Stack, api: Simulator):
    proposal = api.propose(NODE)
    declare(plugin_stack, proposal["id"])
    plugin_stack.up(check=True)
    plugin_stack.run("state", "delete", plugin_stack.urn("review"), "--yes", check=True)
    where = f"cluster-1/{NODE}/{proposal['id']}"
    flags = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
    imported = plugin_stack.run("import", *flags, "togetherai:index:RemediationReview", "review", where)
    assert imported.code == 0, imported.output
    assert plugin_stack.up(check=True).summary("unchanged") == 2
