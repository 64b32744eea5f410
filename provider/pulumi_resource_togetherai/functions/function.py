"""The lookups as Pulumi functions: by name, in plain values, for both adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.config import MissingApiKey, ProviderConfig
from pulumi_resource_togetherai.functions.arguments import (
    GetCluster,
    GetClusters,
    GetInstances,
    GetNode,
    GetRemediation,
    GetRemediations,
    GetRemediationStats,
)
from pulumi_resource_togetherai.functions.lookups import (
    get_cluster,
    get_clusters,
    get_instances,
    get_node,
    get_remediation,
    get_remediation_stats,
    get_remediations,
)
from pulumi_resource_togetherai.functions.results import Clusters, Instances, Node, Remediations, RemediationStats
from pulumi_resource_togetherai.operation.check import Failure, check
from pulumi_resource_togetherai.operation.run import OperationError, explained
from pulumi_resource_togetherai.telemetry.instruments import span
from pulumi_resource_togetherai.unknown import holds_unknown

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

LONGEST = 300.0
"""How long a lookup may take, in seconds: the program and the preview wait for it."""

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class Function(Generic[A, R]):
    """A lookup: its name, its arguments, its result, and the function that finds the result."""

    name: str
    arguments: type[A]
    result: type[R]
    look: Callable[[Client, A], Awaitable[R]]

    def check(self, written: Mapping[str, Any]) -> list[Failure]:
        """The mistakes in the arguments, in camelCase. A lookup cannot wait for a value that is not known yet."""
        unknown = [
            Failure(name, f"{name} is not known before `pulumi up`")
            for name, value in written.items()
            if holds_unknown(value)
        ]
        return unknown or check(self.arguments, written).failures

    async def answer(self, config: ProviderConfig, written: Mapping[str, Any], client: Client | None = None) -> R:
        """The result for arguments without mistakes. `client` replaces the one that `config` describes. Raises
        OperationError, whose text is for the user."""
        asked = self.arguments.model_validate({name: value for name, value in written.items() if value is not None})
        try:
            made = client or config.client()
        except (MissingApiKey, ValueError) as error:
            raise OperationError(str(error)) from error
        async with made:
            with span(f"invoke {self.name}", {}), explained(f"{self.name} failed"):
                async with asyncio.timeout(LONGEST):
                    return await self.look(made, asked)


GET_REMEDIATION = Function("getRemediation", GetRemediation, Remediation, get_remediation)
GET_REMEDIATIONS = Function("getRemediations", GetRemediations, Remediations, get_remediations)
GET_REMEDIATION_STATS = Function("getRemediationStats", GetRemediationStats, RemediationStats, get_remediation_stats)
GET_INSTANCES = Function("getInstances", GetInstances, Instances, get_instances)
GET_CLUSTER = Function("getCluster", GetCluster, Cluster, get_cluster)
GET_CLUSTERS = Function("getClusters", GetClusters, Clusters, get_clusters)
GET_NODE = Function("getNode", GetNode, Node, get_node)

FUNCTIONS: tuple[Function[Any, Any], ...] = (
    GET_REMEDIATION,
    GET_REMEDIATIONS,
    GET_REMEDIATION_STATS,
    GET_INSTANCES,
    GET_CLUSTER,
    GET_CLUSTERS,
    GET_NODE,
)
"""Every lookup."""
