"""What the console page shows of the platform, as HTML. The page fetches it again whenever something has changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from itertools import islice

from pulumi_resource_togetherai.api.enums import CANCELLABLE_STATES, RemediationState
from pulumi_resource_togetherai.api.models import LinkedAlert
from pulumi_resource_togetherai.sanitize import sanitize
from togetherai_simulator.faults import FaultRule, Faults
from togetherai_simulator.fleet import NODE_STATUS, Cluster, Node
from togetherai_simulator.job import Job
from togetherai_simulator.platform import Platform
from togetherai_simulator.settings import Settings

SHOWN = 100
"""How many remediations the page shows: first those that have not ended, then the newest of the others."""


def render(platform: Platform, faults: Faults, cluster: Cluster) -> str:
    """The changing part of the page, for one cluster."""
    active = platform.active_jobs(cluster.cluster_id)[::-1]
    # Remediations that wait for approval come first.
    active.sort(key=lambda job: job.remediation.state != RemediationState.PENDING_APPROVAL)
    all_ended = (job for job in reversed(platform.jobs(cluster.cluster_id)) if job.remediation.terminal)
    ended = list(islice(all_ended, max(0, SHOWN - len(active))))
    return (
        f"{_clusters(platform, cluster)}{_faults(faults)}{_dialect(platform.settings)}"
        f'<div class="columns"><section aria-labelledby="nodes"><h2 id="nodes">Nodes</h2>{_nodes(cluster, active)}'
        f'</section><section aria-labelledby="remediations"><h2 id="remediations">Remediations</h2>'
        f"{_remediations(active[:SHOWN], ended)}</section></div>"
    )


def _clusters(platform: Platform, shown: Cluster) -> str:
    links: list[str] = []
    for cluster in platform.clusters.values():
        waiting = sum(
            job.remediation.state == RemediationState.PENDING_APPROVAL
            for job in platform.active_jobs(cluster.cluster_id)
        )
        current = ' aria-current="page"' if cluster is shown else ""
        count = f' <span class="count" title="waiting for approval">{waiting}</span>' if waiting else ""
        links.append(
            f'<a href="/?cluster={escape(cluster.cluster_id)}"{current}>{escape(cluster.cluster_id)}{count}</a>'
        )
    return f'<nav aria-label="Clusters">{"".join(links)}</nav>'


def _faults(faults: Faults) -> str:
    if not faults.rules:
        return ""
    rules = "".join(f"<li>{_fault(rule)}</li>" for rule in faults.rules)
    return (
        f'<section class="faults" role="status"><strong>Faults are on</strong><ul>{rules}</ul>'
        '<button id="clear-faults" data-do="clear-faults">Switch off</button></section>'
    )


def _dialect(settings: Settings) -> str:
    if not settings.spoken:
        return ""
    return f'<section class="dialect"><strong>The API speaks a dialect</strong>{render_spoken(settings)}</section>'


def render_spoken(settings: Settings) -> str:
    """The choices of the dialect in force that are not the default."""
    seed = settings.dialect.seed
    drawn = "" if seed is None else f"<li>drawn by the seed <code>{seed}</code></li>"
    choices = "".join(
        f"<li><b>{name}</b> <code>{escape(f'{value:g}' if isinstance(value, float) else str(value))}</code></li>"
        for name, value in settings.spoken.items()
    )
    return f"<ul>{drawn}{choices}</ul>"


def _fault(rule: FaultRule) -> str:
    target = "every operation" if rule.operation == "*" else rule.operation
    how = f", {rule.probability:.0%} of requests" if rule.probability < 1 else ""
    left = f", {rule.count} more" if rule.count else ""
    return f"<b>{rule.kind}</b> on {target}{how}{left}"


def _nodes(cluster: Cluster, active: list[Job]) -> str:
    by_instance = {job.remediation.instance_id: job for job in reversed(active)}
    rows = "".join(_node(cluster, node, by_instance.get(node.instance_id or "")) for node in cluster.nodes)
    return (
        "<table><thead><tr><th>Instance</th><th>Host</th><th>Status</th><th><span class=hidden>Action</span></th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _node(cluster: Cluster, node: Node, job: Job | None) -> str:
    if node.instance_id is None:
        return (
            f'<tr class="gone"><td>{escape(node.name)}</td><td>{escape(node.host_name)}</td>'
            "<td>evicted</td><td></td></tr>"
        )
    instance = escape(node.instance_id)
    status = NODE_STATUS.get(job.remediation.state, "Ready") if job else "Ready"
    return (
        f"<tr><td>{instance}</td><td>{escape(node.host_name)}</td><td>{_badge(status)}</td>"
        f'<td><button id="start-{instance}" data-do="start" data-cluster="{escape(cluster.cluster_id)}" '
        f'data-instance="{instance}" aria-label="Act on {instance}">Act …</button></td></tr>'
    )


def _badge(state: str) -> str:
    text = {"NotReady": "Not ready"}.get(state) or state.replace("_", " ").capitalize()
    return f'<span class="badge {escape(state.lower())}">{_text(text)}</span>'


def _remediations(active: list[Job], ended: list[Job]) -> str:
    if not active and not ended:
        return (
            '<p class="empty">None yet. Start one with <b>Act …</b> beside a node, '
            "with <code>pulumi up</code>, or with any client of the API.</p>"
        )
    return "".join(_remediation(job) for job in [*active, *ended])


def _remediation(job: Job) -> str:
    record = job.remediation
    age = ""
    if record.create_time and record.end_time:
        age = f"took {_duration(record.end_time - record.create_time)}, ended {_since(record.end_time)} ago"
    elif record.create_time:
        age = f"{_since(record.create_time)} old"
    error = f'<p class="error">{_text(record.error_message)}</p>' if record.error_message else ""
    review = ""
    if record.reviewed_by:
        comment = f": {_text(record.review_comment)}" if record.review_comment else ""
        review = f"<p>Reviewed by {_text(record.reviewed_by)}{comment}</p>"
    return (
        f'<article class="{"ended" if record.terminal else "active"}"><header>{_badge(record.state)}'
        f"<h3>{escape(record.instance_id)}</h3><span>{_text(record.mode.short)}</span><small>{age}</small></header>"
        f"{_reason(record.reason)}{error}{''.join(_alert(alert) for alert in record.linked_alerts or ())}{review}"
        f'{_actions(job)}<details id="details-{escape(record.id)}"><summary>Timeline</summary>'
        f"{_timeline(job)}<p><code>{escape(record.id)}</code></p></details></article>"
    )


def _text(text: str) -> str:
    """Text from a request as HTML, escaped: the browser shows it and runs nothing of it."""
    return escape(sanitize(text))


def _since(time: datetime) -> str:
    """How long ago a time is. The page's script keeps it up to date."""
    return f'<time data-since="{time.isoformat()}"></time>'


def _reason(reason: str | None) -> str:
    return f"<p>{_text(reason)}</p>" if reason else ""


def _alert(alert: LinkedAlert) -> str:
    state = "resolved" if alert.resolved_at else "firing"
    summary = alert.annotation.summary_line if alert.annotation else ""
    return f'<p class="alert {state}"><b>{_text(alert.alert_name)}</b> {_text(summary)} <small>{state}</small></p>'


def _actions(job: Job) -> str:
    record = job.remediation
    possible: list[str] = []
    if record.state == RemediationState.PENDING_APPROVAL:
        possible = ["approve", "reject"]
    if record.state in CANCELLABLE_STATES:
        possible.append("cancel")
    main = {"approve": " class=main"}
    buttons = "".join(
        f'<button id="{action}-{escape(record.id)}"{main.get(action, "")} data-do="{action}" '
        f'data-cluster="{escape(record.cluster_id)}" '
        f'data-instance="{escape(record.instance_id)}" data-remediation="{escape(record.id)}" '
        f'data-mode="{_text(record.mode.short)}">{action.capitalize()}</button>'
        for action in possible
    )
    return f'<div class="actions">{buttons}</div>' if buttons else ""


def _timeline(job: Job) -> str:
    moments: list[str] = []
    before: datetime | None = None
    for moment in job.timeline:
        later = f" +{_duration(moment.time - before)}" if before else ""
        note = f" · {_text(moment.note)}" if moment.note else ""
        moments.append(f"<li><code>{moment.time:%H:%M:%S}</code>{later} <b>{_text(moment.state)}</b>{note}</li>")
        before = moment.time
    return f"<ol>{''.join(moments)}</ol>"


def _duration(duration: timedelta) -> str:
    """A duration in short: 45 s, 12 min, 3 h."""
    seconds = duration.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
