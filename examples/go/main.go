// Power-cycles the host of one GPU node, unless somebody is repairing it already, and shows what became of it.
package main

import (
	"github.com/pulumi-togetherai/pulumi-togetherai/sdk/go/togetherai"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(repair)
}

func repair(ctx *pulumi.Context) error {
	settings := config.New(ctx, "")
	remediation, err := togetherai.NewRemediation(ctx, "node-2", &togetherai.RemediationArgs{
		ClusterId:  pulumi.String(settings.Require("cluster")),
		InstanceId: pulumi.String(settings.Require("instance")),
		Mode:       togetherai.RemediationModeHostPowerCycle,
		Reason:     pulumi.String("INC-1046: GPU 3 fell off the bus"),
		// What has begun is not waited for when the resource is removed from the program.
		DeleteWhileRunning: togetherai.DeleteWhileRunningAbandon,
	})
	if err != nil {
		return err
	}
	ctx.Export("remediation", remediation.RemediationId)
	ctx.Export("state", remediation.State)
	ctx.Export("ended", remediation.EndTime)
	return nil
}
