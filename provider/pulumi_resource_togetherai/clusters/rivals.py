"""Compares our remediation with the others that are active on its node and in its cluster, at every poll of a wait.

If another one came first and ours has not begun, ours is withdrawn (see `withdraw`). If it has begun, both continue and
the user is warned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import Active, Loss, Rules, precedence
from pulumi_resource_togetherai.clusters.report import Report


@dataclass
class Contest:
    """The rules that apply to one remediation of ours."""

    report: Report
    rules: Rules
    can_withdraw: bool = True
    """Whether the API still accepts the cancellation of a remediation in a cancellable state."""
    _warned: set[str] = field(default_factory=set[str])
    """The ids of the rivals that the user was warned of."""

    def has_changed(self, record: Remediation, active: Active) -> bool:
        """Whether there is something to judge: a rival that is new, or a loss."""
        if self.rules.one_per_node and any(rival.id not in self._warned for rival in active.rivals(record)):
            return True
        return self._loss(record, active) is not None

    async def evaluate(self, record: Remediation, active: Active) -> Loss | None:
        """Warns of new rivals. Returns why ours has to be withdrawn; None if it continues."""
        loss = self._loss(record, active)
        if loss is None and self.rules.one_per_node:
            for rival in active.rivals(record):
                if rival.id not in self._warned:
                    self._warned.add(rival.id)
                    await self._tell(record, rival)
        return loss

    def _loss(self, record: Remediation, active: Active) -> Loss | None:
        return self.rules.loss(record, active) if self.can_withdraw else None

    async def _tell(self, record: Remediation, rival: Remediation) -> None:
        if rival.cancellable and precedence(record) < precedence(rival):
            await self.report.warning(
                f"{messages.name(record)} came first, but the same node also has {messages.whose(rival)}. Unless "
                "that one is cancelled before it begins, the node is repaired twice"
            )
        else:
            await self.report.warning(
                f"the node is being repaired twice: {messages.name(record)}, which is {record.state} and cannot be "
                f"cancelled any more, runs at the same time as {messages.whose(rival)}"
            )
