"""What the plan is made of: the cluster and all of its remediations, as the API lists them now."""

from __future__ import annotations

from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.operation.run import OperationError, Run, explained


async def look(run: Run, cluster_id: str) -> tuple[Cluster, Listed]:
    """The cluster, and after it its remediations, all of them, though some may be unreadable. Raises OperationError if
    the list was cut off: what is under way or has been done might be done again."""
    failure = f"cannot plan the repair of cluster {cluster_id}"
    view = run.cluster(cluster_id)
    with explained(failure, then="Nothing was started. Run the command again"):
        cluster = await run.unless_stopped(view.cluster())
        records = await run.unless_stopped(view.everything())
    if records.cut_off:
        raise OperationError(
            f"{failure}: the API's list of its remediations may lack one: {records.cut_off}. Nothing was started. "
            "Run the command again; if it says the same, report what `togetherai-check --describe` says of the cluster"
        )
    return cluster, records
