// Repairs one GPU node. `pulumi preview` says what would happen; `pulumi up` does it and waits for its end.

import * as pulumi from "@pulumi/pulumi";
import * as togetherai from "@pulumi-togetherai/togetherai";

const config = new pulumi.Config();

const repair = new togetherai.Remediation("repair", {
    clusterId: config.require("cluster"),
    instanceId: config.require("instance"),
    mode: config.require("mode"),
    // Shown in the web console; the provider adds a marker with the name of the stack.
    reason: "declared with Pulumi",
    // The same node again, later? Change a trigger: nothing else runs a remediation a second time.
    triggers: { incident: "first" },
});

export const remediation = repair.remediationId;
export const state = repair.state;
