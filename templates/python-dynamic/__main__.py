"""Repairs one GPU node. `pulumi preview` says what would happen; `pulumi up` does it and waits for its end."""

import pulumi

from pulumi_resource_togetherai.dynamic import Remediation

config = pulumi.Config()

repair = Remediation(
    "repair",
    cluster_id=config.require("cluster"),
    instance_id=config.require("instance"),
    mode=config.require("mode"),
    # Shown in the web console; the provider adds a marker with the name of the stack.
    reason="declared with Pulumi",
    # The same node again, later? Change a trigger: nothing else runs a remediation a second time.
    triggers={"incident": "first"},
)

pulumi.export("remediation", repair.remediation_id)
pulumi.export("state", repair.state)
