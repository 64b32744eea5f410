"""The API's messages as pydantic models: the one definition of every field that comes from the API.

Field names are the API's (snake_case); the aliases are the same names as Pulumi writes them (camelCase), so one
model reads an answer and writes a resource's outputs. Fields that a newer server adds are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.api.enums import (
    CANCELLABLE_STATES,
    TERMINAL_STATES,
    AlertSeverity,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)
from pulumi_resource_togetherai.api.plausible import SKEW, is_unset, plausible_time

__all__ = [
    "AlertAnnotation",
    "Cluster",
    "ClusterList",
    "GpuWorkerNode",
    "LinkedAlert",
    "PhaseTransition",
    "Remediation",
    "RemediationPage",
    "SlurmNodeUnavailableAnnotation",
    "XidAnnotation",
    "XidEvent",
]


class ApiModel(BaseModel):
    """Base of every message: open to new fields, readable under the API's and under Pulumi's names, and tolerant.

    A value that means unset counts as absent, and a value that cannot be read is left out, so that one odd field, node
    or alert hides nothing else. Only what a model requires has to be there.
    """

    model_config = ConfigDict(
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
        defer_build=True,
        coerce_numbers_to_str=True,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _tolerantly(cls, message: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(message, dict):
            return read(message)
        fields = {name: value for name, value in cast(dict[str, Any], message).items() if not is_unset(value)}
        try:
            return read(fields)
        except ValidationError as error:
            return read(_without_what_is_odd(cls, fields, error))

    @field_validator(
        "create_time",
        "start_time",
        "end_time",
        "update_time",
        "review_time",
        "started_at",
        "resolved_at",
        "transition_time",
        "deleted_at",
        check_fields=False,
    )
    @classmethod
    def _plausible(cls, time: datetime | None) -> datetime | None:
        return None if time is None else plausible_time(time)


def _without_what_is_odd(model: type[BaseModel], fields: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """The fields that can be read. Of a list, the items that can be read stay."""
    spelled = {str(field.alias): name for name, field in model.model_fields.items()}
    kept, odd_items = dict(fields), dict[str, set[int]]()
    for path in (details["loc"] for details in error.errors(include_input=False, include_url=False)):
        for name in (str(path[0]), spelled.get(str(path[0]), "")) if path else ():
            if isinstance(fields.get(name), list) and len(path) > 1:
                odd_items.setdefault(name, set()).add(int(path[1]))
            else:
                kept.pop(name, None)
    for name, indices in odd_items.items():
        kept[name] = [item for index, item in enumerate(fields[name]) if index not in indices]
    return kept


class XidEvent(ApiModel):
    """One NVIDIA Xid code seen during an alert."""

    xid_code: str = ""
    """The NVIDIA Xid code, such as `79`."""
    mnemonic: str = ""
    """The driver's mnemonic for the code, where known."""
    count: int = 0
    """How often the code appeared during the alert."""


class XidAnnotation(ApiModel):
    """What a DmesgXidError alert reports."""

    events: list[XidEvent] = Field(default_factory=list[XidEvent])
    """The Xid codes seen during the alert."""


class SlurmNodeUnavailableAnnotation(ApiModel):
    """What an alert about an unavailable Slurm node reports."""

    reason: str = ""
    """The drain reason of the Slurm node."""


class AlertAnnotation(ApiModel):
    """What an alert says, parsed by the API."""

    title: str = ""
    """The alert's title."""
    summary_line: str = ""
    """One line about this occurrence of the alert."""
    description: str = ""
    """A general explanation of the alert."""
    xid: XidAnnotation | None = None
    """Set for DmesgXidError alerts."""
    slurm_node_unavailable: SlurmNodeUnavailableAnnotation | None = None
    """Set for alerts about an unavailable Slurm node."""


class LinkedAlert(ApiModel):
    """A passive health check alert linked to a remediation, resolved ones included."""

    alert_name: str = ""
    """The Alertmanager name of the alert, such as `DmesgXidError`."""
    annotation: AlertAnnotation | None = None
    """What the alert says, parsed."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """The Alertmanager annotations as they came."""
    cluster_id: str = ""
    """The cluster that the alert is about."""
    instance_id: str | None = None
    """The instance that the alert is about; unset until the platform has linked the two."""
    node_remediation_intent_id: str | None = None
    """The remediation intent attached to the alert, if any."""
    passive_health_check_alert_id: str = ""
    """The alert's id (a UUID)."""
    severity: AlertSeverity | None = None
    """How serious the alert is."""
    started_at: datetime | None = None
    """When the alert first fired."""
    resolved_at: datetime | None = None
    """When the alert was resolved; unset while it fires."""
    target_vm: str = ""
    """The name of the VM that the alert is about."""


class Remediation(ApiModel):
    """A remediation: the repair of one GPU worker node, as the API records it."""

    id: str
    """The remediation's id."""
    cluster_id: str
    """The cluster of the node."""
    instance_id: str
    """The instance (a GPU worker node's VM) that is repaired."""
    instance_name: str | None = None
    """The display name of the instance."""
    mode: RemediationMode
    """How the node is repaired."""
    trigger: RemediationTrigger
    """What started the remediation."""
    state: RemediationState
    """Where the remediation is in its lifecycle."""
    reason: str | None = None
    """Why it was requested; ends in the marker of the program that requested it, if there is one."""
    requested_by: str | None = None
    """Who requested it."""
    reviewed_by: str | None = None
    """Who approved or rejected it."""
    review_time: datetime | None = None
    """When it was approved or rejected."""
    review_comment: str | None = None
    """What the reviewer wrote."""
    create_time: datetime | None = None
    """When it was created."""
    start_time: datetime | None = None
    """When the platform began to carry it out."""
    end_time: datetime | None = None
    """When it ended."""
    update_time: datetime | None = None
    """When its record last changed."""
    error_message: str | None = None
    """Why it failed."""
    active_health_check_run_id: str | None = None
    """The active health check run (a UUID) that triggered it."""
    passive_health_check_event_id: str | None = None
    """The passive health check event that triggered it."""
    linked_alerts: list[LinkedAlert] | None = None
    """The passive health check alerts linked to it, resolved ones included."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """A time before one that has to come first is read as unset."""
        if self.start_time and self.create_time and self.start_time < self.create_time - SKEW:
            self.start_time = None
        begun = self.start_time or self.create_time
        if self.end_time and begun and self.end_time < begun - SKEW:
            self.end_time = None
        return self

    @property
    def terminal(self) -> bool:
        """Whether it has ended. A state this version does not know counts as ended once `end_time` is set."""
        return self.state in TERMINAL_STATES or (not self.state.known and self.end_time is not None)

    @property
    def cancellable(self) -> bool:
        """Whether the API accepts a cancel in its state."""
        return self.state in CANCELLABLE_STATES


class RemediationPage(ApiModel):
    """One page of a list of remediations (the API's ListRemediationsResponse)."""

    remediations: list[Remediation] = Field(default_factory=list[Remediation])
    """The remediations of this page."""
    has_next: bool = False
    """Whether another page follows."""
    next_page_token: str | None = None
    """The token of the next page."""


class PhaseTransition(ApiModel):
    """When a node entered a phase of its lifecycle."""

    phase: str = ""
    """The phase, such as `NODE_PHASE_RUNNING`."""
    transition_time: datetime | None = None
    """When it began."""


class GpuWorkerNode(ApiModel):
    """A GPU worker node of a cluster."""

    node_id: str = ""
    """The node's id in the cluster."""
    host_name: str = ""
    """The node's host name."""
    instance_id: str | None = None
    """The id of the instance (VM) that is in the node: the `instanceId` of a remediation."""
    status: str = ""
    """The node's status as the platform reports it."""
    auto_remediation_enabled: bool | None = None
    """Whether the platform proposes remediations for the node."""
    latest_remediation: Remediation | None = None
    """The node's newest remediation."""
    marked_for_deletion: bool | None = None
    """Whether the operator has marked the node for deletion."""
    deleted_at: datetime | None = None
    """When the node left the cluster."""
    phase_transitions: list[PhaseTransition] = Field(default_factory=list[PhaseTransition])
    """The phases of the node's lifecycle so far."""
    slurm_worker_hostname: str | None = None
    """The node's host name in Slurm."""
    networks: list[str] = Field(default_factory=list[str])
    """The node's addresses in the cluster's networks."""
    public_ipv4: str | None = None
    """The node's public IPv4 address."""
    num_gpus: int | None = None
    """How many GPUs it has."""
    num_cpu_cores: int | None = None
    """How many CPU cores it has."""
    memory_gib: float | None = None
    """Its memory, in GiB."""
    ephemeral_storage: str | None = None
    """The size of its ephemeral storage, such as `1Ti`."""
    ib_hca_count: int | None = None
    """How many InfiniBand HCAs it has."""
    ib_hca_type: str | None = None
    """The type of its InfiniBand HCAs."""
    nvswitch_count: int | None = None
    """How many NVSwitches it has."""
    nvswitch_type: str | None = None
    """The type of its NVSwitches."""


class Cluster(ApiModel):
    """A GPU cluster with its worker nodes."""

    cluster_id: str
    """The cluster's id."""
    cluster_name: str = ""
    """The cluster's name."""
    status: str = ""
    """The cluster's status as the platform reports it."""
    gpu_worker_nodes: list[GpuWorkerNode] = Field(default_factory=list[GpuWorkerNode])
    """The cluster's GPU worker nodes."""
    deleted_gpu_worker_nodes: list[GpuWorkerNode] = Field(default_factory=list[GpuWorkerNode])
    """GPU worker nodes that have left the cluster, such as those whose VM a repair replaced."""


class ClusterList(ApiModel):
    """The clusters of an account (the API's answer to GET /compute/clusters)."""

    clusters: list[Cluster] = Field(default_factory=list[Cluster])
    """The clusters that the API key may see, in the API's order."""


class RpcStatus(ApiModel):
    """The body of an error (google.rpc.Status)."""

    code: int = 2
    """The google.rpc.Code of the error."""
    message: str = ""
    """What went wrong."""
    details: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    """Further messages, each with its type under `@type`."""
