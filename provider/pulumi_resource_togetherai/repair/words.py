"""Warnings of words that may mean nothing: in a policy, those that the API may not know; in the cluster, statuses that
this version does not know. The API documents few of its words, so no such word is an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from pulumi_resource_togetherai.api.models import Cluster, Remediation
from pulumi_resource_togetherai.clusters.nodes import nearest
from pulumi_resource_togetherai.functions.health import Health, compared, health, nearest_word, nodes_that_count
from pulumi_resource_togetherai.repair.rules import Policy
from pulumi_resource_togetherai.sanitize import quoted

ALERTS = frozenset({"DmesgXidError", "SmClockThermalThrottle"})
"""The names of alerts that the platform's documents name. There are others."""


def unknown_words(cluster: Cluster, records: Iterable[Remediation], policy: Policy) -> list[str]:
    """What to warn of, in the order of the policy."""
    alerts = {alert.alert_name for record in records for alert in record.linked_alerts or () if alert.alert_name}
    statuses = {compared(node.status): node.status for node in nodes_that_count(cluster) if node.status}
    return [
        *_in_the_policy(policy, ALERTS | alerts, statuses),
        *_in_the_cluster(cluster, policy),
    ]


def _in_the_policy(policy: Policy, alerts: Collection[str], statuses: Mapping[str, str]) -> Iterator[str]:
    for rule in policy.rules:
        where = f'rule "{quoted(rule.name)}"'
        for alert in rule.when.alerts or ():
            if alert not in alerts:
                yield (
                    f'{where}: no alert "{quoted(alert)}" is documented, and none has occurred in this cluster; the '
                    f"closest is {quoted(nearest(alert, alerts)[0])}"
                )
        for status in rule.when.statuses or ():
            if health(status) is Health.UNKNOWN and compared(status) not in statuses:
                close = nearest_word(status)
                hint = f"; did you mean {close}?" if close else ""
                yield f'{where}: no node has the status "{quoted(status)}", and it is none that is known{hint}'
        for mode in (*(rule.modes or ()), *(rule.when.proposed_modes or ())):
            if not mode.known:
                yield f"{where}: this version does not know the mode {quoted(mode)}; the API decides"


def _in_the_cluster(cluster: Cluster, policy: Policy) -> Iterator[str]:
    named = {compared(status) for rule in policy.rules for status in rule.when.statuses or ()}
    unknown = Counter(
        node.status
        for node in nodes_that_count(cluster)
        if health(node.status) is Health.UNKNOWN and not (node.status and compared(node.status) in named)
    )
    for status, number in sorted(unknown.items()):
        nodes = "1 node has" if number == 1 else f"{number} nodes have"
        what = f'the status "{quoted(status)}", which this version does not know' if status else "no status"
        yield f"{nodes} {what}: whether something is wrong is not known, and it is no reason to repair"
