"""What the plugin uses of Pulumi without being offered it is still there, and still means what the plugin takes it for.

A failure here says what a new release of pulumi has moved: mend plugin/pulumi_internals.py or dynamic/interruption.py.
"""

from __future__ import annotations

import ast
import asyncio
import contextvars
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pulumi.dynamic
import pulumi.runtime.settings
import pytest
from google.protobuf import empty_pb2
from pulumi.provider.experimental.server import ProviderServicer

from pulumi_resource_togetherai.dynamic import interruption
from pulumi_resource_togetherai.dynamic.interruption import exchange, pool_of
from pulumi_resource_togetherai.plugin.pulumi_internals import (
    REGISTRATION_FAILED,
    depending_on,
    forgive_failed_registrations,
)

RELEASE = f"pulumi {version('pulumi')}"


def test_the_limit_on_the_size_of_a_message_is_there():
    options: dict[str, int] = dict(getattr(pulumi.runtime.settings, "_GRPC_CHANNEL_OPTIONS", ()))
    assert options.get("grpc.max_receive_message_length", 0) >= 2**26, (
        f"{RELEASE} has no _GRPC_CHANNEL_OPTIONS with a message size in pulumi.runtime.settings any more"
    )


def test_a_component_is_constructed_by_a_method_that_takes_a_request_and_a_context():
    method = getattr(ProviderServicer, "_construct", None)
    assert method is not None, f"{RELEASE}: ProviderServicer._construct is gone; is Construct without a lock by now?"
    assert inspect.iscoroutinefunction(method)
    assert list(inspect.signature(method).parameters) == ["self", "request", "context"]


@pytest.mark.parametrize("setting", ["project", "stack", "dry_run"])
def test_what_construct_sets_is_seen_in_its_own_context_only(setting: str):
    settings = pulumi.runtime.settings.SETTINGS
    before = getattr(settings, setting)
    contextvars.copy_context().run(setattr, settings, setting, "of one component")
    assert getattr(settings, setting) == before, f"{RELEASE}: {setting} is no context variable: Construct needs a lock"


async def registered(ends_with: BaseException) -> None:
    """Asks the engine, as Pulumi does, for something that fails; and for something that does not."""

    async def ask(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    register = pulumi.runtime.settings._get_rpc_manager().do_rpc("register", ask)  # pyright: ignore[reportPrivateUsage]
    await asyncio.gather(*(register(error) for error in (ends_with, None, ends_with)))


@pytest.mark.skipif(
    not REGISTRATION_FAILED, reason=f"{RELEASE} leaves the outputs of what failed unknown; `make versions` runs it"
)
async def test_children_that_could_not_be_registered_are_forgiven_and_nothing_else():
    await registered(REGISTRATION_FAILED("a child failed"))
    await forgive_failed_registrations()
    await forgive_failed_registrations()
    try:
        await registered(ValueError("something else"))
        with pytest.raises(ValueError, match="something else"):
            await forgive_failed_registrations()
    finally:
        pulumi.runtime.settings._get_rpc_manager().clear()  # pyright: ignore[reportPrivateUsage]


async def test_an_output_can_depend_on_a_resource_that_is_known_by_its_urn():
    output = depending_on({"a": 1}, ["urn:pulumi:s::p::a:b:C::c"])
    (resource,) = await output.resources()
    assert await resource.urn.future() == "urn:pulumi:s::p::a:b:C::c"
    assert await output.future() == {"a": 1}
    assert not await output.is_secret()


def test_the_server_of_pulumi_dynamic_does_nothing_at_a_cancel_and_has_the_threads_of_a_pool():
    source = Path(pulumi.dynamic.__file__).with_name("__main__.py").read_text()
    (cancel,) = [each for each in ast.walk(ast.parse(source)) if getattr(each, "name", "") == "Cancel"]
    assert isinstance(cancel, ast.FunctionDef)
    assert not cancel.decorator_list, f"{RELEASE}: Cancel is wrapped: the dynamic form would not hear of Ctrl-C"
    assert [each.arg for each in cancel.args.args] == ["self", "request", "context"]
    assert "futures.ThreadPoolExecutor" in source
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: pool_of(threading.current_thread())).result() is pool
    assert pool_of(threading.main_thread()) is None


def test_a_method_that_does_nothing_tells_of_the_cancel(monkeypatch: pytest.MonkeyPatch):
    told: list[bool] = []
    monkeypatch.setattr(interruption, "_calls", [lambda: told.append(True)])

    def cancel(self: object, request: object, context: object) -> object:
        return None

    bound = cancel.__get__(object())  # as the server has bound it before
    exchange(cancel)
    assert (bound(None, None), told) == (empty_pb2.Empty(), [True])
    exchange(None)  # where there is no such method
