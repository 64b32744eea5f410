"""`pulumi.dynamic.ResourceProvider` over the core: translates values and errors, nothing else.

The object is pickled into the stack. It has no attributes, so the pickle is a reference to this class.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.dynamic.declared import AT_ONCE, LOOKING_AHEAD, NODES, ONLY_PASSED, as_plain
from pulumi_resource_togetherai.dynamic.interruption import when_cancelled
from pulumi_resource_togetherai.dynamic.loop import wait_for
from pulumi_resource_togetherai.dynamic.python_names import in_python
from pulumi_resource_togetherai.dynamic.settings import configuration
from pulumi_resource_togetherai.engine import Engine, EngineReport
from pulumi_resource_togetherai.forms import DECLARED, DYNAMIC_INPUTS, REPLACE_ON, SECRET, URN
from pulumi_resource_togetherai.literal import as_it_was, literal, marked_secret
from pulumi_resource_togetherai.operation.operations import Operations
from pulumi_resource_togetherai.operation.results import Recorded, Resource
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.preview_flag import only_previews
from pulumi_resource_togetherai.replace_flag import in_vain, replace_requested
from pulumi_resource_togetherai.sanitize import sanitize
from pulumi_resource_togetherai.secrecy import Secrets
from pulumi_resource_togetherai.telemetry import export
from pulumi_resource_togetherai.unknown import until_known

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.session import Session

AT_A_TIME = 4
"""How many resources are created, updated or deleted at once: as many as pulumi.dynamic's server has threads for."""
Properties = dict[str, Any]


class _Provider(ResourceProvider):
    """Pulumi's operations on one kind of resource."""

    kind: ClassVar[str]

    @property
    def _core(self) -> Operations:
        return _started_process().cores[self.kind]

    # The pickle is a reference to this class: nothing in it is secret.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Reads the stack's configuration."""
        _quiet()
        # Pulumi offers no way to ask which settings there are; without this one a misspelt name would go unnoticed.
        config = configuration(req.config.get, getattr(req.config, "_props", ()))
        global _process
        if _process is None:
            _process = started = wait_for(_started(config))
            when_cancelled(lambda: wait_for(started.interrupt()))

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Validates the inputs. In a preview it also reports what `pulumi up` will do about a new resource, because
        pulumi.dynamic calls nothing else for one."""
        declared = _Declared.of(news)
        _started_process().old_inputs[declared.urn] = _inputs(olds)
        checked = self._core.check(declared.urn, declared.inputs)
        found = declared.secrets.mistakes(checked.failures)
        failures = [CheckFailure(failure.property, sanitize(in_python(failure.reason))) for failure in found]
        if nodes := news.get(NODES):
            _started_process().follow(declared, nodes, int(news[AT_ONCE]))
        if news.get(LOOKING_AHEAD):
            process = _started_process()
            process.looking_ahead.add(declared.urn)
            # A replacement is checked a second time, as if it were new. Diff has reported it already, unless the option
            # `replacementTrigger` asked for it.
            if not failures and not olds and declared.urn not in process.reported:
                try:
                    self._preview_create(declared, checked.inputs, replace_requested=replace_requested(declared.urn))
                except OperationError as error:
                    failures.append(CheckFailure("", str(error)))
        kept = {name: news[name] for name in (URN, SECRET, REPLACE_ON) if news.get(name)}
        return CheckResult(checked.inputs | kept, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Returns what a change requires, and in a preview reports what `pulumi up` will do about it."""
        declared = _Declared.of(_news)
        recorded = declared.recorded(_olds)
        diff = self._core.diff(declared.urn, recorded, declared.inputs)
        moved = DECLARED not in _olds
        if declared.urn in _started_process().looking_ahead:
            if diff.replaces:
                self._preview_create(declared, declared.inputs)
            elif diff.unfinished or moved:
                with declared.reporting():
                    wait_for(self._core.preview_update(recorded, declared.inputs, declared.report))
        in_vain_for = [name for name in diff.settings if {name, "*"}.intersection(_news.get(REPLACE_ON) or ())]
        if in_vain_for and not diff.replaces:
            wait_for(declared.report.warning(in_vain(in_vain_for)))
        # Unlike the plugin's Delete, this one gets only the outputs, so new settings must be written into them; so must
        # be what the program marks as secret from now on, and everything where the plugin has written them.
        in_clear = declared.secrets.names.difference(_olds.get(SECRET) or ())
        changes = bool(diff.replaces or diff.settings or diff.unfinished or in_clear or moved)
        if not changes and (ended := _started_process().ended.get(declared.urn)):
            ended(as_it_was(_olds))
        return DiffResult(changes=changes, replaces=diff.replaces, delete_before_replace=bool(diff.replaces))

    def create(self, props: Properties) -> CreateResult:
        """Starts the remediation and waits for its end."""
        declared = _Declared.of(props)
        replacing = replace_requested(declared.urn)
        with declared.reporting(), _started_process().turn(declared):
            if declared.secrets.warning:
                wait_for(declared.report.warning(declared.secrets.warning))
            work = self._core.create(declared.urn, declared.inputs, declared.report, replace_requested=replacing)
            created = _complete(wait_for(work))
        return CreateResult(created.id, declared.outputs(created))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """The resource as it is now."""
        declared = _Declared.of(props, props[DECLARED])
        with declared.reporting():
            recorded = declared.recorded(props)
            work = self._core.read(declared.urn, id_, recorded, declared.report, preview=only_previews())
            found = wait_for(work)
        if found and found.problem:
            wait_for(declared.report.warning(found.problem_text))
        return ReadResult(found.id, declared.outputs(found)) if found else ReadResult("", {})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Goes on waiting, or records new settings."""
        declared = _Declared.of(_news)
        with declared.reporting(), _started_process().turn(declared):
            work = self._core.update(declared.urn, declared.recorded(_olds), declared.inputs, declared.report)
            return UpdateResult(declared.outputs(_complete(wait_for(work))))

    def delete(self, _id: str, _props: Properties) -> None:
        """Cancels the remediation if that is still possible."""
        declared = _Declared.of(_props, _props[DECLARED])
        with declared.reporting(), _started_process().turn(declared):
            wait_for(self._core.delete(declared.urn, declared.recorded(_props), declared.report))

    def _preview_create(self, declared: _Declared, inputs: Properties, *, replace_requested: bool = False) -> None:
        """Reports what create will do."""
        _started_process().reported.add(declared.urn)
        for tell, text in (
            (declared.report.warning, declared.secrets.warning),
            (declared.report.info, until_known(inputs)),
        ):
            if text:
                wait_for(tell(text))
        with declared.reporting():
            work = self._core.preview_create(declared.urn, inputs, declared.report, replace_requested=replace_requested)
            wait_for(work)


class RemediationProvider(_Provider):
    """Pulumi's operations on a Remediation."""

    kind = "Remediation"


class ReviewProvider(_Provider):
    """Pulumi's operations on a RemediationReview."""

    kind = "RemediationReview"


@dataclass(frozen=True)
class _Process:
    """The state of the process that pulumi.dynamic starts for one preview or update."""

    cores: dict[str, Operations]
    """The core's operations, by kind of resource."""
    session: Session
    engine: Engine
    watch: asyncio.Future[None]
    """Ends the process when the engine is gone. Otherwise the process would go on polling."""
    looking_ahead: set[str] = field(default_factory=set[str])
    """The URNs that the program declared in a preview."""
    reported: set[str] = field(default_factory=set[str])
    """Those of them of which the preview has said what create will do."""
    old_inputs: dict[str, Properties] = field(default_factory=dict[str, Properties])
    """By URN, the inputs that the stack holds. Of a resource that the plugin has recorded, only Check is told them."""

    ended: dict[str, Callable[[Properties], None]] = field(default_factory=dict[str, Callable[[Properties], None]])
    """By URN, what takes the outputs of a rolling remediation's child with which nothing is to be done."""

    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_A_TIME))
    """For the operations that wait for a remediation."""

    @contextmanager
    def turn(self, declared: _Declared) -> Generator[None]:
        """Does what is inside for so many resources at a time; the others say that they wait."""
        if not self.turns.acquire(blocking=False):
            wait_for(declared.report.status(f"waiting for its turn: the dynamic form works on {AT_A_TIME} at a time"))
            self.turns.acquire()
        try:
            yield
        finally:
            self.turns.release()

    async def interrupt(self) -> None:
        """Stops every wait. Remediations go on."""
        self.session.interrupt()

    def follow(self, declared: _Declared, nodes: list[str], at_once: int) -> None:
        """Has the row of a rolling remediation say how far it has come. `declared` is one of its children."""
        from pulumi_resource_togetherai.rolling.component import child_name
        from pulumi_resource_togetherai.rolling.progress import RollingProgress

        hooks = self.cores[RemediationProvider.kind].hooks
        if declared.urn in hooks:
            return
        # The URN of a child is that of its component, with the child's type after a dollar sign, and the child's name.
        before, name = declared.urn.rsplit("::", 1)
        component = name.removesuffix(child_name("", declared.inputs.get("node") or declared.inputs["instanceId"]))
        children = {f"{before}::{child_name(component, node)}": node for node in nodes}
        row = self.engine.report(f"{before.rpartition('$')[0]}::{component}", declared.in_words)
        progress = RollingProgress(row, children, hooks, at_once=at_once)
        self.ended.update({urn: partial(progress.ended, node) for urn, node in children.items()})


_process: _Process | None = None


async def _started(config: ProviderConfig) -> _Process:
    # The program imports this module too, and does nothing with the core.
    from pulumi_resource_togetherai.operation.session import Session
    from pulumi_resource_togetherai.remediation.resource import RemediationResource
    from pulumi_resource_togetherai.review.resource import ReviewResource

    engine = Engine(sys.argv[-1])  # Pulumi starts the process with the engine's address as its last argument
    watch = asyncio.ensure_future(engine.exit_with_it())
    if export.start(warn=engine.warn, debug=engine.debug):
        atexit.register(export.stop)
    session = Session(config, note=engine.debug)
    cores: dict[str, Operations] = {
        kind.kind: kind(session, keeps_unfinished=False) for kind in (RemediationResource, ReviewResource)
    }
    return _Process(cores, session, engine, watch)


def _started_process() -> _Process:
    if _process is None:
        raise RuntimeError("pulumi.dynamic called the provider before configuring it")
    return _process


def _quiet() -> None:
    """Turns tracebacks off: pulumi.dynamic lets every exception through to gRPC, which prints one. The message reaches
    the user anyway, in the operation's error."""
    logging.getLogger("grpc").setLevel(logging.CRITICAL + 1)
    sys.tracebacklimit = 0
    OperationError.__module__ = "builtins"  # newer releases of pulumi show the class too, with its module in full


@dataclass(frozen=True)
class _Declared:
    """A resource as the program declares it, and what else the program tells about it."""

    urn: str
    inputs: Properties
    secrets: Secrets

    @classmethod
    def of(cls, passed: Properties, inputs: Properties | None = None) -> _Declared:
        """From what pulumi.dynamic passes: the inputs, or the outputs and the `inputs` that they hold."""
        if inputs is None:
            inputs = _inputs(passed)
        return cls(str(passed[URN]), inputs, Secrets.among(inputs, passed.get(SECRET) or ()))

    @property
    def report(self) -> EngineReport:
        """What shows messages about the resource."""
        return _started_process().engine.report(self.urn, self.in_words)

    @contextmanager
    def reporting(self) -> Generator[None]:
        """Makes an error one for the person who wrote the program."""
        try:
            yield
        except OperationError as error:
            raise OperationError(self.in_words(str(error))) from None

    def in_words(self, text: str) -> str:
        """A message without the secrets, in the program's words."""
        return in_python(self.secrets.conceal(text))

    def outputs(self, resource: Resource) -> Properties:
        """What the stack keeps of the resource, with its secrets marked as such."""
        secret = self.secrets.outputs(resource.outputs)
        outputs: Properties = literal(resource.outputs)
        kept: Properties = {DECLARED: resource.inputs, URN: self.urn}
        if self.secrets.names:
            kept = {**kept, DECLARED: marked_secret(resource.inputs), SECRET: sorted(self.secrets.names)}
        return {name: marked_secret(value) if name in secret else value for name, value in outputs.items()} | kept

    def recorded(self, properties: Properties) -> Recorded:
        """What the stack holds of the resource, whichever form has put it there."""
        inputs = properties[DECLARED] if DECLARED in properties else _started_process().old_inputs[self.urn]
        return Recorded(inputs, as_it_was(properties))


def _inputs(passed: Properties) -> Properties:
    """The resource's own among the inputs that the program passes."""
    plain: Properties = as_plain(passed)
    return {name: value for name, value in plain.items() if name not in (*DYNAMIC_INPUTS, *ONLY_PASSED)}


def _complete(resource: Resource) -> Resource:
    """The resource. Raises its problem if it has one: pulumi.dynamic cannot keep a resource whose creation failed."""
    if resource.problem is not None:
        raise OperationError(resource.problem_text)
    return resource
