"""The history of a node by its name: what this resource has started is in it wherever it ran, and a name that leads
nowhere starts nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.one_node import OneNode
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.remediation.rules.choose import choose
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Decision, Refuse
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.steps.history import records_of
from tests.unit.examples import NOW, URN, record

NAMED = Identity(URN, RemediationInputs.model_validate({"clusterId": "c1", "node": "gpu-12", "mode": "REBOOT_VM"}))


class Forgetful:
    """A view of a cluster that says of no node what it was before."""

    def __init__(self, *records: Remediation) -> None:
        self._records = Listed(records)
        self.one_node = OneNode()

    async def cluster(self, *, preview: bool = False) -> Cluster:
        """One node, in a fresh instance."""
        node = {"host_name": "gpu-12", "instance_id": "new", "status": "Ready"}
        return Cluster.model_validate({"cluster_id": "c1", "cluster_name": "c1", "gpu_worker_nodes": [node]})

    async def everything(self, *, preview: bool = False) -> Listed:
        """All that was started."""
        return self._records

    async def node(self, instance_id: str, *, preview: bool = False) -> Listed:
        """What was started of an instance."""
        return self._records.of(instance_id)

    async def of_former(self, instances: Collection[str], *, preview: bool = False) -> Listed:
        """What was started of several."""
        return self._records.of_any(instances)


async def test_what_this_resource_has_started_is_found_where_the_api_does_not_say_what_the_node_was():
    ours = record("RUNNING", instance_id="old", reason=NAMED.marked_reason(1))
    theirs = record("RUNNING", id="x", instance_id="other", reason="by hand")
    listed, where = await records_of(cast(View, Forgetful(theirs, ours)), NAMED)
    assert (list(listed), where.instance_id) == ([ours], "new")


def chosen(*records: Remediation) -> Decision:
    """What create does where the node's name leads nowhere."""
    history = History(list(records), "gpu-12", astray="no node of cluster c1 answers to it")
    return choose(NAMED, history, now=NOW, config=ProviderConfig(), intent=Intent())


def test_what_it_has_under_way_or_done_is_taken_over_though_the_name_leads_nowhere():
    for state in ("RUNNING", "SUCCEEDED"):
        decided = chosen(record(state, reason=NAMED.marked_reason(1)))
        assert isinstance(decided, Adopt)
        assert decided.attempt == 1


def test_nothing_is_started_where_the_name_leads_nowhere():
    before = Identity(URN, NAMED.inputs.model_copy(update={"triggers": {"incident": "1"}}))
    for records in ([], [record("SUCCEEDED", reason=before.marked_reason(1))]):
        assert chosen(*records) == Refuse("no node of cluster c1 answers to it. Nothing was posted")
