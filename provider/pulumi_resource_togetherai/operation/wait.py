"""The loop that waits for a remediation to end. `rules/outcome` says what the end means for the resource."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.rivals import Contest
from pulumi_resource_togetherai.operation.run import Interrupted, OperationError, Run
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.operation.wait_telemetry import observed, record_stop


async def until_terminal(run: Run, record: Remediation, contest: Contest | None = None) -> Watch:
    """Follows a remediation until it is terminal, the deadline passes, the user interrupts, or it is gone (see
    `View.proof`); with a `contest`, also until others turn out to have come first. If the API does not answer it keeps
    waiting, because the remediation continues too."""
    watch = Watch(record)
    with noting_why(watch):
        async with run.stoppable():
            await _follow(run, watch, contest)
    record_stop(watch)
    return watch


async def wait_for_the_end(run: Run, record: Remediation, *, otherwise: str = "") -> None:
    """Waits for what can no longer be cancelled, on the way to deleting its resource. Raises OperationError if it does
    not end; `otherwise` is what the user can do then but to run the command again."""
    if not record.cancellable:
        await run.report.info(
            f"{messages.name(record)} is {record.state} and cannot be cancelled any more; waiting for it to end"
        )
    watch = await until_terminal(run, record)
    if watch.stop not in (Stop.ENDED, Stop.GONE):
        raise OperationError(
            f"gave up waiting for the end of {messages.name(watch.record)}, which is {watch.record.state}. It stays in "
            f"the stack; run the same command again{otherwise}"
        )


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
    reported: RemediationState | None = None
    cluster = run.cluster(watch.record.cluster_id)
    watch.record = cluster.believed(watch.record)
    beating = cluster.watcher.following(watch.record, contest, run.report.heartbeat)
    with observed(watch.record) as seen, beating as follower:
        while not watch.record.terminal:
            if watch.record.state != reported:
                estimate = cluster.estimates.estimate(watch.record.mode)
                await run.report.status(messages.progress(watch.record, run.client.now(), estimate))
                reported = watch.record.state
            try:
                if not await follower.news():
                    reported = None
            except (NotFound, CredentialRefused):
                raise
            except ApiError as error:
                await run.report.status(f"the API does not answer; still waiting ({error})")
                reported = None
            watch.record = follower.record
            seen(watch.record)
            if contest is not None and follower.active is not None:
                watch.loss = await contest.evaluate(watch.record, follower.active)
                if watch.loss is not None:
                    return
    await run.report.status(messages.progress(watch.record, run.client.now()))
