"""The clusters and their nodes, and how the API shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field

from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from togetherai_simulator.alerts import SEVERITY
from togetherai_simulator.settings import Behaviour

REPLACING_MODES = frozenset({RemediationMode.VM_ONLY, RemediationMode.HOST_AWARE})
"""Modes after which the node holds another VM, with another instance id."""

GPUS_PER_NODE = 8


class Breakage(BaseModel):
    """What is wrong with a node of which the platform proposes no repair: it does not work."""

    since: datetime
    cured_by: RemediationMode
    """The gentlest mode that helps. After a gentler one the node comes back as bad as it was."""


class FormerInstance(BaseModel):
    """An instance that a node held before, and the host that it was on."""

    instance_id: str
    host_name: str
    since: datetime
    until: datetime


class Node(BaseModel):
    """A place for a GPU worker VM. The VM in it, the instance, may change; the number identifies the node."""

    number: int
    host_name: str
    instance_id: str | None
    """The instance in it now; None after an eviction without replacement."""
    instance_ids: list[str]
    """Every instance it ever held, oldest first."""
    former: list[FormerInstance] = []
    """Those that are gone, oldest first."""
    since: datetime
    """When the present instance joined the cluster."""
    auto_remediation_enabled: bool = True
    behaviour: Behaviour = Field(default_factory=Behaviour)
    broken: Breakage | None = None
    faults: int = 0
    """How many random faults it has had so far."""
    next_fault: datetime | None = None
    last_end: datetime | None = None
    """When a remediation of it last ended."""

    @property
    def name(self) -> str:
        """The display name of its instance."""
        return f"node-{self.number}"


class Cluster(BaseModel):
    """A cluster: its nodes, and how many hosts it has used so far."""

    cluster_id: str
    number: int
    created: datetime
    hosts: int
    nodes: list[Node]

    def repair(self, node: Node, mode: RemediationMode, now: datetime) -> None:
        """Leaves the node as a remediation of this mode does."""
        if node.broken is not None and mode in SEVERITY[SEVERITY.index(node.broken.cured_by) :]:
            node.broken = None
        if mode not in REPLACING_MODES and mode != RemediationMode.EVICT_WITHOUT_REPLACEMENT:
            node.since = now
            return
        assert node.instance_id is not None
        left = FormerInstance(instance_id=node.instance_id, host_name=node.host_name, since=node.since, until=now)
        node.former = [*node.former, left]
        node.instance_id = None
        if mode in REPLACING_MODES:
            node.since = now
            node.instance_id = f"{node.instance_ids[0]}-r{len(node.instance_ids) + 1}"
            node.instance_ids.append(node.instance_id)
            node.behaviour = Behaviour()
        if mode == RemediationMode.HOST_AWARE:
            self.hosts += 1
            node.host_name = f"{self.cluster_id}-host-{self.hosts}"


def new_clusters(clusters: int, instances: int, now: datetime) -> list[Cluster]:
    """Clusters `cluster-1`.. with instances `cluster-1-node-1`.. on hosts `cluster-1-host-1`.."""
    since = now - timedelta(days=30)

    def node(cluster_id: str, number: int) -> Node:
        instance_id = f"{cluster_id}-node-{number}"
        host_name = f"{cluster_id}-host-{number}"
        return Node(
            number=number, host_name=host_name, instance_id=instance_id, instance_ids=[instance_id], since=since
        )

    return [
        Cluster(
            cluster_id=(cluster_id := f"cluster-{number}"),
            number=number,
            created=since,
            hosts=instances,
            nodes=[node(cluster_id, index) for index in range(1, instances + 1)],
        )
        for number in range(1, clusters + 1)
    ]


NODE_STATUS = {
    RemediationState.QUARANTINING: "Cordoning",
    RemediationState.QUARANTINED: "Cordoned",
    RemediationState.RUNNING: "NotReady",
}
"""The status of a node under repair. Every other node is Ready, unless it is broken."""


def node_answer(
    cluster: Cluster, node: Node, latest: dict[str, Any] | None, state: RemediationState | None
) -> dict[str, Any]:
    """A node as `GET /compute/clusters/{cluster_id}` shows it. `state` is that of its active remediation."""
    phases = [{"phase": "NODE_PHASE_RUNNING", "transition_time": node.since.isoformat()}]
    if node.broken is not None:
        failed = max(node.broken.since, node.since)
        phases.append({"phase": "NODE_PHASE_FAILED", "transition_time": failed.isoformat()})
    by_itself = "Ready" if node.broken is None else "NotReady"
    answer: dict[str, Any] = {
        "node_id": f"{cluster.cluster_id}-worker-{node.number}",
        "instance_id": node.instance_id,
        "host_name": node.host_name,
        "status": NODE_STATUS.get(state, by_itself) if state else by_itself,
        "num_cpu_cores": 192,
        "num_gpus": GPUS_PER_NODE,
        "memory_gib": 1800,
        "ephemeral_storage": "1Ti",
        "ib_hca_count": 8,
        "ib_hca_type": "ConnectX-7",
        "nvswitch_count": 4,
        "nvswitch_type": "NVSwitch 3",
        "networks": [f"10.{cluster.number}.{node.number // 250}.{node.number % 250 + 1}"],
        "phase_transitions": phases,
        "auto_remediation_enabled": node.auto_remediation_enabled,
        "slurm_worker_hostname": f"{cluster.cluster_id}-slurm-{node.number}",
        "marked_for_deletion": False,
    }
    return answer | ({"latest_remediation": latest} if latest else {})


def deleted_node_answer(
    cluster: Cluster, node: Node, former: FormerInstance, latest: dict[str, Any] | None
) -> dict[str, Any]:
    """A node as it was with an instance that is gone, as `GET /compute/clusters/{cluster_id}` shows it."""
    as_it_was = {"instance_id": former.instance_id, "host_name": former.host_name, "since": former.since}
    answer = node_answer(cluster, node.model_copy(update=as_it_was | {"broken": None}), latest, None)
    return answer | {"status": "Deleted", "deleted_at": former.until.isoformat()}


def cluster_answer(
    cluster: Cluster, nodes: list[dict[str, Any]], deleted_nodes: list[dict[str, Any]]
) -> dict[str, Any]:
    """A cluster as `GET /compute/clusters/{cluster_id}` shows it, with every field that the vendor requires."""
    gpus = GPUS_PER_NODE * len(cluster.nodes)
    created = cluster.created.isoformat()
    return {
        "cluster_id": cluster.cluster_id,
        "cluster_name": f"training-{cluster.number}",
        "cluster_type": "SLURM",
        "status": "Ready" if all(node["status"] == "Ready" for node in nodes) else "Degraded",
        "billing_type": "RESERVED",
        "region": "us-central-8",
        "project_id": "simulator",
        "gpu_type": "H100_SXM",
        "num_gpus": gpus,
        "num_reserved_gpus": gpus,
        "num_capacity_pool_gpus": 0,
        "num_cpu_workers": 0,
        "allocated_preemptible_gpus": 0,
        "desired_preemptible_gpus": 0,
        "nvidia_driver_version": "570.148.08",
        "cuda_version": "12.8",
        "kube_config": "",
        "created_at": created,
        "first_ready_at": created,
        "control_plane_ready": True,
        "add_ons": [],
        "control_plane_nodes": [
            {
                "node_id": f"{cluster.cluster_id}-control-1",
                "host_name": f"{cluster.cluster_id}-control-host-1",
                "status": "Ready",
                "num_cpu_cores": 16,
                "memory_gib": 64,
                "network": f"10.{cluster.number}.255.1",
                "phase_transitions": [{"phase": "NODE_PHASE_RUNNING", "transition_time": created}],
            }
        ],
        "gpu_worker_nodes": nodes,
        "deleted_gpu_worker_nodes": deleted_nodes,
        "phase_transitions": [{"phase": "CLUSTER_PHASE_READY", "transition_time": created}],
        "volumes": [
            {
                "volume_id": f"{cluster.cluster_id}-volume",
                "volume_name": f"shared-{cluster.number}",
                "size_tib": 10,
                "status": "Ready",
            }
        ],
    }
