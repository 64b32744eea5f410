"""How the dynamic form learns of Ctrl-C, of which pulumi.dynamic does not tell its providers.

Its server answers the engine's Cancel and does nothing, so a wait would go on without a word until the second Ctrl-C,
which leaves the stack locked. And it has four threads, so four waits would keep it from answering at all. It is running
when it loads a provider: so what is exchanged is the code of that one method, and the number of its threads.
`tests/unit/test_pulumi_internals.py` says when a release of pulumi has others; then they are left alone.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any, cast

MOST_THREADS = 1000
"""How many operations the engine may ask for at once. There is a thread only for each that it does ask for."""
_calls: list[Callable[[], object]] = []


def when_cancelled(call: Callable[[], object]) -> None:
    """Calls `call`, in a thread of the server's, when the engine asks to stop: at Ctrl-C and at the end of each run.
    Call this in a thread of the server's."""
    _calls.append(call)
    servicer: Any = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    exchange(getattr(servicer, "Cancel", None))
    if executor := pool_of(threading.current_thread()):
        executor._max_workers = MOST_THREADS  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def exchange(method: object) -> None:
    """Has the server's method for Cancel tell us of it."""
    if isinstance(method, FunctionType) and method.__code__.co_varnames == ("self", "request", "context"):
        method.__code__ = _cancel.__code__


def pool_of(thread: threading.Thread) -> ThreadPoolExecutor | None:
    """The pool that a thread belongs to; None if that cannot be seen."""
    arguments: tuple[object, ...] = getattr(thread, "_args", ())
    if not (arguments and isinstance(arguments[0], weakref.ref)):
        return None
    found = cast("weakref.ref[object]", arguments[0])()
    return found if isinstance(found, ThreadPoolExecutor) else None


def cancelled() -> None:
    """Tells of it."""
    for call in _calls:
        call()


def _cancel(self: Any, request: Any, context: Any) -> Any:
    # This runs among the names of pulumi's module, so it has to bring its own.
    import google.protobuf.empty_pb2

    import pulumi_resource_togetherai.dynamic.interruption

    pulumi_resource_togetherai.dynamic.interruption.cancelled()
    return google.protobuf.empty_pb2.Empty()
