"""Replaces the VM of one GPU node on another host, and takes what the platform is doing already into account."""

import pulumi
import pulumi_togetherai as togetherai

config = pulumi.Config()

repair = togetherai.Remediation(
    "node-2",
    cluster_id=config.require("cluster"),
    instance_id=config.require("instance"),
    mode=togetherai.RemediationMode.HOST_AWARE,
    reason="INC-1043: thermal throttling",
    # If somebody is repairing the node already, wait for that instead of starting another repair.
    if_active=togetherai.IfActive.ADOPT,
    timeout="45m",
)

pulumi.export("remediation", repair.remediation_id)
pulumi.export("state", repair.state)
pulumi.export("ended", repair.end_time)
