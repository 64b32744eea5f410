"""Taking over a remediation that is there already."""

from __future__ import annotations

import pytest

from tests.engine.stack import Stack
from tests.simulated import Simulator

TYPE = "togetherai:index:Remediation"


def do_import(stack: Stack, import_id: str):
    return stack.run(
        "import", "--yes", "--skip-preview", "--generate-code=false", "--protect=false", TYPE, "fix", import_id
    )


@pytest.mark.parametrize("outcome", ["succeed", "never"])
def test_an_imported_remediation_shows_no_change(plugin_stack: Stack, api: Simulator, outcome: str):
    api.behave(outcome=outcome)
    remediation = api.create()
    if outcome == "never":
        plugin_stack.declare(reason="by hand", wait=False)
        api.until("RUNNING")
        api.force(remediation["id"], "SUCCEEDED")
    imported = do_import(plugin_stack, f"cluster-1/cluster-1-node-1/{remediation['id']}")
    assert imported.code == 0, imported.output
    plugin_stack.declare(reason="by hand")
    assert plugin_stack.up(check=True).summary("unchanged") == 2
    assert plugin_stack.resources()["fix"]["inputs"] | {"mode": ""} == {
        "clusterId": "cluster-1",
        "instanceId": "cluster-1-node-1",
        "mode": "",
        "reason": "by hand",
    }
    assert api.posts() == 1


def test_an_import_of_what_is_not_there_says_so(plugin_stack: Stack, api: Simulator):
    imported = do_import(plugin_stack, "cluster-1/cluster-1-node-1/nothing")
    assert imported.code == 1
    assert "does not exist" in imported.output
    assert plugin_stack.resources() == {}


@pytest.mark.parametrize("import_id", ["nothing", "cluster-1/cluster-1-node-1", "a/b/c/d", "cluster-1/../x"])
def test_an_import_id_that_is_none_is_refused_with_its_form(plugin_stack: Stack, api: Simulator, import_id: str):
    imported = do_import(plugin_stack, import_id)
    assert imported.code == 1
    assert "write <clusterId>/<instanceId>/<remediationId>" in imported.output
    assert "Traceback" not in imported.output
    assert api.requests() == []
