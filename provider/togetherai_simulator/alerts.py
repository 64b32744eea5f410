"""Faults of GPU nodes: the alerts that they raise, and the remediation that the platform proposes for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Literal

from pulumi_resource_togetherai.api.enums import AlertSeverity, RemediationMode
from pulumi_resource_togetherai.api.models import (
    AlertAnnotation,
    LinkedAlert,
    SlurmNodeUnavailableAnnotation,
    XidAnnotation,
    XidEvent,
)

FaultKind = Literal["gpu_lost", "thermal", "xid", "slurm_drain"]
"""What can be wrong with a node."""

XIDS = {
    "13": "ROBUST_CHANNEL_GR_EXCEPTION",
    "31": "ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT",
    "48": "ROBUST_CHANNEL_GPU_ECC_DBE",
    "74": "NVLINK_ERROR",
    "94": "ROBUST_CHANNEL_CONTAINED_ERROR",
    "95": "ROBUST_CHANNEL_UNCONTAINED_ERROR",
    "119": "GSP_RPC_TIMEOUT",
}
"""NVIDIA Xid codes that a reboot may fix, with the driver's mnemonics."""

SEVERITY = [
    RemediationMode.REBOOT_VM,
    RemediationMode.VM_ONLY,
    RemediationMode.HOST_POWER_CYCLE,
    RemediationMode.HOST_AWARE,
    RemediationMode.EVICT_WITHOUT_REPLACEMENT,
]
"""Modes from the gentlest to the harshest: a worse fault raises a waiting proposal's mode along this list."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault: how its alert describes it, and which mode the platform proposes."""

    alert_name: str
    title: str
    description: str
    mode: RemediationMode
    severity: AlertSeverity


FAULTS: dict[FaultKind, Fault] = {
    "gpu_lost": Fault(
        "GpuFellOffBus",
        "GPU has fallen off the bus",
        "The driver can no longer reach a GPU over PCIe. The host needs service.",
        RemediationMode.HOST_AWARE,
        AlertSeverity.CRITICAL,
    ),
    "thermal": Fault(
        "GpuThermalThrottling",
        "GPU is throttled by its temperature",
        "A GPU lowers its clocks because it is too hot. The host's cooling needs service.",
        RemediationMode.HOST_AWARE,
        AlertSeverity.WARNING,
    ),
    "xid": Fault(
        "DmesgXidError",
        "NVIDIA driver reported Xid errors",
        "The NVIDIA driver wrote Xid errors to the kernel log. Most are cured by a reboot.",
        RemediationMode.REBOOT_VM,
        AlertSeverity.CRITICAL,
    ),
    "slurm_drain": Fault(
        "SlurmNodeUnavailable",
        "Slurm node is drained",
        "Slurm has taken the node out of service and gives it no jobs.",
        RemediationMode.HOST_AWARE,
        AlertSeverity.WARNING,
    ),
}

ERROR_MESSAGES = (
    "timed out waiting for the node to join the cluster after 30m",
    "no healthy host available in the capacity pool",
    "drain failed: cannot evict pod training/worker-0: PodDisruptionBudget does not allow it",
    "VM provisioning failed: NVLink fabric manager did not become ready",
    "acceptance test failed: nccl all_reduce bandwidth 112 GB/s is below the threshold of 380 GB/s",
    "host did not answer on its BMC after the power cycle",
)
"""The error messages of failed remediations."""

SLURM_REASONS = (
    "Kill task failed",
    "Node unexpectedly rebooted",
    "health check: nvidia-smi timed out",
    "Not responding",
)


def fault_for(mode: RemediationMode | None, random: Random) -> FaultKind:
    """A fault for which the platform proposes `mode`; any fault if `mode` is None."""
    fitting: list[FaultKind] = [kind for kind, fault in FAULTS.items() if mode is None or fault.mode == mode]
    return random.choice(fitting) if fitting else "xid"


def raise_alert(
    kind: FaultKind, *, alert_id: str, cluster_id: str, instance_id: str, now: datetime, random: Random
) -> LinkedAlert:
    """The alert that a fault of this kind raises for the instance at `now`."""
    fault = FAULTS[kind]
    gpu = random.randrange(8)
    xid = slurm = None
    match kind:
        case "gpu_lost":
            event = XidEvent(xid_code="79", mnemonic="ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS", count=1)
            xid = XidAnnotation(events=[event])
            summary = f"Xid 79 on GPU {gpu} of {instance_id}"
        case "thermal":
            summary = f"GPU {gpu} of {instance_id} at {random.randint(88, 96)} °C"
        case "xid":
            codes = random.sample(sorted(XIDS), k=random.randint(1, 2))
            events = [XidEvent(xid_code=code, mnemonic=XIDS[code], count=random.randint(1, 40)) for code in codes]
            xid = XidAnnotation(events=events)
            summary = f"Xid {', '.join(codes)} on GPU {gpu} of {instance_id}"
        case "slurm_drain":
            slurm = SlurmNodeUnavailableAnnotation(reason=random.choice(SLURM_REASONS))
            summary = f"{instance_id} drained: {slurm.reason}"
    annotation = AlertAnnotation(
        title=fault.title,
        summary_line=summary,
        description=fault.description,
        xid=xid,
        slurm_node_unavailable=slurm,
    )
    return LinkedAlert(
        alert_name=fault.alert_name,
        annotation=annotation,
        annotations={"summary": fault.title, "description": fault.description, "evidence": summary},
        cluster_id=cluster_id,
        instance_id=instance_id,
        passive_health_check_alert_id=alert_id,
        severity=fault.severity,
        started_at=now,
        target_vm=instance_id,
    )
