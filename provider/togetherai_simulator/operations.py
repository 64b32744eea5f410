"""The API's operations: each reads a request, calls the platform and builds the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pulumi_resource_togetherai.api.enums import RemediationState
from togetherai_simulator.access import AccessKey
from togetherai_simulator.bodies import ApproveBody, CreateBody, ReviewBody, read_body
from togetherai_simulator.dialect import Dialect, RefusedId
from togetherai_simulator.errors import Refusal, invalid_argument, refused_with
from togetherai_simulator.fleet import Cluster, Node, cluster_answer, deleted_node_answer, node_answer
from togetherai_simulator.job import Job
from togetherai_simulator.listing import page, parse_query
from togetherai_simulator.platform import Platform
from togetherai_simulator.replicas import Replica
from togetherai_simulator.settings import Settings
from togetherai_simulator.world import ALL

ID_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""An id that is a UUID, in any case."""
REMEDIATION_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}")
"""What a client may send as `remediation_id`. It can become part of a URL path, so it must not be `.` or `..`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as far as an operation needs it."""

    path: dict[str, str]
    query: str
    content_type: str
    body: bytes
    key: AccessKey


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answers."""

    body: bytes
    effect: str | None = None
    """What the request changed, for the journal."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"
    """Empty if there is no body."""


Handler = Callable[[Platform, Call], Answer]


def create(platform: Platform, call: Call) -> Answer:
    """Starts a remediation, which goes directly to PENDING."""
    key = _remediation_id(call.query, platform.settings)
    body = read_body(CreateBody, call.body, call.content_type)
    job, created = platform.create(
        call.path["cluster_id"],
        call.path["instance_id"],
        mode=body.mode,
        reason=body.reason,
        key=key,
        requested_by=call.key.user,
    )
    return Answer(job.answer, "created" if created else "replayed")


def _remediation_id(query: str, settings: Settings) -> str | None:
    key: str | None = None
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in ("remediation_id", "remediationId"):
            raise invalid_argument(name, "no such query parameter; there is remediation_id")
        if settings.idempotency == "refuse":
            raise _refused_id(name, settings.dialect.refused_id)
        if key is not None:
            raise invalid_argument(name, "given more than once")
        if not REMEDIATION_ID.fullmatch(value):
            raise invalid_argument(name, "must be 1 to 128 letters, digits or any of -._~")
        key = value
    return key


def _refused_id(name: str, wording: RefusedId) -> Refusal:
    match wording:
        case "named":
            return invalid_argument(name, "no such query parameter")
        case "bare":
            return Refusal("INVALID_ARGUMENT", "", bare=f"unknown query parameter {name}")
        case "unnamed":
            return Refusal("INVALID_ARGUMENT", "", bare="Bad Request")


def get(platform: Platform, call: Call) -> Answer:
    """Returns a remediation."""
    no_query(call)
    replica = platform.replica(platform.settings.dialect.get_lag)
    return Answer(replica.job(*_named(platform, call)).answer)


def list_remediations(platform: Platform, call: Call) -> Answer:
    """Lists the remediations of an instance, or of the whole cluster if the instance is `-`, newest first."""
    cluster_id, instance_id = call.path["cluster_id"], call.path["instance_id"]
    jobs = platform.replica(platform.settings.dialect.list_lag).jobs(cluster_id, instance_id)
    query = parse_query(call.query, platform.settings)
    return Answer(page(jobs, query, f"{cluster_id}/{instance_id}", platform.settings, platform.now))


def approve(platform: Platform, call: Call) -> Answer:
    """Approves a proposed remediation, in another mode if you give one: it goes to PENDING."""
    no_query(call)
    body = read_body(ApproveBody, call.body, call.content_type)
    job = _job(platform, call)
    platform.approve(job, by=call.key.user, comment=body.comment, mode=body.mode)
    return Answer(job.answer, "approved")


def reject(platform: Platform, call: Call) -> Answer:
    """Rejects a proposed remediation: it goes to CANCELLED."""
    no_query(call)
    body = read_body(ReviewBody, call.body, call.content_type)
    job = _job(platform, call)
    platform.reject(job, by=call.key.user, comment=body.comment)
    return Answer(job.answer, "rejected")


def cancel(platform: Platform, call: Call) -> Answer:
    """Cancels a remediation that is PENDING_APPROVAL or PENDING."""
    no_query(call)
    job = _job(platform, call)
    platform.cancel(job, by=call.key.user)
    return Answer(job.answer, "cancelled")


def get_cluster(platform: Platform, call: Call) -> Answer:
    """Returns a cluster and its nodes."""
    no_query(call)
    cluster = platform.cluster(call.path["cluster_id"])
    return Answer(json.dumps(describe(_replica_of_clusters(platform), cluster)).encode())


def list_clusters(platform: Platform, call: Call) -> Answer:
    """Lists the clusters that the API key may see."""
    no_query(call)
    replica = _replica_of_clusters(platform)
    clusters = [
        describe(replica, cluster)
        for cluster in platform.clusters.values()
        if call.key.clusters is None or cluster.cluster_id in call.key.clusters
    ]
    return Answer(json.dumps({"clusters": clusters}).encode())


def whoami(platform: Platform, call: Call) -> Answer:
    """Returns the owner of the API key. The vendor's command line asks for this before anything else."""
    no_query(call)
    answer = {
        "type": "project_api_key",
        "api_key": {"id": call.key.user},
        "organization": {"id": "simulator", "name": "simulator"},
        "project": {"id": "simulator", "name": "simulator", "slug": "simulator"},
    }
    return Answer(json.dumps(answer).encode())


def no_query(call: Call) -> None:
    """400 if a request has query parameters: the operation takes none."""
    for name, _ in parse_qsl(call.query, keep_blank_values=True) if call.query else ():
        raise invalid_argument(name, "this operation takes no query parameters")


def _job(platform: Platform, call: Call) -> Job:
    return platform.job(*_named(platform, call))


def _named(platform: Platform, call: Call) -> tuple[str, str, str]:
    """The cluster, the instance and the remediation in the path."""
    remediation_id = call.path["remediation_id"]
    if platform.settings.dialect.id_case == "upper" and ID_UUID.fullmatch(remediation_id):
        remediation_id = remediation_id.lower()
    return call.path["cluster_id"], call.path["instance_id"], remediation_id


def check_served(platform: Platform, operation: Operation, path: dict[str, str]) -> None:
    """Refuses a path that the API does not serve, in the dialect in force."""
    dialect = platform.settings.dialect
    instance_id = path.get("instance_id")
    if instance_id == ALL and operation.name == "list" and dialect.wildcard != "served":
        raise refused_with(dialect.wildcard, f"instance {ALL} cannot be listed")
    if instance_id not in (None, ALL) and (dialect.replaced == "all_404" or _list_404(operation, dialect)):
        # Raises if the instance is no longer there.
        platform.node(path["cluster_id"], instance_id)


def _list_404(operation: Operation, dialect: Dialect) -> bool:
    return dialect.replaced == "list_404" and operation.name == "list"


def _replica_of_clusters(platform: Platform) -> Replica:
    return platform.replica(platform.settings.dialect.cluster_lag)


def describe(replica: Replica, cluster: Cluster) -> dict[str, Any]:
    """A cluster as the API shows it."""
    active = {job.remediation.instance_id: job.remediation.state for job in replica.active_jobs(cluster.cluster_id)}
    nodes = [
        _describe_node(replica, cluster, node, active)
        for node in replica.nodes(cluster)
        if node.instance_id is not None
    ]
    deleted_nodes = [
        deleted_node_answer(cluster, node, former, _latest(replica, cluster, [former.instance_id]))
        for node in replica.nodes(cluster)
        for former in node.former
    ]
    return cluster_answer(cluster, nodes, deleted_nodes)


def _describe_node(
    replica: Replica, cluster: Cluster, node: Node, active: dict[str, RemediationState]
) -> dict[str, Any]:
    latest = _latest(replica, cluster, node.instance_ids)
    return node_answer(cluster, node, latest, active.get(node.instance_id or ""))


def _latest(replica: Replica, cluster: Cluster, instance_ids: Iterable[str]) -> dict[str, Any] | None:
    latest: Job | None = None
    for instance_id in instance_ids:
        if jobs := replica.jobs(cluster.cluster_id, instance_id):
            latest = jobs[-1]
    return latest and json.loads(latest.answer)


@dataclass(frozen=True)
class Operation:
    """An operation with its method and path."""

    name: str
    method: str
    path: str
    handler: Handler


API_ROOT = "/v1"
"""Where the API of the clusters begins, as on the real service."""

_CLUSTERS = f"{API_ROOT}/compute/clusters"
_CLUSTER = f"{_CLUSTERS}/{{cluster_id}}"
_REMEDIATIONS = f"{_CLUSTER}/instances/{{instance_id}}/remediations"
_REMEDIATION = f"{_REMEDIATIONS}/{{remediation_id}}"

OPERATIONS = (
    Operation("create", "POST", _REMEDIATIONS, create),
    Operation("list", "GET", _REMEDIATIONS, list_remediations),
    Operation("get", "GET", _REMEDIATION, get),
    Operation("approve", "POST", f"{_REMEDIATION}/approve", approve),
    Operation("reject", "POST", f"{_REMEDIATION}/reject", reject),
    Operation("cancel", "POST", f"{_REMEDIATION}/cancel", cancel),
    Operation("get_cluster", "GET", _CLUSTER, get_cluster),
    Operation("list_clusters", "GET", _CLUSTERS, list_clusters),
    Operation("whoami", "GET", "/v3/whoami", whoami),
)
"""Every operation of the API."""
