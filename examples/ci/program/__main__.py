"""The repairs that the team has asked for: one Remediation each, added by a pull request."""

import pulumi
import pulumi_togetherai as togetherai

node_1 = togetherai.Remediation(
    "node-1",
    cluster_id="cluster-1",
    instance_id="cluster-1-node-1",
    mode=togetherai.RemediationMode.REBOOT_VM,
    reason="INC-1060: Xid 79 on GPU 3",
)

pulumi.export("state", node_1.state)
