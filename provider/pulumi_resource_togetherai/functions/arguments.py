"""The arguments of the lookups."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from pulumi_resource_togetherai.fields import Duration, Identifier, Inputs, Mode, Named, State, Trigger
from pulumi_resource_togetherai.functions.order import Order


class GetRemediation(Inputs):
    """Looks up one remediation."""

    cluster_id: Identifier
    """The cluster of the node."""
    instance_id: Identifier
    """The instance (a GPU worker node's VM) of the remediation."""
    remediation_id: Identifier
    """The remediation's id."""


class GetRemediations(Inputs):
    """Looks up the remediations of a cluster, or of one of its instances, that pass every filter."""

    cluster_id: Identifier
    """The cluster to look at."""
    instance_id: Identifier | None = None
    """Only the remediations of this instance. Default: those of every instance of the cluster."""
    node: Named | None = None
    """Only the remediations of this node, by any name that the API knows for it, as for a Remediation. They are those
    of every instance that is or was the node, as far as the API says. Give it or the `instanceId`."""
    state: list[State] | None = None
    """Only remediations in one of these states."""
    mode: list[Mode] | None = None
    """Only remediations of one of these modes, in short (`VM_ONLY`) or in full (`REMEDIATION_MODE_VM_ONLY`)."""
    trigger: list[Trigger] | None = None
    """Only remediations that were started in one of these ways, in short (`AUTOMATED`) or in full."""
    order_by: str = Order.DEFAULT
    """The order of the list: createTime or updateTime, with " desc" after it for the newest first."""
    limit: int | None = Field(default=None, ge=1)
    """The most remediations to return; the list is ordered first and then cut off. Default: all of them."""

    @field_validator("node")
    @classmethod
    def _instance_or_node(cls, node: str | None, info: ValidationInfo) -> str | None:
        if node is not None and info.data.get("instance_id") is not None:
            raise ValueError("instanceId and node: give one of them at the most")
        return node

    @field_validator("order_by")
    @classmethod
    def _an_order(cls, written: Any) -> str:
        return Order.parse(written).text


class GetCluster(Inputs):
    """Looks up a cluster by its id or its name."""

    cluster: Named
    """The cluster's id, or its name. An id goes before a name."""


class GetClusters(Inputs):
    """Looks up the clusters that the API key may see."""


class GetNode(Inputs):
    """Looks up a GPU worker node of a cluster by any name that the API knows for it."""

    cluster: Named
    """The cluster's id, or its name. An id goes before a name."""
    node: Named
    """Any name that the API knows for the node. That is its `node_id`, host name, Slurm host name, instance name (of
    its latest remediation) or instance id. Host names and UUIDs count without regard to case."""


class GetInstances(Inputs):
    """Looks up the GPU worker nodes of a cluster, with the health and the latest remediation of each. Nodes that are
    marked for deletion are left out."""

    cluster_id: Identifier
    """The cluster to look at."""


class GetRemediationStats(Inputs):
    """Looks up how long the remediations of a cluster took, by mode and outcome, and what share of them succeeded."""

    cluster_id: Identifier
    """The cluster to look at."""
    window: Duration = "30d"
    """How far back to look, such as 24h or 30d. The remediations that ended within this time count."""
