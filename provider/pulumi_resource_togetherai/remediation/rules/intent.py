"""Whether the user asked for another attempt of a remediation, after the one that is there."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.remediation.rules.identity import Own
from pulumi_resource_togetherai.remediation.rules.state import State


@dataclass(frozen=True)
class Intent:
    """What the user asked for. Nothing else makes a remediation run that has run already."""

    replace: bool = False
    """Whether the command line says `--replace`."""
    replaced: State | None = None
    """What Diff decided in this process to replace; None if nothing."""
    another: bool = True
    """Whether it takes another one to replace that. What Diff did not know yet counted as changed. If it turns out to
    be as it was, only what the delete has cancelled has to run again."""

    def another_after(self, last: Own) -> bool:
        """Whether to run another attempt after the last one, which is of what is declared now.

        An attempt that came after what Diff replaces is the answer to that already: a run that was killed before the
        stack was saved has started it. Until the replacement is complete, Diff says the same in every run.
        """
        return self.replace or (self.another and self.replaced is not None and not _answers(last, self.replaced))

    def another_than(self, record: Remediation) -> bool:
        """Whether to run one that is not this, which somebody else started and the stack may hold."""
        return self.replace or (self.another and self.replaced is not None and self.replaced.record.id == record.id)


def _answers(last: Own, replaced: State) -> bool:
    if last.record.id == replaced.record.id:
        return False
    if replaced.attempt is not None:
        return last.attempt >= replaced.attempt
    # What was adopted or imported has no number. Where a time is unknown nothing is started.
    created, before = last.record.create_time, replaced.record.create_time
    return created is None or before is None or created >= before
