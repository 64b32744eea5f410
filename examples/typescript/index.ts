// Replaces the VM of one GPU node on the same host, and shows what became of it.

import * as pulumi from "@pulumi/pulumi";
import * as togetherai from "@pulumi-togetherai/togetherai";

export = async () => {
    const config = new pulumi.Config();

    const repair = new togetherai.Remediation("node-2", {
        clusterId: config.require("cluster"),
        instanceId: config.require("instance"),
        mode: togetherai.RemediationMode.VmOnly,
        reason: "INC-1045: NCCL timeouts on this VM only",
        // A new value runs the remediation again; without one it never runs twice.
        triggers: { incident: "INC-1045" },
    });

    return { remediation: repair.remediationId, state: repair.state, ended: repair.endTime };
};
