"""`pulumi.dynamic.ResourceProvider` over the core: translates values and errors, nothing else.

The object is pickled into the stack. It has no attributes, so the pickle is a reference to this class.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
from dataclasses import dataclass, field
from typing import Any, ClassVar

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
from pulumi_resource_togetherai.dynamic.loop import wait_for
from pulumi_resource_togetherai.dynamic.settings import configuration
from pulumi_resource_togetherai.engine import Engine, EngineReport
from pulumi_resource_togetherai.harmless import harmless
from pulumi_resource_togetherai.remediation.interface import Operations, Recorded, Resource
from pulumi_resource_togetherai.remediation.steps.run import RemediationError
from pulumi_resource_togetherai.remediation.traced import Traced
from pulumi_resource_togetherai.replace_flag import replace_requested
from pulumi_resource_togetherai.telemetry import export

Properties = dict[str, Any]

URN = "resourceUrn"
"""The input in which the program passes the resource's URN, which pulumi.dynamic does not pass."""
LOOKING_AHEAD = "lookingAhead"
"""The input in which the program passes on that this is a preview. Check removes it again."""
_DECLARED = "declaredInputs"
"""The output that keeps the inputs: pulumi.dynamic passes back only the outputs."""
_PROVIDER = "__provider"


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
        config = configuration(lambda name: req.config.get(f"togetherai:{name}"))
        global _process
        if _process is None:
            _process = wait_for(_started(config))

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Validates the inputs. In a preview it also reports what `pulumi up` will do about a new resource, because
        pulumi.dynamic calls nothing else for one."""
        core, urn = self._core, str(news[URN])
        checked = core.check(urn, _inputs(_olds), _inputs(news))
        failures = [CheckFailure(failure.property, harmless(failure.reason)) for failure in checked.failures]
        if news.get(LOOKING_AHEAD):
            told = _started_process().looking_ahead
            first = urn not in told  # a replacement is checked a second time, as if it were new
            told.add(urn)
            if first and not failures and not _olds:
                try:
                    wait_for(
                        core.preview_create(urn, checked.inputs, _report(urn), replace_requested=replace_requested(urn))
                    )
                except RemediationError as error:
                    failures.append(CheckFailure("", str(error)))
        return CheckResult(checked.inputs | {URN: urn}, failures)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Returns what a change requires, and in a preview reports what `pulumi up` will do about it."""
        core, urn, recorded, inputs = self._core, str(_news[URN]), _recorded(_olds), _inputs(_news)
        diff = core.diff(urn, recorded, inputs)
        if urn in _started_process().looking_ahead:
            if diff.replaces:
                wait_for(core.preview_create(urn, inputs, _report(urn)))
            elif diff.unfinished:
                wait_for(core.preview_update(recorded, inputs, _report(urn)))
        # Unlike the plugin's Delete, this one gets only the outputs, so new settings must be written into them.
        changes = bool(diff.replaces or diff.settings or diff.unfinished)
        return DiffResult(changes=changes, replaces=diff.replaces, delete_before_replace=bool(diff.replaces))

    def create(self, props: Properties) -> CreateResult:
        """Starts the remediation and waits for its end."""
        urn = str(props[URN])
        work = self._core.create(urn, _inputs(props), _report(urn), replace_requested=replace_requested(urn))
        created = _complete(wait_for(work))
        return CreateResult(created.id, _outputs(created, urn))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """The resource as it is now."""
        urn = str(props[URN])
        found = wait_for(self._core.read(urn, id_, _recorded(props), _report(urn)))
        if found and found.problem:
            wait_for(_report(urn).warning(found.told))
        return ReadResult(found.id, _outputs(found, urn)) if found else ReadResult("", {})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Goes on waiting, or records new settings."""
        urn = str(_news[URN])
        work = self._core.update(urn, _recorded(_olds), _inputs(_news), _report(urn))
        return UpdateResult(_outputs(_complete(wait_for(work)), urn))

    def delete(self, _id: str, _props: Properties) -> None:
        """Cancels the remediation if that is still possible."""
        urn = str(_props[URN])
        wait_for(self._core.delete(urn, _recorded(_props), _report(urn)))


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
    engine: Engine
    watch: asyncio.Future[None]
    """Ends the process when the engine is gone. Otherwise the process would go on polling."""
    looking_ahead: set[str] = field(default_factory=set[str])
    """The URNs that the program declared in a preview."""


_process: _Process | None = None


async def _started(config: ProviderConfig) -> _Process:
    # The program imports this module too, and does nothing with the core.
    from pulumi_resource_togetherai.remediation.resource import RemediationResource
    from pulumi_resource_togetherai.remediation.session import Session
    from pulumi_resource_togetherai.review.resource import ReviewResource

    engine = Engine(sys.argv[-1])  # Pulumi starts the process with the engine's address as its last argument
    watch = asyncio.ensure_future(engine.exit_with_it())
    if export.start(warn=engine.warn, debug=engine.debug):
        atexit.register(export.stop)
    session = Session(config)
    cores: dict[str, Operations] = {
        "Remediation": RemediationResource(session, keeps_unfinished=False),
        "RemediationReview": ReviewResource(session, keeps_unfinished=False),
    }
    cores = {kind: Traced(kind, core) for kind, core in cores.items()}
    return _Process(cores, engine, watch)


def _started_process() -> _Process:
    if _process is None:
        raise RuntimeError("pulumi.dynamic called the provider before configuring it")
    return _process


def _report(urn: str) -> EngineReport:
    return _started_process().engine.report(urn)


def _quiet() -> None:
    """Turns tracebacks off: pulumi.dynamic lets every exception through to gRPC, which prints one. The message reaches
    the user anyway, in the operation's error."""
    logging.getLogger("grpc").setLevel(logging.CRITICAL + 1)
    sys.tracebacklimit = 0


def _inputs(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name not in (URN, LOOKING_AHEAD, _PROVIDER)}


def _recorded(properties: Properties) -> Recorded:
    return Recorded(properties[_DECLARED], properties)


def _outputs(resource: Resource, urn: str) -> Properties:
    return resource.outputs | {_DECLARED: resource.inputs, URN: urn}


def _complete(resource: Resource) -> Resource:
    """The resource. Raises its problem if it has one: pulumi.dynamic cannot keep a resource whose creation failed."""
    if resource.problem is not None:
        raise RemediationError(resource.told)
    return resource
