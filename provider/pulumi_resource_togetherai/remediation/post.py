"""The POST, under every reading of its answer: after an unknown outcome look first; repeat only what is not there."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.errors import AlreadyExists, AnswerContradicts, ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.identity import Identity
from pulumi_resource_togetherai.remediation.run import RemediationError, Run

LONGEST_SETTLING = 5.0
"""How long, at most, to let a request of unknown outcome settle before looking what it did, in seconds."""


async def post(run: Run, identity: Identity, attempt: int) -> Remediation:
    """Starts this attempt, and returns it, or the remediation that turns out to be this attempt already.

    Raises RemediationError when the API refuses, or when nobody can tell what became of it.
    """
    inputs = identity.inputs
    tries = run.config.max_retries + 1
    for left in reversed(range(tries)):
        try:
            answer = await run.client.create_remediation(
                inputs.cluster_id,
                inputs.instance_id,
                mode=inputs.mode,
                reason=identity.marked_reason(attempt) if run.config.mark_reason else inputs.reason,
                remediation_id=identity.key(attempt),
            )
        except ApiError as error:
            if not error.maybe_took_effect:
                raise RemediationError(f"no remediation of {words.node(inputs)} was started: {error}") from error
            await run.report.status(f"{error}; looking whether the remediation was started")
            await asyncio.sleep(min(LONGEST_SETTLING, seconds(run.config.poll_interval)))
            history = await run.cluster(inputs.cluster_id).history(inputs.instance_id)
            found = [record for record in history if identity.attempt_of(record) == attempt]
            if found:
                return found[0]
            if isinstance(error, AnswerContradicts):
                raise _of_another(identity, attempt, str(error)) from error
            if not left or history.unreadable:
                raise _unknown(identity, attempt, error) from error
        else:
            _is_the_one_asked_for(identity, attempt, answer)
            return answer
    raise AssertionError("the last try returns or raises")


def _unknown(identity: Identity, attempt: int, error: ApiError) -> RemediationError:
    node = words.node(identity.inputs)
    if isinstance(error, AlreadyExists):
        return RemediationError(
            f"the API refuses to start a remediation of {node} ({error}), and lists none under the idempotency key "
            f"{identity.key(attempt)}. If that key is used up, change `triggers`"
        )
    return RemediationError(
        f"the API did not confirm the remediation of {node} ({error}), and lists none under the idempotency key "
        f"{identity.key(attempt)}. Run `pulumi up` again: it looks for it first and posts under the same key"
    )


def _is_the_one_asked_for(identity: Identity, attempt: int, answer: Remediation) -> None:
    """An API that takes the key for that of another remediation answers with that one: not ours to wait for."""
    inputs = identity.inputs
    if (answer.cluster_id, answer.instance_id, answer.mode) != (inputs.cluster_id, inputs.instance_id, inputs.mode):
        raise _of_another(identity, attempt, f"with {words.whose(answer)}")


def _of_another(identity: Identity, attempt: int, told: str) -> RemediationError:
    inputs = identity.inputs
    return RemediationError(
        f"the idempotency key {identity.key(attempt)} belongs to another remediation: the API answered the request for "
        f"{words.node(inputs)} ({inputs.mode.short}) {told}. Choose another `idempotencyKey`"
    )
