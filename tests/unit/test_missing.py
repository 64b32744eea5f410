"""What to write where an instance is none depends on where the program wrote it."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.rules.missing import no_such_instance

CLUSTER = Cluster.model_validate(
    {"cluster_id": "c1", "gpu_worker_nodes": [{"host_name": "Host-1", "instance_id": "i-1"}]}
)
DECLARED = RemediationInputs.model_validate({"clusterId": "c1", "instanceId": "host-1", "mode": "VM_ONLY"})


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        ("togetherai:index:Remediation", "write the name as `node`"),
        ("togetherai:index:RollingRemediation$togetherai:index:Remediation", "name the node under `nodes`"),
        ("my:index:RollingRemediationOfMine", "write the name as `node`"),
    ],
)
def test_the_input_that_takes_a_name_is_named(kind: str, instead: str):
    identity = Identity(f"urn:pulumi:prod::training::{kind}::fix", DECLARED)
    assert no_such_instance(identity, CLUSTER).endswith(f"whose instance is i-1 now. Write this id, or {instead}")
