"""After the end of a remediation: which instance is in the node now. If the VM was replaced, the old id is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode
from pulumi_resource_togetherai.clusters.nodes import Found, find
from pulumi_resource_togetherai.operation.run import Interrupted, Run
from pulumi_resource_togetherai.remediation.rules.state import State

_KEEPS_THE_VM = (RemediationMode.REBOOT_VM, RemediationMode.HOST_POWER_CYCLE)
_NEVER_BEGAN = (RemediationState.CANCELLED, RemediationState.AUTO_RESOLVED)


async def with_successor(run: Run, state: State) -> State:
    """The same resource with the instance that is in the node now, and a line if that is another one. Nothing depends
    on it: if the API does not answer within a poll interval, or does not show it, it stays unset."""
    record = state.record
    if not record.terminal:
        return state
    kept = record.mode in _KEEPS_THE_VM or record.state in _NEVER_BEGAN
    view = run.cluster(record.cluster_id)
    try:
        async with asyncio.timeout(view.interval):
            # Where the VM stays, what the node is called does not change either: one look serves the whole run.
            cluster = await run.unless_stopped(view.names() if kept else view.cluster())
    except (ApiError, Interrupted, TimeoutError):
        return state
    node = _node(cluster, state)
    if node is None or not node.instance_id:
        return state
    same = same_id(node.instance_id, record.instance_id)
    if same and not kept and record.state == RemediationState.SUCCEEDED:  # the answer lags: it is of before the end
        return state
    if not same:
        await run.report.info(
            f"instance {record.instance_id} of cluster {record.cluster_id} was replaced: its node holds instance "
            f"{node.instance_id} now"
        )
    return replace(state, current_instance_id=node.instance_id, current_host=node.host_name or None)


def _node(cluster: Cluster, state: State) -> GpuWorkerNode | None:
    """The node of a remediation: by the name that the program gives, or else by what the API says of the
    remediation and its instance. None where it does not say."""
    if state.inputs.node is not None:
        found = find(cluster, state.inputs.node)
        return found.node if isinstance(found, Found) and found.live else None
    record, nodes = state.record, cluster.gpu_worker_nodes
    latest = (node for node in nodes if node.latest_remediation and same_id(node.latest_remediation.id, record.id))
    holding = (node for node in nodes if node.instance_id and same_id(node.instance_id, record.instance_id))
    return next(latest, None) or next(holding, None)
