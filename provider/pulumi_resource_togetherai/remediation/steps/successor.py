"""After a remediation that replaced the VM: says which instance is in the node now, since the old id is gone."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.operation.run import Interrupted, Run

_REPLACES_NO_VM = (
    RemediationMode.REBOOT_VM,
    RemediationMode.HOST_POWER_CYCLE,
    RemediationMode.EVICT_WITHOUT_REPLACEMENT,
)


async def tell_successor(run: Run, record: Remediation) -> None:
    """Says it if the API shows which node the remediation was the last one of. It is only a line: if the API does not
    answer within a poll interval, there is none."""
    if record.state != RemediationState.SUCCEEDED or record.mode in _REPLACES_NO_VM:
        return
    view = run.cluster(record.cluster_id)
    try:
        async with asyncio.timeout(view.interval):
            cluster = await run.unless_stopped(view.cluster())
    except (ApiError, Interrupted, TimeoutError):
        return
    for node in cluster.gpu_worker_nodes:
        latest = node.latest_remediation
        if latest is None or folded(latest.id) != folded(record.id) or not node.instance_id:
            continue
        if folded(node.instance_id) != folded(record.instance_id):
            await run.report.info(
                f"instance {record.instance_id} of cluster {record.cluster_id} was replaced: its node holds instance "
                f"{node.instance_id} now"
            )
