"""The loop that waits for a remediation to end. `rules/outcome` says what the end means for the resource."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.rivals import Contest
from pulumi_resource_togetherai.clusters.wait_result import Stop, Watch
from pulumi_resource_togetherai.operation.observed import observed
from pulumi_resource_togetherai.operation.run import Interrupted, Run
from pulumi_resource_togetherai.telemetry.instruments import STOP, STOP_EVENT, current_span


async def until_terminal(run: Run, record: Remediation, contest: Contest | None = None) -> Watch:
    """Follows a remediation until it is terminal, the deadline passes, the user interrupts, or it is gone (see
    `View.proof`); with a `contest`, also until others turn out to have come first. If the API does not answer it keeps
    waiting, because the remediation continues too."""
    watch = Watch(record)
    with noting_why(watch):
        async with run.stoppable():
            await _follow(run, watch, contest)
    if watch.stop is not Stop.ENDED:
        current_span().add_event(STOP_EVENT, {STOP: watch.stop.name})
    return watch


@contextmanager
def noting_why(watch: Watch) -> Generator[None]:
    """Records why the work inside stopped."""
    try:
        yield
    except TimeoutError:
        watch.stop = Stop.TIMEOUT
    except Interrupted:
        watch.stop = Stop.INTERRUPTED
    except NotFound as error:
        watch.stop, watch.error = Stop.GONE, error
    except CredentialRefused as error:
        watch.stop, watch.error = Stop.NO_ACCESS, error


async def _follow(run: Run, watch: Watch, contest: Contest | None) -> None:
    if watch.record.terminal:
        return
    told: RemediationState | None = None
    cluster = run.cluster(watch.record.cluster_id)
    watch.record = cluster.believed(watch.record)
    with observed(watch.record) as seen, cluster.watcher.following(watch.record, contest) as follower:
        while not watch.record.terminal:
            if watch.record.state != told:
                estimate = cluster.estimates.estimate(watch.record.mode)
                await run.report.status(messages.progress(watch.record, run.client.now(), estimate))
                told = watch.record.state
            try:
                if not await follower.news():
                    told = None
            except (NotFound, CredentialRefused):
                raise
            except ApiError as error:
                await run.report.status(f"the API does not answer; still waiting ({error})")
                told = None
            watch.record = follower.record
            seen(watch.record)
            if contest is not None and follower.active is not None:
                watch.loss = await contest.evaluate(watch.record, follower.active)
                if watch.loss is not None:
                    watch.stop = Stop.OUTRUN
                    return
    await run.report.status(messages.progress(watch.record, run.client.now()))
