"""Whether a rule fits a node."""

from __future__ import annotations

import re

from pulumi_resource_togetherai.api.enums import AlertSeverity
from pulumi_resource_togetherai.api.models import LinkedAlert
from pulumi_resource_togetherai.functions.health import Health, compared
from pulumi_resource_togetherai.repair.rules import When
from pulumi_resource_togetherai.repair.seen import Seen

_SERIOUSNESS = (AlertSeverity.INFO, AlertSeverity.WARNING, AlertSeverity.CRITICAL)


def fits(when: When, seen: Seen) -> bool:
    """Whether everything that a rule names applies to a node, but for how long it has been unhealthy."""
    proposal = seen.proposal
    if when.proposed is not None and when.proposed is not (proposal is not None):
        return False
    if when.proposed_modes and (proposal is None or proposal.mode not in when.proposed_modes):
        return False
    if when.last_outcome and (not seen.ended or seen.ended[0].state not in when.last_outcome):
        return False
    return _status_fits(when, seen) and _alerts_fit(when, seen)


def _status_fits(when: When, seen: Seen) -> bool:
    if when.statuses:
        status = compared(seen.node.status) if seen.node else ""
        return bool(status) and any(status == compared(word) for word in when.statuses)
    return when.unhealthy_for is None or seen.health is Health.UNHEALTHY


def _alerts_fit(when: When, seen: Seen) -> bool:
    if not (when.alerts or when.xids or when.slurm_reasons or when.severity):
        return True
    return any(_is_serious(alert, when.severity) and _names_the_fault(alert, when) for alert in seen.alerts)


def _is_serious(alert: LinkedAlert, least: AlertSeverity | None) -> bool:
    """Whether an alert is at least this serious. A severity that this version does not know is not known to be."""
    return least is None or alert.severity in _SERIOUSNESS[_SERIOUSNESS.index(least) :]


def _names_the_fault(alert: LinkedAlert, when: When) -> bool:
    if not (when.alerts or when.xids or when.slurm_reasons):
        return True
    said = alert.annotation
    codes = {event.xid_code.strip() for event in said.xid.events} if said and said.xid else set[str]()
    reason = said.slurm_node_unavailable.reason if said and said.slurm_node_unavailable else None
    return (
        alert.alert_name in (when.alerts or ())
        or not codes.isdisjoint(when.xids or ())
        or (reason is not None and any(like(pattern, reason) for pattern in when.slurm_reasons or ()))
    )


def like(pattern: str, text: str) -> bool:
    """Whether a text is as a pattern says, in which `*` stands for any text. Case and spaces at the ends count for
    nothing."""
    first, *others = (re.escape(part) for part in pattern.strip().split("*"))
    if not others:
        return re.fullmatch(first, text.strip(), re.IGNORECASE) is not None
    # Each part is taken where it first occurs, for good: what a server says costs no more than its length.
    *middle, last = others
    between = "".join(f"(?>.*?{part})" for part in middle)
    return re.fullmatch(f"{first}{between}.*{last}", text.strip(), re.IGNORECASE | re.DOTALL) is not None
