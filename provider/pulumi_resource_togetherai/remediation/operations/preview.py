"""Preview: says what `pulumi up` will do. It takes the same decision as create, and only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pulumi_resource_togetherai.api.asked import same_id
from pulumi_resource_togetherai.api.errors import ApiError, NotFound
from pulumi_resource_togetherai.api.models import GpuWorkerNode
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.announced import both
from pulumi_resource_togetherai.clusters.where import NotServed
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.operation.outcome import ended_badly
from pulumi_resource_togetherai.operation.run import Interrupted, OperationError, Run
from pulumi_resource_togetherai.operation.unchecked import unchecked
from pulumi_resource_togetherai.operation.wait_result import Stop, Watch
from pulumi_resource_togetherai.remediation.operations.delete import leaves_alone
from pulumi_resource_togetherai.remediation.rules.choose import choose
from pulumi_resource_togetherai.remediation.rules.decision import Adopt, Post, Refuse
from pulumi_resource_togetherai.remediation.rules.history import History
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import DeleteWhileRunning
from pulumi_resource_togetherai.remediation.rules.intent import Intent
from pulumi_resource_togetherai.remediation.rules.missing import no_such_instance
from pulumi_resource_togetherai.remediation.rules.state import State
from pulumi_resource_togetherai.remediation.steps.history import history_of
from pulumi_resource_togetherai.remediation.steps.program import Program
from pulumi_resource_togetherai.remediation.steps.settle import verdict
from pulumi_resource_togetherai.sanitize import quoted


async def preview_create(run: Run, identity: Identity, program: Program, intent: Intent) -> None:
    """Says what create will do. `intent`: what the user asked for. `program` is what preview has seen of the program's
    other resources.

    Raises OperationError for an unknown cluster or instance, and for what create will refuse.
    """
    inputs = identity.inputs
    what = f"what `pulumi up` will do about {inputs.target}"
    create_looks = True
    try:
        history = await run.unless_stopped(history_of(run, identity, preview=True))
        create_looks = False  # it does without the nodes
        cluster = await run.unless_stopped(run.cluster(inputs.cluster_id).cluster(preview=True))
    except NotServed as error:
        if error.for_this_key:  # `up` may have another one
            await unchecked(run, what, error)
            return
        raise OperationError(f"`pulumi up` will fail: {error}") from error
    except NotFound as error:
        # Without a code of the API's it may be a web server's page.
        elsewhere = "" if error.code else ", or `baseUrl` does not lead to the API"
        raise OperationError(f"cluster {inputs.cluster_id} is not known to the API{elsewhere} ({error})") from error
    except (ApiError, Interrupted, TimeoutError) as error:
        await unchecked(run, what, error, needed=create_looks)
        return
    instance_id = history.instance_id
    worker = next((node for node in cluster.gpu_worker_nodes if same_id(node.instance_id or "", instance_id)), None)
    if intent.replaced is not None:
        history, intent = await _after_delete(run, intent.replaced, history, intent)
    chosen = choose(identity, history, now=run.client.earliest_now(), config=run.config, intent=intent)
    if isinstance(chosen, Post) and worker is None:
        raise OperationError(no_such_instance(identity, cluster))
    match chosen:
        case Post(attempt, because=because, warning=warning):
            if warning:
                await run.report.warning(warning)
            before = program.before(identity, instance_id)
            await _waits_for_a_slot(run, inputs.cluster_id, instance_id, before)
            instance = f", which is instance {instance_id}" if inputs.node is not None else ""
            await run.report.info(
                f"`pulumi up` will start a {inputs.mode.short} remediation of {inputs.target}{instance}{_now(worker)}"
                + (f" (attempt {attempt}: {because})" if attempt > 1 else "")
            )
            await program.joins(identity, instance_id, run.report)
            view = run.cluster(inputs.cluster_id)
            for approving in view.announced.starts(view.one_node.key(instance_id), identity.urn):
                await run.report.warning(both(identity.urn, approving))
        case Adopt(record, _, because) if ended_badly(record) and not inputs.accept_failure:
            await run.report.warning(f"`pulumi up` will start nothing and fail with {messages.name(record)}: {because}")
        case Adopt(record, _, because, warns):
            tell = run.report.warning if warns else run.report.info
            await tell(f"`pulumi up` will start nothing and take over {messages.name(record)}: {because}")
        case Refuse(because):
            raise OperationError(f"`pulumi up` will refuse: {because}")


def _now(worker: GpuWorkerNode | None) -> str:
    """How the node is, as far as the API says."""
    status = worker and worker.status and f" {quoted(worker.status)}"
    host = worker and worker.host_name and f" on host {quoted(worker.host_name)}"
    return f", now{status or ''}{host or ''}" if status or host else ""


async def _waits_for_a_slot(run: Run, cluster_id: str, instance_id: str, before: Sequence[str]) -> None:
    """Says that create will wait if the cluster is full, or is by the instances of which this program starts one
    before."""
    try:
        why = await run.unless_stopped(run.cluster(cluster_id).limit.why_wait(instance_id, before))
    except (ApiError, Interrupted, TimeoutError):
        return
    if why:
        await run.report.info(f"`pulumi up` will first wait for a free slot in cluster {cluster_id}: {why}")


async def preview_update(run: Run, state: State) -> None:
    """Says what update will do about a resource that is not complete."""
    record = state.record
    if not record.terminal:
        view = run.cluster(record.cluster_id)
        try:
            record = await run.unless_stopped(view.remediation(record, preview=True))
        except NotFound:
            await run.report.warning(
                f"the API does not show {messages.name(record)}, last seen {record.state}. `pulumi up` will start "
                f"nothing; if the API does not show it for {duration_text(view.proof)}, `pulumi up` will fail"
            )
            return
        except (ApiError, Interrupted, TimeoutError) as error:
            await unchecked(run, f"what `pulumi up` will do about {messages.name(record)}", error)
            return
    if not record.terminal:
        does = "wait for" if state.inputs.wait else "record"
        now = f"{messages.name(record)}, which is {record.state}"
        await run.report.info(f"`pulumi up` will {does} {now}, and start nothing")
        return
    will_say = verdict(run, state, Watch(record, Stop.ENDED))
    if will_say is None:
        ended = f"{messages.name(record)} {messages.ended(record)}"
        await run.report.info(f"`pulumi up` will record that {ended}, and start nothing")
    else:
        await run.report.warning(f"`pulumi up` will start nothing and fail: {will_say}")


async def _after_delete(run: Run, replaced: State, history: History, intent: Intent) -> tuple[History, Intent]:
    """Says what deleting the replaced resource will do, and returns the history and the intent as create will then find
    them."""
    record = history.newest(replaced.record)
    if record.terminal or replaced.adopted:
        return history, intent
    if leaves_alone(replaced, record):
        await run.report.warning(
            f"`pulumi up` will leave {messages.name(record)}, which is {record.state}, alone: this stack cannot prove "
            "that it started it"
        )
        return history, intent
    if record.cancellable:
        await run.report.info(f"`pulumi up` will first cancel {messages.name(record)}, which is {record.state}")
        return history.once_ended(record), replace(intent, another=True)
    if replaced.inputs.delete_while_running is DeleteWhileRunning.ABANDON:
        await run.report.warning(
            f"`pulumi up` will first abandon {messages.name(record)}, which is {record.state} and continues"
        )
        return history, intent
    if replaced.inputs.delete_while_running is DeleteWhileRunning.FAIL:
        raise OperationError(
            f"`pulumi up` will refuse: {messages.name(record)} is {record.state}, and `deleteWhileRunning` is FAIL"
        )
    await run.report.info(
        f"`pulumi up` will first wait for the end of {messages.name(record)}, which is {record.state}"
    )
    return history.once_ended(record) if intent.another else history, intent
