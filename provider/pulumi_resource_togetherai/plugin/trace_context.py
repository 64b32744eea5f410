"""Makes the plugin's spans part of the engine's trace: `pulumi --otel-traces` sends its context with each call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio
from opentelemetry.context import attach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class TraceContext(grpc.aio.ServerInterceptor):
    """Attaches the context of a call to the task that answers it. The task ends with the call."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Asked, Answered] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Asked, Answered] | None:
        """Continues the call."""
        sent = {key: value for key, value in handler_call_details.invocation_metadata if isinstance(value, str)}
        attach(TraceContextTextMapPropagator().extract(sent))
        return await continuation(handler_call_details)
