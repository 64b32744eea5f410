"""Repairs one GPU node. `pulumi preview` says what would happen; `pulumi up` does it and waits for its end."""

import pulumi

from pulumi_resource_togetherai.dynamic import Remediation

config = pulumi.Config()

repair = Remediation(
    "node-1",
    cluster_id=config.require("cluster"),
    instance_id=config.require("instance"),
    # Reboots the VM in place. VM_ONLY and HOST_AWARE delete the VM and build a new one.
    mode="REBOOT_VM",
    reason="INC-1042: GPU 3 reports Xid 79",
    # The same node again, later? Change a trigger: nothing else runs a remediation a second time.
    triggers={"incident": "INC-1042"},
)

pulumi.export("remediation", repair.remediation_id)
pulumi.export("state", repair.state)
