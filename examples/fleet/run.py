"""The stacks, one for each cluster: what they hold, what `pulumi preview` says, and the repairs, side by side.

One `pulumi up` runs for a cluster until the cluster is done, and its program with it: the program declares a node when
the node gets a slot. So one limit holds for all clusters, each needs an engine only once, and nothing that is declared
is taken back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pulumi_togetherai as resource
from engines import Engines
from plan import TYPE, Held, Plan, held, plan, record
from progress import Outcome, Progress
from pulumi import automation
from slots import Slots
from table import Node

PROJECT = "fleet"
ENDS = frozenset(
    {
        automation.OpType.SAME,
        automation.OpType.CREATE,
        automation.OpType.CREATE_REPLACEMENT,
        automation.OpType.UPDATE,
    }
)
"""The operations after which the engine is done with a resource. A replacement has others before."""
PARALLEL = 16
"""How many resources the engine works on at a time, besides those under repair: those that are done."""

SUMMARIES = frozenset({"update failed", "preview failed"})
"""The engine's last words, which say nothing new."""

TRACEBACK = "Traceback (most recent call last)"
"""How the end of a program begins whose resource was refused, in newer releases of pulumi: the refusal says more."""

T = TypeVar("T")
R = TypeVar("R")


class Stopped(Exception):
    """The call was stopped."""


@dataclass(frozen=True)
class Preview:
    """A plan, and what `pulumi preview` says about it."""

    plan: Plan
    lines: dict[str, str]
    """What would happen to each node, by name."""
    warnings: list[str]
    errors: list[str]
    """Why the plan cannot be carried out."""


class Fleet:
    """The stacks of a fleet."""

    def __init__(self, engines: Engines, folder: Path, *, at_once: int, config: Mapping[str, str]) -> None:
        """`folder` is for Pulumi's own files, which nobody needs afterwards; `at_once` is how many clusters are worked
        on at a time, each by an engine and a plugin; `config` is the stacks' configuration."""
        self._engines = engines
        self._folder = folder
        self._at_once = at_once
        self._config = dict(config)

    def unlock(self, clusters: Iterable[str]) -> None:
        """Takes the locks away that a killed run left on the clusters' stacks."""

        def unlock(cluster: str) -> None:
            with suppress(automation.CommandError):  # for some backends it is an error that there is no lock
                self._stack(cluster).cancel()

        self._each(unlock, clusters)

    def preview(self, nodes: Iterable[Node], *, retry_failed: bool) -> list[Preview]:
        """What a table would do, cluster by cluster. Starts nothing."""
        wanted = dict[str, list[Node]]()
        for node in nodes:
            wanted.setdefault(node.cluster, []).append(node)

        def preview(cluster: str) -> Preview:
            stack = self._stack(cluster)
            try:
                found = plan(cluster, wanted[cluster], _holds(stack), retry_failed=retry_failed)
            except ValueError as error:
                return Preview(Plan(cluster), {}, [], [str(error)])
            preview = self._preview(stack, found)
            if self._engines.stopped:
                raise Stopped
            return preview

        return self._each(preview, wanted)

    def run(self, plans: Iterable[Plan], progress: Progress, slots: Slots, *, parallel: int) -> None:
        """Carries plans out, and returns when nothing is waited for any more. `parallel` is how many nodes of a cluster
        may get a slot."""
        plans = [one for one in plans if one.queue or one.under_way]
        for one in plans:
            for node in one.under_way:
                slots.occupy(one.cluster, node.node.name)

        def run(one: Plan) -> None:
            try:
                running = _Run(one, self._stack(one.cluster), self._engines, progress, slots)
                running.up(parallel=parallel + len(one.under_way) + PARALLEL)
            except (automation.CommandError, OSError) as error:
                progress.clusters[one.cluster].problem = reason(error)

        with suppress(Stopped):
            self._each(run, plans)

    def _preview(self, stack: automation.Stack, plan: Plan) -> Preview:
        found = Preview(plan, {}, [], [])

        async def program() -> None:
            self._engines.entered(stack.workspace.work_dir)
            for one in (*plan.done, *plan.under_way):
                declare(one.node)
            for node in plan.queue:
                declare(node, retry_failed=node.name in plan.failed)

        def event(event: automation.EngineEvent) -> None:
            line = event.diagnostic_event
            if line is None or line.ephemeral or (text := _text(line)) in SUMMARIES or TRACEBACK in text:
                return
            name = _name(line.urn)
            if line.severity == "error":
                found.errors.append(text)
            elif name and line.severity == "warning":
                found.warnings.append(text)
            elif name:
                found.lines[name] = text

        try:
            stack.preview(program=program, on_event=event, color="never")
        except automation.CommandError as error:
            if not found.errors:
                found.errors.append(reason(error))
        return found

    def _stack(self, cluster: str) -> automation.Stack:
        folder = self._folder / cluster
        folder.mkdir(exist_ok=True)
        settings = automation.StackSettings(config=self._config)
        return automation.create_or_select_stack(
            cluster,
            project_name=PROJECT,
            program=lambda: None,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(folder), pulumi_command=self._engines, stack_settings={cluster: settings}
            ),
        )

    def _each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        def unless_stopped(item: T) -> R:
            if self._engines.stopped:
                raise Stopped
            return work(item)

        with ThreadPoolExecutor(self._at_once) as pool:
            return list(pool.map(unless_stopped, items))


class _Run:
    """The run of one cluster's stack."""

    def __init__(self, plan: Plan, stack: automation.Stack, engines: Engines, progress: Progress, slots: Slots) -> None:
        self._plan = plan
        self._stack = stack
        self._seen = progress.clusters[plan.cluster]
        self._engines = engines
        self._progress = progress
        self._slots = slots
        self._errors = list[str]()

    def up(self, *, parallel: int) -> None:
        """`pulumi up`, until every node that got a slot has ended, or the engine was told to stop."""
        try:
            self._stack.up(
                program=self._program, on_event=self._event, parallel=parallel, continue_on_error=True, color="never"
            )
        except automation.ConcurrentUpdateError:
            self._seen.problem = "another run works on its stack, or one was killed; when none runs: --unlock"
        except automation.CommandError as error:
            if not self._engines.stopped:
                known = self._errors or any(node.problem for node in self._seen.nodes.values())
                self._seen.problem = "; ".join(self._errors) if known else reason(error)
        finally:
            self._slots.close(self._plan.cluster)
        self._seen.recorded(_holds(self._stack), stopped=self._engines.stopped)

    async def _program(self) -> None:
        self._engines.entered(self._stack.workspace.work_dir)
        for one in (*self._plan.done, *self._plan.under_way):
            declare(one.node)
        queue = list(self._plan.queue)
        while queue and await asyncio.to_thread(self._slots.take, self._plan.cluster, queue[0].name):
            node = queue.pop(0)
            self._seen.begins(node.name)
            declare(node, retry_failed=node.name in self._plan.failed)
        for node in queue:
            if node.name in self._plan.failed:
                declare(node)

    def _event(self, event: automation.EngineEvent) -> None:
        if event.diagnostic_event is not None:
            self._told(event.diagnostic_event)
        elif event.res_outputs_event is not None and event.res_outputs_event.metadata.op in ENDS:
            self._ended(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            self._ended(event.res_op_failed_event.metadata)

    def _told(self, line: automation.DiagnosticEvent) -> None:
        node = self._seen.nodes.get(_name(line.urn))
        if node is None:
            text = _text(line)
            if line.severity == "error" and text not in SUMMARIES and TRACEBACK not in text:
                self._errors.append(text)
        elif line.severity == "error":
            node.problem = _text(line)
        elif node.told(line.message):
            self._progress.changed(node)

    def _ended(self, step: automation.StepEventMetadata) -> None:
        node = self._seen.nodes.get(_name(step.urn))
        if node is not None and not node.ended:
            try:
                node.end(record(step.new.outputs) if step.new and step.new.outputs else None)
            finally:  # a slot that is not given back would be waited for without end
                self._slots.ended(self._plan.cluster, node.node.name, failed=node.outcome is not Outcome.REPAIRED)
            self._progress.changed(node)


def declare(node: Node, *, retry_failed: bool = False) -> None:
    """Declares the repair of a node. A failure is an end like any other: what follows from it is decided here."""
    resource.Remediation(
        node.name,
        cluster_id=node.cluster,
        instance_id=node.written if node.column == "instance" else None,
        node=node.written if node.column == "node" else None,
        mode=node.mode,
        reason=node.reason,
        triggers={"incident": node.incident},
        if_active=resource.IfActive.ADOPT,
        accept_failure=True,
        retry_failed=retry_failed,
    )


def _holds(stack: automation.Stack) -> dict[str, Held]:
    return held(stack.export_stack().deployment)


def _name(urn: str | None) -> str:
    """The name of the node that a line or a step is about; empty if it is about none."""
    return urn.split("::", 3)[3] if urn and f"::{TYPE}::" in urn else ""


def _text(line: automation.DiagnosticEvent) -> str:
    """A line as one line, without what Pulumi puts before it."""
    text = " ".join(line.message.split())
    for prefix in (f"{line.severity}: ", "Preview failed: ", "1 error occurred: * "):
        text = text.removeprefix(prefix)
    return text


def reason(error: Exception) -> str:
    """What went wrong with a `pulumi` command, where no event told it."""
    if found := re.search(r"error: (.+)", str(error)):
        return found[1]
    code = re.search(r"code: (-?\d+)", str(error))
    return f"pulumi ended with code {code[1]}" if code else str(error)
