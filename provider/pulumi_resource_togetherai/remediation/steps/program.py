"""What preview knows of one program: which resource will start a remediation of which node."""

from __future__ import annotations

from collections import defaultdict

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive


class Program:
    """The resources that `pulumi up` will start a remediation for, as far as they have been previewed."""

    def __init__(self) -> None:
        self._starting: defaultdict[tuple[str, str], dict[str, Identity]] = defaultdict(dict)

    def before(self, identity: Identity, instance_id: str) -> list[str]:
        """The instances of the cluster of which the program will start a remediation before this one."""
        cluster_id = identity.inputs.cluster_id
        before = [instance for cluster, instance in self._starting if cluster == cluster_id]
        self._starting[cluster_id, folded(instance_id)][identity.urn] = identity
        return before

    async def joins(self, identity: Identity, instance_id: str, report: Report) -> None:
        """Adds a resource that will start a remediation of an instance. Warns of two for one node; raises
        OperationError if `up` will refuse one of them."""
        inputs = identity.inputs
        others = self._starting[inputs.cluster_id, folded(instance_id)]
        # More may join while this one warns: those see this one.
        earlier = [(urn, other) for urn, other in others.items() if urn != identity.urn]
        others[identity.urn] = identity
        for urn, other in earlier:
            found = (
                f"this program has two resources that start a remediation of {inputs.target}: "
                f'"{_name(urn)}" and "{_name(identity.urn)}"'
            )
            if inputs.if_active is other.inputs.if_active is IfActive.FAIL:
                raise OperationError(
                    f"`pulumi up` will refuse: {found}. One of them would be started and the other one refused. Remove "
                    "one; or, if both are meant, set `ifActive` of the later one: to ADOPT, so that it waits for the "
                    "earlier one if that is active, and runs after it if it depends on it; or to CREATE, so that both "
                    "run side by side"
                )
            choices = sorted({inputs.if_active, other.inputs.if_active})
            await report.warning(
                f"{found}. Unless one depends on the other, either of them may start first; the later one's "
                f"`ifActive` decides ({' or '.join(choices)})"
            )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
