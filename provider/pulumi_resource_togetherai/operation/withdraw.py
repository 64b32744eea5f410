"""Waits for our own remediation, and withdraws it if another one came first and ours has not begun."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.precedence import Active, Loss, started_at
from pulumi_resource_togetherai.clusters.rivals import Contest
from pulumi_resource_togetherai.clusters.view import View
from pulumi_resource_togetherai.clusters.watch import GROWTH, QUICK
from pulumi_resource_togetherai.operation.cancel import cancel_until_answered
from pulumi_resource_togetherai.operation.run import GRACE, Run
from pulumi_resource_togetherai.operation.wait import noting_why, until_terminal
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch

COARSE = 1.0
"""If the API's times are whole seconds, a remediation that starts within this many seconds may get the same time."""


async def follow(run: Run, record: Remediation, contest: Contest | None, *, wait: bool) -> Watch:
    """With `wait`, waits until a remediation has ended. With a `contest` the remediation is ours: checks at least once
    whether others came first, and withdraws it if so, which the `loss` of what it returns tells."""
    while True:
        watch = await (until_terminal(run, record, contest) if wait else _look_once(run, record, contest))
        if watch.loss is None or contest is None:
            return watch
        watch = await _withdraw(run, watch.record, watch.loss, contest)
        if watch.record.terminal or watch.stop is not Stop.ENDED:
            return watch
        record = watch.record


async def _look_once(run: Run, record: Remediation, contest: Contest | None) -> Watch:
    """Checks once, by an answer that tells: the rules also apply with `wait: false`."""
    watch = Watch(record)
    if record.terminal or contest is None:
        return watch
    with noting_why(watch):
        if not started_at(record).microsecond:
            await run.unless_stopped(asyncio.sleep(COARSE))
        watch.record, active = await run.unless_stopped(_record_with_active(run, record))
        watch.loss = await contest.evaluate(watch.record, active)
    return watch


async def _record_with_active(run: Run, record: Remediation) -> tuple[Remediation, Active]:
    """Our remediation, and what is active beside it. A list that lacks ours lags behind its POST, so it may lack what
    came before ours too: it is asked for again, but not for ever."""
    view, loop = run.cluster(record.cluster_id), asyncio.get_running_loop()
    since, gap = loop.time(), view.interval * QUICK
    while True:
        try:
            seen, active = await view.record_with_active(record)
        except (NotFound, CredentialRefused):
            raise
        except ApiError as error:
            await run.report.status(f"the API did not say who else is repairing the node; asking again ({error})")
            await asyncio.sleep(view.interval)
            continue
        waited = loop.time() - since
        if seen is not None:
            if gap > view.interval * QUICK:
                view.lagged(record, waited)
            return seen, active
        known = await _seen_alone(view, record)
        if not known.cancellable:  # it is active no more, or has begun: nothing can be withdrawn
            return known, active
        if waited >= view.settling:
            await run.report.warning(
                f"no list shows {messages.name(record)} yet, so one of the same node that came first may be missing too"
            )
            return known, active
        await run.report.status(f"no list shows {messages.name(record)} yet; looking again")
        await asyncio.sleep(gap)
        gap = min(view.interval, gap * GROWTH)


async def _seen_alone(view: View, record: Remediation) -> Remediation:
    try:
        return await view.glance(record)
    except ApiError:
        return view.believed(record)


async def _withdraw(run: Run, record: Remediation, loss: Loss, contest: Contest) -> Watch:
    """Cancels our remediation. Returns what became of it: cancelled, begun after all, or neither yet."""
    why = (
        f"{messages.whose(loss.winner)}, came first"
        if loss.winner
        else f"{loss.ahead} others of its cluster came first"
    )
    await run.report.status(f"withdrawing {messages.name(record)}: {why}")
    watch = Watch(record)
    try:
        with noting_why(watch):
            cancelled = await run.unless_stopped(cancel_until_answered(run, record), grace=GRACE)
            if cancelled is None:
                watch.stop = Stop.GONE
            else:
                watch.record = cancelled
                watch.loss = loss if cancelled.state == RemediationState.CANCELLED else None
    except ApiError as error:
        if not error.transient:
            contest.can_withdraw = False
            await run.report.warning(
                f"{messages.name(record)} could not be withdrawn ({error}), although {why}. It continues"
            )
    return watch
