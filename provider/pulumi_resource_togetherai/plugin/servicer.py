"""The operations on resources, and the lookups, as gRPC: proto messages in and out of the core's plain values.

These override Pulumi's servicer, which cannot express what they need: the old inputs in Diff, Update and Delete, a
failed create that stays in the stack (ErrorResourceInitFailed), a bare answer for a resource that is gone, and errors
without a traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf import empty_pb2, struct_pb2
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import engine_pb2, provider_pb2, status_pb2

from pulumi_resource_togetherai.engine import Engine, EngineReport
from pulumi_resource_togetherai.forms import DYNAMIC_INPUTS, SERIALIZED
from pulumi_resource_togetherai.literal import as_it_was
from pulumi_resource_togetherai.plugin.provider import TogetherAiProvider
from pulumi_resource_togetherai.plugin.pulumi_internals import construct
from pulumi_resource_togetherai.plugin.values import marshal, marshal_planned, unmarshal
from pulumi_resource_togetherai.preview_flag import only_previews
from pulumi_resource_togetherai.replace_flag import in_vain, replace_requested
from pulumi_resource_togetherai.sanitize import sanitize, sanitize_lines
from pulumi_resource_togetherai.secrecy import Secrets
from pulumi_resource_togetherai.unknown import holds_unknown, until_known

if TYPE_CHECKING:
    from pulumi_resource_togetherai.operation.check import Failure
    from pulumi_resource_togetherai.operation.results import Recorded, Resource

Context = grpc.aio.ServicerContext[Any, Any]


class Servicer(ProviderServicer):
    """The provider's gRPC service."""

    def __init__(
        self, args: list[str], version: str, provider: TogetherAiProvider, engine_address: str, engine: Engine
    ) -> None:
        super().__init__(args, version, provider, engine_address)
        self._together = provider
        self._engine = engine
        self._worded: Callable[[str], str] = str
        """How what is said to the user is worded."""
        self._severity = engine_pb2.INFO
        self._changed: dict[str, list[str]] = {}
        """By URN, the settings that changed where Diff asked for no replacement."""

    async def Configure(
        self, request: provider_pb2.ConfigureRequest, context: Context
    ) -> provider_pb2.ConfigureResponse:
        """Takes the configuration."""
        if request.urn.endswith("::"):  # a provider without a name: that of a stack has one, that of `pulumi do` none
            from pulumi_resource_togetherai.plugin.shell import SEVERITY, in_shell

            self._together.stateless, self._worded, self._severity = True, in_shell, SEVERITY
        return await super().Configure(request, context)  # pyright: ignore[reportArgumentType]

    async def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        """Validates a resource's inputs."""
        inputs, secret = unmarshal(request.news)
        checked = self._together.resource(request.urn).check(request.urn, inputs)
        failures = Secrets.among(inputs, secret).mistakes(checked.failures)
        return provider_pb2.CheckResponse(
            inputs=marshal_planned(checked.inputs, secret), failures=self._failures(failures)
        )

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        """Says what a change amounts to."""
        from pulumi_resource_togetherai.operation.run import OperationError

        inputs, secret = unmarshal(request.news)
        outputs, hidden = unmarshal(request.olds)
        secrets = Secrets.among(inputs, secret)

        async with self._answering(context, secrets):
            diff = self._together.resource(request.urn).diff(
                request.urn, _recorded(request.old_inputs, outputs), inputs
            )
            if self._together.stateless and diff.replaces:
                raise OperationError(
                    f"a change of {', '.join(diff.replaces)} asks for another one, which only `create` starts. Nothing "
                    "was changed"
                )
            # What the program marks as secret from now on, the stack holds in clear until an update.
            in_clear = (secrets.outputs(outputs) - hidden).intersection(inputs, outputs)
            changed = [] if diff.replaces else sorted({*diff.settings, *in_clear})
            self._changed[request.urn] = [] if diff.replaces else diff.settings
            kind = provider_pb2.PropertyDiff.UPDATE_REPLACE if diff.replaces else provider_pb2.PropertyDiff.UPDATE
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME
                if diff.replaces or diff.unfinished or changed or SERIALIZED in request.old_inputs
                else provider_pb2.DiffResponse.DIFF_NONE,
                replaces=diff.replaces,
                deleteBeforeReplace=bool(diff.replaces),
                detailedDiff={
                    name: provider_pb2.PropertyDiff(kind=kind, inputDiff=name in inputs)
                    for name in diff.replaces or changed
                },
                hasDetailedDiff=bool(diff.replaces or changed),
            )

    async def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        """Creates a resource, or says what creating it will do."""
        inputs, secret = unmarshal(request.properties)
        secrets = Secrets.among(inputs, secret)
        resource, report = self._together.resource(request.urn), self._report(request.urn, secrets)

        async with self._answering(context, secrets):
            replacing = replace_requested(request.urn)
            if secrets.warning:
                await report.warning(secrets.warning)
            # Diff asked for no replacement, and the engine replaces it all the same.
            if settings := self._changed.get(request.urn):
                await report.warning(in_vain(settings))
            if request.preview:
                if until_known(inputs):
                    await report.info(until_known(inputs))
                outputs = await resource.preview_create(request.urn, inputs, report, replace_requested=replacing)
                return provider_pb2.CreateResponse(properties=marshal_planned(outputs, secrets.outputs(outputs)))
            created = await resource.create(request.urn, inputs, report, request.timeout, replace_requested=replacing)
            await self._abort_if_unfinished(context, created, secrets)
            return provider_pb2.CreateResponse(id=created.id, properties=_outputs(created, secrets))

    async def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        """Reads a resource, for a refresh or an import."""
        inputs, secret = unmarshal(request.inputs)
        # The program is not asked: what it marks as secret in the outputs alone, only the old outputs show.
        outputs, hidden = unmarshal(request.properties)
        secrets = Secrets.among(inputs, secret | hidden)
        resource, report = self._together.resource(request.urn), self._report(request.urn, secrets)
        recorded = _recorded(request.inputs, outputs) if request.properties.fields else None

        async with self._answering(context, secrets):
            found = await resource.read(request.urn, request.id, recorded, report, preview=only_previews())
            if found is None:
                return provider_pb2.ReadResponse()
            await self._abort_if_unfinished(context, found, secrets)
            return provider_pb2.ReadResponse(
                id=found.id, properties=_outputs(found, secrets), inputs=marshal(found.inputs, secret)
            )

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        """Resumes an unfinished resource or records new settings, or says that it will."""
        inputs, secret = unmarshal(request.news)
        secrets = Secrets.among(inputs, secret)
        resource, report = self._together.resource(request.urn), self._report(request.urn, secrets)
        recorded = _recorded(request.old_inputs, unmarshal(request.olds).values)

        async with self._answering(context, secrets):
            if request.preview:
                outputs = await resource.preview_update(recorded, inputs, report)
                return provider_pb2.UpdateResponse(properties=marshal_planned(outputs, secrets.outputs(outputs)))
            updated = await resource.update(request.urn, recorded, inputs, report, request.timeout)
            await self._abort_if_unfinished(context, updated, secrets)
            return provider_pb2.UpdateResponse(properties=_outputs(updated, secrets))

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        """Deletes a resource."""
        secrets = Secrets.among(*unmarshal(request.old_inputs))
        resource, report = self._together.resource(request.urn), self._report(request.urn, secrets)
        recorded = _recorded(request.old_inputs, unmarshal(request.properties).values)

        async with self._answering(context, secrets):
            await resource.delete(request.urn, recorded, report, request.timeout)
            return empty_pb2.Empty()

    # Pulumi's own method is no stream. Releases of pulumi that do not know the call never make it.
    async def List(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: provider_pb2.ListRequest, context: Context
    ) -> AsyncIterator[provider_pb2.ListResponse]:
        """Lists resources by the ids that Read takes."""
        from pulumi_resource_togetherai.clusters.messages import import_id
        from pulumi_resource_togetherai.functions.listing import title

        async with self._answering(context, Secrets()):
            query, response = unmarshal(request.query).values, provider_pb2.ListResponse
            if holds_unknown(query):
                yield response(computed=response.Computed())
                return
            kind = request.token.rpartition(":")[2]
            most = min((size for size in (request.limit, request.page_size) if size > 0), default=0)
            page = await self._together.lists.page(kind, query, request.continuation_token, most=most)
            for record in page.records:
                yield response(result=response.Result(id=import_id(record), name=title(record)))
            if page.following:
                yield response(continuation=response.Continuation(continuation_token=page.following))

    async def Construct(
        self, request: provider_pb2.ConstructRequest, context: Context
    ) -> provider_pb2.ConstructResponse:
        """Declares the children of a component."""

        async with self._answering(context, Secrets.among(*unmarshal(request.inputs))):
            return await construct(self, request, context)

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        """Looks something up."""
        from pulumi_resource_togetherai.functions.function import FUNCTIONS
        from pulumi_resource_togetherai.operation.run import OperationError

        arguments = unmarshal(request.args).values

        async with self._answering(context, Secrets()):
            for function in FUNCTIONS:
                if function.name == request.tok.rpartition(":")[2]:
                    if failures := function.check(arguments):
                        # Not every language passes on which arguments are secret.
                        unshown = [replace(one, reason=one.unshown or one.reason) for one in failures]
                        return provider_pb2.InvokeResponse(failures=self._failures(unshown))
                    found = await function.answer(self._together.config, arguments)
                    response = provider_pb2.InvokeResponse()
                    # `return` is a word of Python's: the field can only be reached this way.
                    result = marshal(found.model_dump(mode="json", by_alias=True, exclude_none=True))
                    getattr(response, "return").CopyFrom(result)
                    return response
            raise OperationError(f"there is no function {request.tok}")

    def _report(self, urn: str, secrets: Secrets) -> EngineReport:
        return self._engine.report(urn, lambda text: self._worded(secrets.conceal(text)), self._severity)

    def _answering(self, context: Context, secrets: Secrets) -> _Answering:
        return _Answering(context, lambda text: self._worded(secrets.conceal(text)))

    def _failures(self, found: list[Failure]) -> list[provider_pb2.CheckFailure]:
        return [
            provider_pb2.CheckFailure(property=item.property, reason=sanitize(self._worded(item.reason)))
            for item in found
        ]

    async def _abort_if_unfinished(self, context: Context, resource: Resource, secrets: Secrets) -> None:
        """Fails the operation, and has the engine keep the resource in the stack."""
        if resource.problem is None:
            return
        problem = self._worded(secrets.conceal(resource.problem_text))
        detail = provider_pb2.ErrorResourceInitFailed(
            id=resource.id,
            properties=_outputs(resource, secrets),
            inputs=marshal(resource.inputs, secrets.names),
            reasons=[problem],
        )
        code = grpc.StatusCode.UNKNOWN
        status = status_pb2.Status(code=code.value[0], message=problem)
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        await context.abort(code, problem)


class _Answering:
    """Ends a call that cannot be answered with one line that says why."""

    def __init__(self, context: Context, worded: Callable[[str], str]) -> None:
        """`worded` is how the line is to be shown, such as without its secrets."""
        self._context = context
        self._worded = worded

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from pulumi_resource_togetherai.operation.run import OperationError

        if not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError):
            return
        text = str(error)
        if not isinstance(error, OperationError):
            where = traceback.extract_tb(trace)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            text = f"this is a bug in the provider, please report it: {type(error).__name__}: {text} ({place})"
        await self._context.abort(grpc.StatusCode.UNKNOWN, sanitize_lines(self._worded(text)))


def _outputs(resource: Resource, secrets: Secrets) -> struct_pb2.Struct:
    return marshal(resource.outputs, secrets.outputs(resource.outputs))


def _recorded(inputs: struct_pb2.Struct, outputs: dict[str, Any]) -> Recorded:
    """What the stack holds of a resource, whichever form has put it there."""
    from pulumi_resource_togetherai.operation.results import Recorded

    own = {name: value for name, value in unmarshal(inputs).values.items() if name not in DYNAMIC_INPUTS}
    return Recorded(own, as_it_was(outputs))
