// Repairs what is broken in a cluster, by rules that stand in one place. Run `pulumi up` from a schedule, or by hand.

import * as pulumi from "@pulumi/pulumi";
import * as togetherai from "@pulumi-togetherai/togetherai";

export = async () => {
    const config = new pulumi.Config();

    const repair = new togetherai.ClusterRepair("repair", {
        clusterId: config.require("cluster"),
        // The first rule that fits a node decides.
        rules: [
            { name: "gpu-lost", when: { alerts: ["GpuFellOffBus"], xids: ["79", "74"] }, modes: ["HOST_AWARE"] },
            {
                name: "xid",
                when: { alerts: ["DmesgXidError"] },
                // A ladder: the next one if the node comes back within a day.
                modes: ["REBOOT_VM", "VM_ONLY", "HOST_AWARE"],
                within: "24h",
            },
            {
                name: "down",
                when: { statuses: ["NotReady", "Failed"], unhealthyFor: "15m" },
                modes: ["REBOOT_VM", "HOST_AWARE"],
            },
            { name: "failed", when: { lastOutcome: ["FAILED"] }, modes: ["VM_ONLY", "HOST_AWARE"] },
            { name: "rest", when: { proposed: true }, action: togetherai.Action.Leave },
        ],
        maxConcurrent: 2,
        // More than that has a cause of its own: start nothing, fail, and let a person look.
        maxUnhealthy: "50%",
        maxAttempts: 3,
        cooldown: "30m",
    });

    return { plan: repair.plan, states: repair.states, leftToPeople: repair.leftToPeople };
};
