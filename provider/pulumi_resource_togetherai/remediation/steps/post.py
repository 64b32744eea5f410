"""The POST. After an unknown outcome, look for the remediation first; send the POST again only if it is not there."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.errors import AlreadyExists, AnswerContradicts, ApiError
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.harmless import quoted
from pulumi_resource_togetherai.remediation.rules import messages
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.steps.run import RemediationError, Run
from pulumi_resource_togetherai.telemetry.instruments import CLUSTER, ERROR_TYPE, MODE, instruments

LONGEST_SETTLING = 5.0
"""The longest pause, in seconds, before checking what became of a request whose outcome is unknown. It may still be in
transit."""


async def post(run: Run, identity: Identity, attempt: int) -> Remediation:
    """Starts this attempt, and returns it, or the remediation that turns out to be this attempt already.

    Raises RemediationError if the API refuses, or if the outcome cannot be found out.
    """
    inputs, cluster = identity.inputs, run.cluster(identity.inputs.cluster_id)
    tries = run.config.max_retries + 1
    counted = {CLUSTER: inputs.cluster_id, MODE: inputs.mode.value}
    for left in reversed(range(tries)):
        try:
            started = await _ask(run, identity, attempt)
            instruments().posts.add(1, counted)
            return started
        except ApiError as error:
            instruments().posts.add(1, counted | {ERROR_TYPE: type(error).__name__})
            if not error.maybe_took_effect:
                raise RemediationError(f"no remediation of {messages.node(inputs)} was started: {error}") from error
            await run.report.status(f"{error}; checking whether the remediation was started")
            await asyncio.sleep(min(LONGEST_SETTLING, seconds(run.config.poll_interval)))
            history = await cluster.history(inputs.instance_id)
            found = [record for record in history if identity.attempt_of(record) == attempt]
            if found:
                return found[0]
            if isinstance(error, AnswerContradicts):
                raise _of_another(identity, attempt, str(error)) from error
            if not left or history.unreadable:
                raise _unknown(identity, attempt, error) from error
    raise AssertionError("the last try returns or raises")


async def _ask(run: Run, identity: Identity, attempt: int) -> Remediation:
    """Sends one POST. Returns the remediation in the answer if it is this attempt."""
    inputs = identity.inputs
    answer = await run.client.create_remediation(
        inputs.cluster_id,
        inputs.instance_id,
        mode=inputs.mode,
        reason=identity.marked_reason(attempt) if run.config.mark_reason else inputs.reason,
        remediation_id=identity.key(attempt),
    )
    if answer.mode != inputs.mode:
        raise _of_another(identity, attempt, f"with {messages.whose(answer)}")
    if identity.attempt_of(answer) == attempt:
        return answer
    try:  # nothing in it shows that it is ours, so require at least that the API can return it by its id
        return await run.cluster(inputs.cluster_id).remediation(inputs.instance_id, answer.id)
    except ApiError as error:
        told = f"it answered with remediation {quoted(answer.id)}, which cannot be read ({error})"
        raise AnswerContradicts("create remediation", told) from error


def _unknown(identity: Identity, attempt: int, error: ApiError) -> RemediationError:
    node = messages.node(identity.inputs)
    if isinstance(error, AlreadyExists):
        return RemediationError(
            f"the API refuses to start a remediation of {node} ({error}), and lists none under the idempotency key "
            f"{identity.key(attempt)}. If that key has been used before, change `triggers`"
        )
    return RemediationError(
        f"the API did not confirm the remediation of {node} ({error}), and lists none under the idempotency key "
        f"{identity.key(attempt)}. Run `pulumi up` again: it looks for the remediation first, and posts under the "
        "same key"
    )


def _of_another(identity: Identity, attempt: int, told: str) -> RemediationError:
    inputs = identity.inputs
    return RemediationError(
        f"the idempotency key {identity.key(attempt)} belongs to another remediation: the API answered the request for "
        f"{messages.node(inputs)} ({inputs.mode.short}) {told}. Choose another `idempotencyKey`"
    )
