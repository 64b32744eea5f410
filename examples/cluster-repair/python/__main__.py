"""Repairs what is broken in a cluster, by rules that stand in one place. Run `pulumi up` from a schedule or by hand."""

import pulumi
import pulumi_togetherai as togetherai

config = pulumi.Config()

repair = togetherai.ClusterRepair(
    "repair",
    cluster_id=config.require("cluster"),
    # The first rule that fits a node decides.
    rules=[
        togetherai.RuleArgs(
            name="gpu-lost",
            when=togetherai.WhenArgs(alerts=["GpuFellOffBus"], xids=["79", "74"]),
            modes=["HOST_AWARE"],
        ),
        togetherai.RuleArgs(
            name="xid",
            when=togetherai.WhenArgs(alerts=["DmesgXidError"]),
            # A ladder: the next one if the node comes back within a day.
            modes=["REBOOT_VM", "VM_ONLY", "HOST_AWARE"],
            within="24h",
        ),
        togetherai.RuleArgs(
            name="down",
            when=togetherai.WhenArgs(statuses=["NotReady", "Failed"], unhealthy_for="15m"),
            modes=["REBOOT_VM", "HOST_AWARE"],
        ),
        togetherai.RuleArgs(
            name="failed",
            when=togetherai.WhenArgs(last_outcome=["FAILED"]),
            modes=["VM_ONLY", "HOST_AWARE"],
        ),
        togetherai.RuleArgs(
            name="rest",
            when=togetherai.WhenArgs(proposed=True),
            action=togetherai.Action.LEAVE,
        ),
    ],
    max_concurrent=2,
    # More than that has a cause of its own: start nothing, fail, and let a person look.
    max_unhealthy="50%",
    max_attempts=3,
    cooldown="30m",
)

pulumi.export("plan", repair.plan)
pulumi.export("states", repair.states)
pulumi.export("leftToPeople", repair.left_to_people)
