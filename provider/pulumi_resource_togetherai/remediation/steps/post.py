"""The POST. After an unknown outcome, look for the remediation first; send the POST again only if it is not there.
After the API has accepted it, never send it again: the remediation exists, whatever the answer shows of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.errors import AlreadyExists, ApiError, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.nodes import holds
from pulumi_resource_togetherai.clusters.view import Ref
from pulumi_resource_togetherai.clusters.watch import GROWTH, QUICK
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.operation.run import OperationError, Run
from pulumi_resource_togetherai.remediation.rules.decision import Post
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.missing import no_such_instance
from pulumi_resource_togetherai.telemetry.instruments import CLUSTER, ERROR_TYPE, MODE, instruments

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Accepted


@dataclass
class Budget:
    """How many POSTs one create may still send, whatever the answers."""

    left: int


async def post(run: Run, identity: Identity, instance_id: str, chosen: Post, budget: Budget) -> Remediation:
    """Starts the chosen attempt on an instance, and returns it, or the remediation that turns out to be this attempt
    already.

    Raises OperationError if the API refuses, or if the outcome cannot be found out.
    """
    inputs, view = identity.inputs, run.cluster(identity.inputs.cluster_id)
    counted = {CLUSTER: inputs.cluster_id, MODE: inputs.mode.value}
    while True:
        budget.left -= 1
        try:
            accepted = await _ask(run, identity, instance_id, chosen)
        except ApiError as error:
            instruments().posts.add(1, counted | {ERROR_TYPE: type(error).__name__})
            if not error.maybe_took_effect:
                raise OperationError(await _refused(run, identity, instance_id, error)) from error
            await run.report.status(f"{error}; checking whether the remediation was started")
            search = _Search(run, identity, instance_id, chosen)
            found = await search.until(view.settling)
            if found is not None:
                return found
            if budget.left <= 0 or search.incomplete or isinstance(error, AlreadyExists):
                raise _unknown(identity, chosen, error, search.incomplete) from error
        else:
            instruments().posts.add(1, counted)
            return await _started(run, identity, instance_id, chosen, accepted)


async def _refused(run: Run, identity: Identity, instance_id: str, error: ApiError) -> str:
    """That the API has refused a POST. Of a 404 also which instance it does not have, and what to do."""
    inputs = identity.inputs
    refused = f"no remediation of {inputs.target} was started: {error}"
    if not isinstance(error, NotFound):
        return refused
    if inputs.node is not None:
        return (
            f"{refused}. The API lists instance {instance_id} for this name, but does not know it: a repair may have "
            "just replaced it. Run the command again: it looks the node up anew"
        )
    try:
        cluster = await run.cluster(inputs.cluster_id).cluster(preview=True)
    except ApiError:
        return refused
    return refused if holds(cluster, instance_id) else f"{refused}. {no_such_instance(identity, cluster)}"


def is_attempt(identity: Identity, record: Remediation, chosen: Post) -> bool:
    """Whether a remediation is the chosen attempt of what the resource declares."""
    if record.mode != identity.inputs.mode:
        return False
    own = identity.own(record)
    return own is not None and own.declared and (own.attempt == chosen.attempt or same_id(record.id, chosen.key))


async def _ask(run: Run, identity: Identity, instance_id: str, chosen: Post) -> Accepted:
    """Sends one POST."""
    inputs = identity.inputs
    accepted = await run.client.create_remediation(
        inputs.cluster_id,
        instance_id,
        mode=inputs.mode,
        reason=identity.marked_reason(chosen.attempt),
        remediation_id=chosen.key,
    )
    if run.client.ids_refused and run.clusters.first("the API refuses `remediation_id`"):
        await run.report.info(
            f"the API refuses `remediation_id` ({run.client.ids_refused}), so remediations are started without it; the "
            "provider recognizes its own by the marker in the reason"
        )
    return accepted


async def _started(run: Run, identity: Identity, instance_id: str, chosen: Post, accepted: Accepted) -> Remediation:
    """The remediation that an accepted POST has started."""
    inputs, view, record = identity.inputs, run.cluster(identity.inputs.cluster_id), accepted.record
    if record is not None and is_attempt(identity, record, chosen):
        return view.believed(record)
    shown = f"it answered with {messages.whose(record)}" if record is not None else accepted.problem
    await run.report.status(
        f"the API accepted the remediation of {inputs.target}; looking for it ({shown or 'no details'})"
    )
    search = _Search(run, identity, instance_id, chosen, accepted.remediation_id)
    found = await search.until(view.settling if accepted.of_another else view.proof)
    if found is not None:
        if search.late_by:
            view.lagged(found, search.late_by)
        return found
    if accepted.of_another or (record is not None and record.mode != inputs.mode):
        raise OperationError(
            f"the idempotency key {chosen.key} belongs to another remediation: the API answered the request "
            f"for {inputs.target} ({inputs.mode.short}) like this: {shown}. It shows none of ours. Choose another "
            "`idempotencyKey`"
        )
    because = search.incomplete or "it is neither there by its id nor in a list"
    used = " If that key has been used before, choose another `idempotencyKey`" if inputs.idempotency_key else ""
    raise OperationError(
        f"the API accepted a remediation of {inputs.target}, but for {duration_text(view.proof)} it has shown none "
        f"under the idempotency key {chosen.key} ({because}{f'; {shown}' if shown else ''}). One may be under way: "
        f"look at the node before you do anything else. `pulumi up` looks for it first, too.{used}"
    )


class _Search:
    """Looks for an attempt again and again."""

    def __init__(
        self, run: Run, identity: Identity, instance_id: str, chosen: Post, remediation_id: str | None = None
    ) -> None:
        """`remediation_id`: the id that the API says it has."""
        self._run = run
        self._identity = identity
        self._instance_id = instance_id
        self._chosen = chosen
        self._id = remediation_id
        self.incomplete = ""
        """Why the last look may have missed it; empty if it cannot have."""
        self.late_by = 0.0
        """How many seconds later it was found, if the answers lacked it at first."""

    async def until(self, seconds: float) -> Remediation | None:
        """The remediation; None if it did not appear for so long."""
        view, loop = self._run.cluster(self._identity.inputs.cluster_id), asyncio.get_running_loop()
        since, gap, lacked = loop.time(), view.interval * QUICK, False
        while True:
            await asyncio.sleep(gap)
            asked_at, gap = loop.time(), min(view.interval, gap * GROWTH)
            try:
                found = await self._look()
            except ApiError as error:
                if not error.transient:
                    raise
                self.incomplete = str(error)
            else:
                if found is not None:
                    self.late_by = asked_at - since if lacked else 0.0
                    return found
                lacked = True
                if asked_at - since >= seconds:
                    return None

    async def _look(self) -> Remediation | None:
        view = self._run.cluster(self._identity.inputs.cluster_id)
        try:
            listed = await view.node(self._instance_id)
        except NotFound:  # the API knows no such instance any more
            listed = None
        self.incomplete = listed.incomplete if listed is not None else ""
        found = [record for record in listed or () if is_attempt(self._identity, record, self._chosen)]
        if found or self._id is None:
            return next(iter(found), None)
        try:
            record = await view.remediation(Ref(self._instance_id, self._id))
        except NotFound:
            return None
        return record if is_attempt(self._identity, record, self._chosen) else None


def _unknown(identity: Identity, chosen: Post, error: ApiError, incomplete: str) -> OperationError:
    node, key = identity.inputs.target, chosen.key
    may_lack = f", though its list may lack one ({incomplete})" if incomplete else ""
    if isinstance(error, AlreadyExists):
        return OperationError(
            f"the API refuses to start a remediation of {node} ({error}), and lists none under the idempotency key "
            f"{key}{may_lack}. If that key has been used before, change {identity.inputs.again}"
        )
    return OperationError(
        f"the API did not confirm the remediation of {node} ({error}), and lists none under the idempotency key "
        f"{key}{may_lack}. Run `pulumi up` again: it looks for the remediation first, and posts under the same key"
    )
