"""The operations on resources, and the lookups, as gRPC: proto messages in and out of the core's plain values.

These override Pulumi's servicer, which cannot express what they need: the old inputs in Diff, Update and Delete, a
failed create that stays in the stack (ErrorResourceInitFailed), a bare answer for a resource that is gone, and errors
without a traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2, struct_pb2
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_resource_togetherai.engine import Engine
from pulumi_resource_togetherai.harmless import harmless
from pulumi_resource_togetherai.plugin.provider import TogetherAiProvider
from pulumi_resource_togetherai.plugin.pulumi_internals import construct
from pulumi_resource_togetherai.plugin.values import marshal, unmarshal
from pulumi_resource_togetherai.replace_flag import replace_requested

if TYPE_CHECKING:
    from pulumi_resource_togetherai.remediation.interface import Recorded, Resource
    from pulumi_resource_togetherai.remediation.rules.check import Failure

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class Servicer(ProviderServicer):
    """The provider's gRPC service."""

    def __init__(
        self, args: list[str], version: str, provider: TogetherAiProvider, engine_address: str, engine: Engine
    ) -> None:
        super().__init__(args, version, provider, engine_address)
        self._together = provider
        self._engine = engine

    async def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        """Validates a resource's inputs."""
        news = unmarshal(request.news)
        checked = self._together.resource(request.urn).check(request.urn, unmarshal(request.olds).values, news.values)
        return provider_pb2.CheckResponse(
            inputs=marshal(checked.inputs, news.secret), failures=_failures(checked.failures)
        )

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        """Says what a change amounts to."""

        async def answer() -> provider_pb2.DiffResponse:
            news = unmarshal(request.news).values
            diff = self._together.resource(request.urn).diff(
                request.urn, _recorded(request.old_inputs, request.olds), news
            )
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME
                if diff.replaces or diff.unfinished
                else provider_pb2.DiffResponse.DIFF_NONE,
                replaces=diff.replaces,
                deleteBeforeReplace=bool(diff.replaces),
                detailedDiff={
                    name: provider_pb2.PropertyDiff(
                        kind=provider_pb2.PropertyDiff.UPDATE_REPLACE, inputDiff=name in news
                    )
                    for name in diff.replaces
                },
                hasDetailedDiff=bool(diff.replaces),
            )

        return await _answering(context, answer)

    async def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        """Creates a resource, or says what creating it will do."""
        resource, report = self._together.resource(request.urn), self._engine.report(request.urn)
        inputs, secret = unmarshal(request.properties)

        async def answer() -> provider_pb2.CreateResponse:
            told = replace_requested(request.urn)
            if request.preview:
                outputs = await resource.preview_create(request.urn, inputs, report, replace_requested=told)
                return provider_pb2.CreateResponse(properties=marshal(outputs, secret))
            create = resource.create(request.urn, inputs, report, request.timeout, replace_requested=told)
            created = await self._together.halts.child(request.urn, create)
            await _abort_if_unfinished(context, created, secret)
            return provider_pb2.CreateResponse(id=created.id, properties=marshal(created.outputs, secret))

        return await _answering(context, answer)

    async def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        """Reads a resource, for a refresh or an import."""
        resource, report = self._together.resource(request.urn), self._engine.report(request.urn)
        recorded = _recorded(request.inputs, request.properties) if request.properties.fields else None
        secret = unmarshal(request.inputs).secret

        async def answer() -> provider_pb2.ReadResponse:
            found = await resource.read(request.urn, request.id, recorded, report)
            if found is None:
                return provider_pb2.ReadResponse()
            await _abort_if_unfinished(context, found, secret)
            return provider_pb2.ReadResponse(
                id=found.id, properties=marshal(found.outputs, secret), inputs=marshal(found.inputs, secret)
            )

        return await _answering(context, answer)

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        """Resumes an unfinished resource, or says that it will."""
        resource, report = self._together.resource(request.urn), self._engine.report(request.urn)
        recorded, (inputs, secret) = _recorded(request.old_inputs, request.olds), unmarshal(request.news)

        async def answer() -> provider_pb2.UpdateResponse:
            if request.preview:
                outputs = await resource.preview_update(recorded, inputs, report)
                return provider_pb2.UpdateResponse(properties=marshal(outputs, secret))
            update = resource.update(request.urn, recorded, inputs, report, request.timeout)
            updated = await self._together.halts.child(request.urn, update)
            await _abort_if_unfinished(context, updated, secret)
            return provider_pb2.UpdateResponse(properties=marshal(updated.outputs, secret))

        return await _answering(context, answer)

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        """Deletes a resource."""
        resource, report = self._together.resource(request.urn), self._engine.report(request.urn)
        recorded = _recorded(request.old_inputs, request.properties)

        async def answer() -> empty_pb2.Empty:
            await resource.delete(request.urn, recorded, report, request.timeout)
            return empty_pb2.Empty()

        return await _answering(context, answer)

    async def Construct(
        self, request: provider_pb2.ConstructRequest, context: Context
    ) -> provider_pb2.ConstructResponse:
        """Declares the children of a component."""

        async def answer() -> provider_pb2.ConstructResponse:
            return await construct(self, request, context)

        return await _answering(context, answer)

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        """Looks something up."""
        from pulumi_resource_togetherai.functions.function import FUNCTIONS
        from pulumi_resource_togetherai.remediation.steps.run import RemediationError

        arguments = unmarshal(request.args).values

        async def answer() -> provider_pb2.InvokeResponse:
            for function in FUNCTIONS:
                if function.name == request.tok.rpartition(":")[2]:
                    if failures := function.check(arguments):
                        return provider_pb2.InvokeResponse(failures=_failures(failures))
                    found = await function.answer(self._together.config, arguments)
                    response = provider_pb2.InvokeResponse()
                    # `return` is a word of Python's: the field can only be reached this way.
                    getattr(response, "return").update(found.model_dump(mode="json", by_alias=True, exclude_none=True))
                    return response
            raise RemediationError(f"there is no function {request.tok}")

        return await _answering(context, answer)


async def _answering(context: Context, answer: Callable[[], Awaitable[T]]) -> T:
    """Returns the answer, or aborts the call with one line that says why there is none."""
    from pulumi_resource_togetherai.remediation.steps.run import RemediationError

    try:
        return await answer()
    except RemediationError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        text = f"this is a bug in the provider, please report it: {type(error).__name__}: {error} ({place})"
        await context.abort(grpc.StatusCode.UNKNOWN, harmless(text))


async def _abort_if_unfinished(context: Context, resource: Resource, secret: Collection[str]) -> None:
    """Fails the operation, and has the engine keep the resource in the stack."""
    if resource.problem is None:
        return
    detail = provider_pb2.ErrorResourceInitFailed(
        id=resource.id,
        properties=marshal(resource.outputs, secret),
        inputs=marshal(resource.inputs, secret),
        reasons=[resource.told],
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=resource.told)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    await context.abort(code, resource.told)


def _recorded(inputs: struct_pb2.Struct, outputs: struct_pb2.Struct) -> Recorded:
    from pulumi_resource_togetherai.remediation.interface import Recorded

    return Recorded(unmarshal(inputs).values, unmarshal(outputs).values)


def _failures(found: list[Failure]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=item.property, reason=harmless(item.reason)) for item in found]
