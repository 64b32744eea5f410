"""The ClusterRepair component as a Python program declares it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

from pulumi_resource_togetherai.clusters.report import HEARTBEAT
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.dynamic.declared import arguments, may_be_later, refuse_provider, secret_among
from pulumi_resource_togetherai.dynamic.lookups import program_configuration
from pulumi_resource_togetherai.dynamic.loop import begin
from pulumi_resource_togetherai.dynamic.python_names import in_python
from pulumi_resource_togetherai.dynamic.resource import PYTHON_NAMES, Remediation
from pulumi_resource_togetherai.dynamic.review import PYTHON_NAMES as REVIEW_NAMES
from pulumi_resource_togetherai.dynamic.review import RemediationReview
from pulumi_resource_togetherai.functions.function import LONGEST
from pulumi_resource_togetherai.operation.check import check
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.repair.children import REMEDIATION, Child
from pulumi_resource_togetherai.repair.component import TYPE, Planned, declare, planned
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.secrecy import Secrets
from pulumi_resource_togetherai.unknown import UNKNOWN


class ClusterRepair(pulumi.ComponentResource):
    """The repair of a cluster by a policy: each preview and each update plans what to do about each node, and shows
    the plan; an update carries it out.

    The arguments are the inputs of the plugin's `togetherai.ClusterRepair`, the attributes its outputs.
    """

    plan: pulumi.Output[list[dict[str, Any]]]
    """What is to be done about each node, without the nodes that no rule fits."""
    counts: pulumi.Output[dict[str, int]]
    """How many nodes there are of each decision, such as `START`."""
    states: pulumi.Output[dict[str, str]]
    """The states of the remediations that this run has waited for, by the names of their nodes."""
    left_to_people: pulumi.Output[list[str]]
    """The names of the nodes at which a person has to look."""

    def __init__(
        self,
        resource_name: str,
        *,
        cluster_id: pulumi.Input[str],
        rules: Sequence[Mapping[str, Any]],
        max_concurrent: int | None = None,
        max_unhealthy: str | int | None = None,
        max_attempts: int | None = None,
        cooldown: str | None = None,
        nodes: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        paused: bool | None = None,
        stop_on_failure: bool | None = None,
        timeout: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """See `ClusterRepairInputs` for what each argument means, and its default. The names inside of `rules` are
        Python's (`unhealthy_for`) or the schema's. Raises pulumi.RunError for a mistake."""
        declared = arguments(ClusterRepairInputs, locals())
        refuse_provider(resource_name, opts, its_own=False)
        inputs = {to_camel(name): value for name, value in declared.items() if value is not None}
        super().__init__(TYPE, resource_name, inputs, opts)
        _checked(resource_name, {name: UNKNOWN if may_be_later(value) else value for name, value in inputs.items()})
        settings = program_configuration()

        async def plan(known: Mapping[str, Any]) -> Planned | None:
            report = _Told()
            given = _checked(resource_name, {name: value for name, value in known.items() if name in inputs})
            if warning := Secrets.among(given, known["secret"] or ()).warning:
                pulumi.log.warn(in_python(warning), self)
            looking = begin(_plan(settings, report, known["urn"], given))
            try:
                return await asyncio.wrap_future(looking)
            except OperationError as error:
                raise pulumi.RunError(in_python(f"{resource_name}: {error}")) from error
            finally:
                for warning in report.warnings:
                    pulumi.log.warn(in_python(warning), self)

        secret = pulumi.Output.from_input(secret_among(declared))
        made = pulumi.Output.all(urn=self.urn, secret=secret, **inputs).apply(plan)
        self.states = made.apply(lambda found: declare(self, found, _child, in_python) if found else _not_known())
        # A preview does not know the states, and fails all the same where an update will.
        ended = pulumi.Output.from_input([] if pulumi.runtime.is_dry_run() else self.states)
        done = pulumi.Output.all(made, ended).apply(lambda both: _outputs(resource_name, both[0]))
        self.plan, self.counts, self.left_to_people = done["plan"], done["counts"], done["leftToPeople"]
        self.register_outputs(
            {"plan": self.plan, "counts": self.counts, "states": self.states, "leftToPeople": self.left_to_people}
        )


class _Told:
    """What is reported while the cluster is looked at, on another thread than the program's."""

    heartbeat = HEARTBEAT

    def __init__(self) -> None:
        self.warnings = list[str]()

    async def status(self, text: str) -> None:
        """Nothing that passes is shown."""

    async def info(self, text: str) -> None:
        """The plan says all."""

    async def warning(self, text: str) -> None:
        """Keeps a line for the program to show."""
        self.warnings.append(text)


def _checked(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    checked = check(ClusterRepairInputs, inputs)
    if checked.failures:
        raise pulumi.RunError(in_python(f"{name}: {'; '.join(failure.reason for failure in checked.failures)}"))
    return checked.inputs


async def _plan(settings: ProviderConfig, report: _Told, urn: str, inputs: Mapping[str, Any]) -> Planned | None:
    """The plan; None in a preview that is not to look, or cannot without an API key."""
    session = Session(settings)
    try:
        run = await session.preflight(report) if pulumi.runtime.is_dry_run() else session.run(report, LONGEST)
        return await planned(run, urn, ClusterRepairInputs.model_validate(inputs)) if run else None
    finally:
        await session.close()


def _outputs(name: str, made: Planned | None) -> Any:
    """The outputs, once all that goes on has ended. Raises pulumi.RunError if nothing more was begun."""
    if made is None:
        return _not_known()
    if made.problem:
        raise pulumi.RunError(in_python(f"{name}: {made.problem}"))
    return made.outputs()


def _not_known() -> Any:
    return pulumi.UNKNOWN


def _child(child: Child, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    names, kind = (PYTHON_NAMES, Remediation) if child.kind == REMEDIATION else (REVIEW_NAMES, RemediationReview)
    return kind(child.name, opts=opts, **{names[name]: value for name, value in child.inputs.items()})
