"""The resources that carry out a plan: their names and inputs, and which remediations are theirs.

They are made of the API's records, so that a run that was killed is resumed by the next one: what is under way has the
same resource with the same inputs. `triggers` hold the id of the node's remediation that was the last one to end
before: so the same fault is repaired once, and the next one again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi_resource_togetherai.api.asked import folded
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.marker import Marker, token, unmarked
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.forms import PLUGIN
from pulumi_resource_togetherai.remediation.rules.identity import Identity, owner_of, program_of
from pulumi_resource_togetherai.remediation.rules.inputs import IfActive, RemediationInputs
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.repair.plan import Decision, Plan, Word
from pulumi_resource_togetherai.review.rules import inputs as review

REMEDIATION = "Remediation"
REVIEW = "RemediationReview"


@dataclass(frozen=True)
class Child:
    """A resource as the component declares it."""

    kind: str
    """REMEDIATION or REVIEW."""
    name: str
    inputs: dict[str, Any]
    """In camelCase."""


@dataclass(frozen=True)
class Component:
    """A ClusterRepair, by its URN, with what it declares."""

    urn: str
    inputs: ClusterRepairInputs

    def is_ours(self, record: Remediation) -> bool:
        """Whether a remediation was started or approved by this component, as its marker says. Where a server cuts
        markers off, it counts as somebody else's, and nothing is started beside it."""
        started, approved = Marker.of(record), Marker.read(record.review_comment)
        return (started is not None and started.owner == self._owner(REMEDIATION, record.instance_id)) or (
            approved is not None and approved.owner == self._owner(REVIEW, record.instance_id)
        )

    def has_replaced(self, record: Remediation) -> bool:
        """Whether a proposal was rejected by this component to start another remediation in its place."""
        rejected = Marker.read(record.review_comment)
        return (
            record.state == RemediationState.CANCELLED
            and rejected is not None
            and rejected.owner == self._owner(REVIEW, record.instance_id)
            and rejected.declaration == _replacing(record)
        )

    def children(self, plan: Plan) -> list[tuple[Decision, list[Child]]]:
        """The resources of each decision, of which each one follows the one before it."""
        chosen = [one for one in plan.decisions if one.word is Word.CONTINUE or not self.inputs.paused]
        return [(decision, children) for decision in chosen if (children := self._of(decision))]

    def _of(self, decision: Decision) -> list[Child]:
        record = decision.record
        match decision.word:
            case Word.APPROVE if record is not None:
                return [self._approval(decision, record)]
            case Word.REJECT if record is not None:
                return [self._rejection(decision, record, token(folded(record.id)))]
            case Word.START:
                before = [self._rejection(decision, record, _replacing(record))] if record is not None else []
                reason = f"{decision.rule}: {decision.because}"
                return [*before, self._remediation(decision, decision.instance_id, reason, decision.after)]
            case Word.CONTINUE if record is not None:
                marker = Marker.of(record)
                if marker is not None and marker.owner == self._owner(REMEDIATION, record.instance_id):
                    return [self._started(decision, record)]
                comment = record.review_comment
                return [self._review(record, review.Decision.APPROVE, comment, expectedMode=record.mode.value)]
            case _:
                return []

    def _started(self, decision: Decision, record: Remediation) -> Child:
        """The child that has started a remediation. Times may be lacking, or a list may have lagged when it was
        started; so what had ended before is what its marker fits."""
        after = dict.fromkeys((decision.after, *decision.ended, ""))
        reason = unmarked(record.reason)
        children = [self._remediation(decision, record.instance_id, reason, each) for each in after]
        return next((child for child in children if self._has_started(child, record)), children[0])

    def _has_started(self, child: Child, record: Remediation) -> bool:
        identity = Identity(self._urn(child.kind, child.name), RemediationInputs.model_validate(child.inputs))
        own = identity.own(record)
        return own is not None and own.declared

    def _remediation(self, decision: Decision, instance_id: str, reason: str, after: str) -> Child:
        assert decision.mode is not None, "only what repairs has a remediation"
        inputs = {
            "clusterId": self.inputs.cluster_id,
            "instanceId": instance_id,
            "mode": decision.mode.value,
            "triggers": {"after": after},
            "reason": reason,
            "timeout": self.inputs.timeout,
            # Somebody may have begun since the plan was made: then their repair is waited for. The plan has seen that
            # nothing else ended within `cooldown`; so what has by now, ended since, and was of the same fault.
            "ifActive": IfActive.ADOPT.value,
            "ifRecent": IfRecent.FAIL.value,
            "recentWindow": self.inputs.cooldown,
        }
        return Child(REMEDIATION, self._name(instance_id), inputs | self._accepting)

    def _approval(self, decision: Decision, record: Remediation) -> Child:
        comment = self._marked(decision, record, token(folded(record.id)))
        other = {"mode": decision.mode.value} if decision.mode is not None and decision.mode != record.mode else {}
        return self._review(record, review.Decision.APPROVE, comment, expectedMode=record.mode.value, **other)

    def _rejection(self, decision: Decision, record: Remediation, declared: str) -> Child:
        comment = self._marked(decision, record, declared)
        return self._review(record, review.Decision.REJECT, comment, expectedMode=record.mode.value)

    def _review(self, record: Remediation, decided: review.Decision, comment: str | None, **more: str) -> Child:
        inputs = {
            "clusterId": self.inputs.cluster_id,
            "instanceId": record.instance_id,
            "remediationId": record.id,
            "decision": decided.value,
            "comment": comment,
            "timeout": self.inputs.timeout,
        }
        return Child(REVIEW, self._name(record.instance_id), inputs | more | self._accepting)

    @property
    def _accepting(self) -> dict[str, bool]:
        return {} if self.inputs.stop_on_failure else {"acceptFailure": True}

    def _marked(self, decision: Decision, record: Remediation, declared: str) -> str:
        """A review's comment with a marker at its end, by which the next run recognizes the review."""
        program, _ = program_of(self.urn)
        owner = self._owner(REVIEW, record.instance_id)
        marker = Marker.named(program, self._name(record.instance_id), 1, owner, declared)
        return f"{decision.rule}: {decision.because} {marker.text()}"

    def _name(self, instance_id: str) -> str:
        return f"{program_of(self.urn)[1]}-{folded(instance_id)}"

    def _owner(self, kind: str, instance_id: str) -> str:
        return owner_of(self._urn(kind, self._name(instance_id)))

    def _urn(self, kind: str, name: str) -> str:
        stack, project, kinds, _ = self.urn.split("::", 3)
        return "::".join((stack, project, f"{kinds}${PLUGIN}{kind}", name))


def _replacing(proposal: Remediation) -> str:
    """What the marker of a rejection declares that makes room for another remediation."""
    return token(f"replaced {folded(proposal.id)}")
