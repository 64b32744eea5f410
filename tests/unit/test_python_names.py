"""The dynamic form's messages name inputs as a Python program writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.dynamic.python_names import in_python
from pulumi_resource_togetherai.remediation.rules.decision import Recent, Refuse, decide
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from tests.unit.examples import NOW, identity, record


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("set `retryFailed: true`, or `acceptFailure: false`", "set `retry_failed=True`, or `accept_failure=False`"),
        ("set `deleteWhileRunning: ABANDON`", 'set `delete_while_running="ABANDON"`'),
        ("`ifActive` is FAIL; change `triggers`", "`if_active` is FAIL; change `triggers`"),
        ("clusterId is required", "cluster_id is required"),
        ("orderBy: true is not an order", "order_by: true is not an order"),
        ("once it knows expectedMode, ifGone", "once it knows expected_mode, if_gone"),
    ],
)
def test_an_input_is_a_python_argument(text: str, spelt: str):
    assert in_python(text) == spelt


def test_what_this_form_cannot_do_is_not_offered():
    somebodys = record("RUNNING", reason="by hand")
    refused = decide(
        identity(), [somebodys], now=NOW, intent=Intent(), recent=Recent(IfRecent.WARN, timedelta(hours=1))
    )
    assert isinstance(refused, Refuse)
    assert "pulumi import" in refused.because
    assert "import" not in in_python(refused.because)


@pytest.mark.parametrize(
    "text",
    ["togetherai:ifRecent", "`maxConcurrentPerCluster` is 2", "togetherai:pollInterval", "<clusterId>/<instanceId>"],
)
def test_what_is_no_input_is_spelt_as_it_is(text: str):
    assert in_python(text) == text
