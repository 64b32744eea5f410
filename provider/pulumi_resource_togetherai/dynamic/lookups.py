"""The lookups as plain functions for a Python program. They run in its process, in previews too.

They read the same configuration as the resources: `togetherai:` of the stack, and the environment. If something goes
wrong, they raise pulumi.RunError, which Pulumi shows as one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import pulumi
from pulumi.runtime import get_config, get_config_env
from pulumi.runtime.config import CONFIG
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState, RemediationTrigger
from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.api.models import Remediation as RemediationRecord
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.dynamic.loop import wait_for
from pulumi_resource_togetherai.dynamic.python_names import in_python
from pulumi_resource_togetherai.dynamic.settings import configuration
from pulumi_resource_togetherai.functions.function import (
    GET_CLUSTER,
    GET_CLUSTERS,
    GET_INSTANCES,
    GET_NODE,
    GET_REMEDIATION,
    GET_REMEDIATION_STATS,
    GET_REMEDIATIONS,
    Function,
)
from pulumi_resource_togetherai.functions.results import Instance, Node, RemediationStats
from pulumi_resource_togetherai.literal import literal
from pulumi_resource_togetherai.operation.run import OperationError

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)


def get_remediation(cluster_id: str, instance_id: str, remediation_id: str) -> RemediationRecord:
    """One remediation, as it is now (GET .../remediations/{remediation_id})."""
    return _look_up(GET_REMEDIATION, cluster_id=cluster_id, instance_id=instance_id, remediation_id=remediation_id)


def get_remediations(
    cluster_id: str,
    instance_id: str | None = None,
    *,
    node: str | None = None,
    state: Sequence[str | RemediationState] | None = None,
    mode: Sequence[str | RemediationMode] | None = None,
    trigger: Sequence[str | RemediationTrigger] | None = None,
    order_by: str | None = None,
    limit: int | None = None,
) -> list[RemediationRecord]:
    """The remediations of a cluster, or of one instance or node, that pass every filter (GET .../remediations, every
    page).

    `node` is any name that the API has for it: the result then holds what ran on every instance that was the node.
    `order_by` is `createTime` or `updateTime`, with ` desc` after it for the newest first; default `createTime desc`.
    """
    found = _look_up(
        GET_REMEDIATIONS,
        cluster_id=cluster_id,
        instance_id=instance_id,
        node=node,
        state=_plain(state),
        mode=_plain(mode),
        trigger=_plain(trigger),
        order_by=order_by,
        limit=limit,
    )
    return found.remediations


def get_remediation_stats(cluster_id: str, window: str | None = None) -> RemediationStats:
    """How long the remediations of a cluster took that ended within the `window` (such as `24h`; default `30d`), in
    seconds, by mode and outcome (GET .../remediations of the whole cluster, every page)."""
    return _look_up(GET_REMEDIATION_STATS, cluster_id=cluster_id, window=window)


def get_instances(cluster_id: str) -> list[Instance]:
    """The GPU worker nodes of a cluster, with the health of each, but for those that are marked for deletion (GET
    /compute/clusters/{cluster_id})."""
    return _look_up(GET_INSTANCES, cluster_id=cluster_id).instances


def get_cluster(cluster: str) -> Cluster:
    """A cluster with its GPU worker nodes, by its id or its name (GET /compute/clusters/{cluster_id}; for a name also
    GET /compute/clusters)."""
    return _look_up(GET_CLUSTER, cluster=cluster)


def get_clusters() -> list[Cluster]:
    """The clusters that the API key may see (GET /compute/clusters)."""
    return _look_up(GET_CLUSTERS).clusters


def get_node(cluster: str, node: str) -> Node:
    """A GPU worker node of a cluster (an id or a name), by its node_id, host name, Slurm host name, instance name or
    instance id (GET /compute/clusters/{cluster_id})."""
    return _look_up(GET_NODE, cluster=cluster, node=node)


def _look_up(function: Function[A, R], **arguments: Any) -> R:
    written = {to_camel(name): value for name, value in arguments.items()}
    config = program_configuration()
    if failures := function.check(written):
        raise pulumi.RunError(in_python(f"{function.name}: {'; '.join(failure.reason for failure in failures)}"))
    try:
        found = wait_for(function.answer(config, written))
    except OperationError as error:
        raise pulumi.RunError(in_python(str(error))) from error
    # The program may hand any part of it on to Pulumi.
    return function.result.model_validate(literal(found.model_dump(mode="json", by_alias=True)))


def program_configuration() -> ProviderConfig:
    """The configuration, as a program reads it. Raises pulumi.RunError for a mistake."""
    try:
        return configuration(get_config, {**get_config_env(), **CONFIG.get()})
    except OperationError as error:
        raise pulumi.RunError(str(error)) from error


def _plain(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
